package pattern

import (
	"strings"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
)

// A pattern's text is read into nodes that know their place.

type nodeKind uint8

const (
	nodeObject nodeKind = iota
	nodeList
	nodeString
	nodeNumber
	nodeWord // true, false, null
)

// node is one JSON value.
type node struct {
	kind    nodeKind
	place   place
	text    string // a string's content, a number or a word as written
	members []member
	items   []*node
}

// member is one name of an object with its value.
type member struct {
	name  string
	place place
	value *node
}

func (n *node) wrong(path, operator, problem string) *Error {
	return &Error{Line: int(n.place.line), Column: int(n.place.column), Path: path, Operator: operator, Problem: problem}
}

func (m *member) wrong(path, operator, problem string) *Error {
	return &Error{Line: int(m.place.line), Column: int(m.place.column), Path: path, Operator: operator, Problem: problem}
}

// source is a value that is no object or list as it may be written.
func (n *node) source() string {
	if n.kind == nodeString {
		return quote(n.text)
	}
	return n.text
}

// textReader reads JSON.
type textReader struct {
	text   string
	bytes  []byte // of text
	nodes  []node // made, and not used yet
	at     int
	line   int32
	column int32
	depth  int
}

// readText reads a pattern's text.
func readText(text string) (*node, error) {
	r := &textReader{text: text, bytes: []byte(text), line: 1, column: 1}
	if !utf8.ValidString(text) {
		return nil, r.wrong("is no UTF-8")
	}
	r.space()
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	if r.space(); r.at < len(r.text) {
		return nil, r.wrong("nothing may follow the pattern's last bracket")
	}
	return n, nil
}

func (r *textReader) wrong(problem string) *Error {
	return &Error{Line: int(r.line), Column: int(r.column), Problem: problem}
}

// step goes one byte on; columns count characters.
func (r *textReader) step() {
	switch c := r.text[r.at]; {
	case c == '\n':
		r.line, r.column = r.line+1, 1
	case utf8.RuneStart(c):
		r.column++
	}
	r.at++
}

// peek is the next byte, 0 at the end.
func (r *textReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *textReader) space() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\t' || r.text[r.at] == '\n' || r.text[r.at] == '\r') {
		r.step()
	}
}

func (r *textReader) value() (*node, error) {
	if r.depth++; r.depth > MaxPatternDepth {
		return nil, r.wrong("is nested deeper than 64")
	}
	defer func() { r.depth-- }()
	if len(r.nodes) == 0 {
		r.nodes = make([]node, 8)
	}
	n := &r.nodes[0]
	r.nodes, n.place = r.nodes[1:], place{r.line, r.column}
	var err error
	switch c := r.peek(); {
	case c == '{':
		n.kind = nodeObject
		err = r.object(n)
	case c == '[':
		n.kind = nodeList
		err = r.list(n)
	case c == '"':
		n.kind = nodeString
		n.text, err = r.string()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = nodeNumber
		n.text, err = r.number()
	default:
		n.kind = nodeWord
		n.text, err = r.word()
	}
	return n, err
}

func (r *textReader) object(n *node) error {
	r.step()
	for r.space(); r.peek() != '}'; r.space() {
		if len(n.members) > 0 {
			if r.peek() != ',' {
				return r.wrong("wants a comma or } here")
			}
			r.step()
			r.space()
		}
		m := member{place: place{r.line, r.column}}
		if r.peek() != '"' {
			return r.wrong("wants a name in quotation marks here")
		}
		var err error
		if m.name, err = r.string(); err != nil {
			return err
		}
		if r.space(); r.peek() != ':' {
			return r.wrong("wants a colon here")
		}
		r.step()
		r.space()
		if m.value, err = r.value(); err != nil {
			return err
		}
		if n.members == nil {
			n.members = make([]member, 0, 4)
		}
		n.members = append(n.members, m)
	}
	r.step()
	return nil
}

func (r *textReader) list(n *node) error {
	r.step()
	for r.space(); r.peek() != ']'; r.space() {
		if len(n.items) > 0 {
			if r.peek() != ',' {
				return r.wrong("wants a comma or ] here")
			}
			r.step()
			r.space()
		}
		item, err := r.value()
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	r.step()
	return nil
}

func (r *textReader) word() (string, error) {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(r.text[r.at:], w) {
			r.at, r.column = r.at+len(w), r.column+int32(len(w))
			return w, nil
		}
	}
	if r.at == len(r.text) {
		return "", r.wrong("ends too early")
	}
	return "", r.wrong("wants a JSON value here")
}

func (r *textReader) number() (string, error) {
	end := jsonwalk.NumberEnd(r.bytes, r.at)
	if end < 0 {
		return "", r.wrong("this is no number of JSON")
	}
	text := r.text[r.at:end]
	r.at, r.column = end, r.column+int32(len(text))
	return text, nil
}

// string reads a string, at its first quotation mark.
func (r *textReader) string() (string, error) {
	r.step()
	start := r.at
	escaped := false
	for {
		switch c := r.peek(); {
		case r.at >= len(r.text):
			return "", r.wrong("this string has no end")
		case c == '"':
			text := r.text[start:r.at]
			r.step()
			if !escaped {
				return text, nil
			}
			return string(jsonwalk.Unescape(nil, []byte(text))), nil
		case c == '\\':
			size := jsonwalk.EscapeSize(r.bytes[r.at:])
			if size == 0 {
				return "", r.wrong("this escape is none of JSON")
			}
			escaped = true
			for range size {
				r.step()
			}
		case c < ' ':
			return "", r.wrong("a control character in a string must be escaped")
		case c < utf8.RuneSelf:
			r.at, r.column = r.at+1, r.column+1
		default:
			r.step()
		}
	}
}
