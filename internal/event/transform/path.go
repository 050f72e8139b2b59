package transform

import (
	"fmt"
	"strconv"
	"strings"

	"ottla/internal/event/jsonwalk"
)

// MaxPath bounds a path's text, as EventBridge does.
const MaxPath = 256

// Path is a place in an event, as $.detail.items[0].id. It is immutable.
type Path struct {
	text  string
	steps []step
	wild  bool // it names several places
}

// step is one name or index; all of them for a star.
type step struct {
	name  string
	index int // -1 for names
	all   bool
}

// ParsePath reads a path: names behind dots, or ['name'], [N] and [*] of lists, and *
// for all members. $.type and $.data are CloudEvents' names for $.detail-type and
// $.detail.
func ParsePath(text string) (*Path, error) {
	wrong := func(at int, problem string) error {
		return &Error{What: "path " + strconv.Quote(text), Column: at + 1, Problem: problem}
	}
	if len(text) > MaxPath {
		return nil, &Error{What: fmt.Sprintf("path %.40q…", text), Column: MaxPath + 1, Problem: "a path has at most 256 characters"}
	}
	if text == "" || text[0] != '$' {
		return nil, wrong(0, "a path begins with $, as $.detail.id")
	}
	p := &Path{text: text}
	for i := 1; i < len(text); {
		s := step{index: -1}
		switch text[i] {
		case '.':
			end := i + 1
			for end < len(text) && text[end] != '.' && text[end] != '[' {
				end++
			}
			if s.name = text[i+1 : end]; s.name == "" {
				return nil, wrong(i, "a name is wanted behind the dot")
			}
			if strings.ContainsAny(s.name, "<>()?@\"'") {
				return nil, wrong(i, "of JSON Path there are names, indices and *; filters and functions are not supported")
			}
			s.all = s.name == "*"
			i = end
		case '[':
			end, problem := s.bracket(text, i)
			if problem != "" {
				return nil, wrong(i, problem)
			}
			i = end
		default:
			return nil, wrong(i, "a dot or a bracket is wanted here")
		}
		p.steps, p.wild = append(p.steps, s), p.wild || s.all
	}
	if len(p.steps) > 0 {
		switch p.steps[0].name {
		case "type":
			p.steps[0].name = "detail-type"
		case "data":
			p.steps[0].name = "detail"
		}
	}
	return p, nil
}

// bracket reads [N], [*] and ['name'].
func (s *step) bracket(text string, at int) (end int, problem string) {
	if rest := text[at+1:]; rest != "" && (rest[0] == '\'' || rest[0] == '"') {
		size := strings.Index(rest[1:], rest[:1]+"]")
		if size < 0 {
			return 0, "the name in brackets has no end"
		}
		s.name = rest[1 : 1+size]
		return at + 1 + 1 + size + 2, ""
	}
	size := strings.IndexByte(text[at:], ']')
	if size < 0 {
		return 0, "the bracket has no end"
	}
	inside := text[at+1 : at+size]
	if inside == "*" {
		s.all = true
		return at + size + 1, ""
	}
	n, err := strconv.Atoi(inside)
	if err != nil || n < 0 || inside[0] == '+' {
		return 0, "an index of a list is a number from 0, or *; slices and filters are not supported"
	}
	s.index = n
	return at + size + 1, ""
}

// String is the path as it was written.
func (p *Path) String() string { return p.text }

// Whole tells whether the path is the event itself.
func (p *Path) Whole() bool { return len(p.steps) == 0 }

// Find gives the value at the path, as it is written in the event; of a path with a
// star a list of those that there are. doc is JSON.
func (p *Path) Find(doc []byte) (value []byte, ok bool) {
	if !p.wild {
		return find(doc, p.steps)
	}
	out := findAll([]byte{'['}, doc, p.steps)
	return append(out, ']'), true
}

func find(doc []byte, steps []step) ([]byte, bool) {
	for _, s := range steps {
		var next []byte
		s.each(doc, func(value []byte) { next = value }) // of members with one name the last counts
		if next == nil {
			return nil, false
		}
		doc = next
	}
	return doc, true
}

func findAll(out, doc []byte, steps []step) []byte {
	if len(steps) == 0 {
		if len(out) > 1 {
			out = append(out, ',')
		}
		return append(out, doc...)
	}
	steps[0].each(doc, func(value []byte) { out = findAll(out, value, steps[1:]) })
	return out
}

// each gives the values that the step names.
func (s *step) each(doc []byte, give func(value []byte)) {
	if s.index < 0 {
		jsonwalk.Members(doc, func(name string, value []byte) bool {
			if s.all || name == s.name {
				give(value)
			}
			return true
		})
	}
	if s.index >= 0 || s.all {
		at := 0
		jsonwalk.Elements(doc, func(value []byte) bool {
			if s.all || at == s.index {
				give(value)
			}
			at++
			return s.all || at <= s.index
		})
	}
}

// Text gives the value at the path as text: a string without its quotation marks,
// anything else as JSON. ok is false where there is none, or null.
func (p *Path) Text(doc []byte) (text string, ok bool) {
	value, ok := p.Find(doc)
	if !ok || string(value) == "null" {
		return "", false
	}
	if text, is := jsonwalk.String(value); is {
		return text, true
	}
	return string(value), true
}
