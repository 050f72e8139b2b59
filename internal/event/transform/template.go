package transform

import (
	"strings"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
)

// The reserved placeholders.
const (
	ruleARN   = "aws.events.rule-arn"
	ruleName  = "aws.events.rule-name"
	ingestion = "aws.events.event.ingestion-time"
	eventHead = "aws.events.event"
	eventJSON = "aws.events.event.json"
)

// template is what stands between placeholders, and those.
type template struct {
	text  bool // strings in quotation marks, no JSON
	parts []part
}

// part is a text as it is, with a placeholder behind it unless that is the end.
type part struct {
	before   string
	path     *Path  // the placeholder is a path
	reserved string // or one of those
	quoted   bool
}

// reader reads a template.
type reader struct {
	template
	from    string
	paths   map[string]*Path
	literal strings.Builder // since the last placeholder
	// probe is the template with a value in the place of each placeholder: it must
	// be JSON.
	probe []byte
}

func parseTemplate(from string, paths map[string]*Path) (*template, error) {
	r := &reader{from: from, paths: paths}
	r.text = strings.HasPrefix(strings.TrimLeft(from, " \t\r\n"), `"`)
	if utf8.RuneCountInString(from) > MaxInput {
		return nil, &Error{What: "template", Problem: "it has more than 8192 characters"}
	}
	if !utf8.ValidString(from) {
		return nil, &Error{What: "template", Problem: "it has bytes that are no UTF-8"}
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	r.parts = append(r.parts, part{before: r.literal.String()})
	if err := r.check(); err != nil {
		return nil, err
	}
	return &r.template, nil
}

func (r *reader) wrong(at int, problem string) *Error {
	return &Error{What: "template", Column: utf8.RuneCountInString(r.from[:at]) + 1, Problem: problem}
}

// read goes through the template once.
func (r *reader) read() error {
	inString, names, began := false, false, 0 // names: this string has placeholders
	for i := 0; i < len(r.from); {
		c := r.from[i]
		switch {
		case c == '<':
			size, err := r.placeholder(i, inString)
			if err != nil {
				return err
			}
			if size > 0 {
				i, names = i+size, true
				continue
			}
		case c == '\\' && inString && i+1 < len(r.from):
			r.keep(r.from[i : i+2])
			i += 2
			continue
		case c == '"':
			if inString = !inString; inString {
				names, began = false, i
			} else if names && strings.HasPrefix(strings.TrimLeft(r.from[i+1:], " \t\r\n"), ":") {
				return r.wrong(began, "a placeholder cannot be in the name of a member")
			}
		case !inString && !r.text && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			r.probe = append(r.probe, c)
			i++
			continue
		}
		r.keep(r.from[i : i+1])
		i++
	}
	return nil
}

func (r *reader) keep(text string) {
	r.literal.WriteString(text)
	r.probe = append(r.probe, text...)
}

// placeholder takes a placeholder that begins at i; size is 0 where it is none.
func (r *reader) placeholder(i int, quoted bool) (size int, err error) {
	end := strings.IndexByte(r.from[i:], '>')
	if end < 0 {
		return 0, nil
	}
	called := r.from[i+1 : i+end]
	p := part{quoted: quoted}
	switch {
	case called == ruleARN || called == ruleName || called == ingestion || called == eventHead || called == eventJSON:
		p.reserved = called
	case strings.HasPrefix(called, "$"):
		if p.path, err = ParsePath(called); err != nil {
			return 0, err
		}
	case called == "" || strings.ContainsFunc(called, func(c rune) bool { return !isNameRune(c) && c != '.' }):
		return 0, nil // a text with < and >
	case r.paths[called] == nil:
		e := r.wrong(i, "<"+called+"> stands for nothing: give it a path, or write the path itself, as <$.detail.id>")
		e.Unknown = called
		return 0, e
	default:
		p.path = r.paths[called]
	}
	p.before = r.literal.String()
	r.literal.Reset()
	r.parts = append(r.parts, p)
	if quoted {
		r.probe = append(r.probe, 'x')
	} else {
		r.probe = append(r.probe, "null"...)
	}
	return end + 1, nil
}

// check tells whether what the template makes will be JSON: one value, or of texts
// as many as there are.
func (r *reader) check() error {
	var w jsonwalk.Walker
	w.Begin(r.probe)
	n := 0
	for i := w.Space(0); i < len(r.probe); n++ {
		if i = w.Skip(i); i < 0 {
			return &Error{What: "template", Problem: "it is no JSON (" + w.Problem + "): values stand in quotation marks or in objects, as \"order <id>\" or {\"order\": <id>}"}
		}
		i = w.Space(i)
	}
	if n == 0 || n > 1 && !r.text {
		return &Error{What: "template", Problem: "it must be one value of JSON, or texts in quotation marks"}
	}
	return nil
}
