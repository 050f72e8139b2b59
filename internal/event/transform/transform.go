package transform

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/envelope"
	"ottla/internal/event/jsonwalk"
)

// Bounds, EventBridge's but for the last.
const (
	MaxInput  = 8192 // characters of a fixed text or a template
	MaxPaths  = 100
	MaxName   = 256
	MaxOutput = 8 << 20 // bytes that a template makes of one event
)

// Spec is a transform as users write it. At most one of Input, InputPath and Template
// is set; with none, targets get the event as it is.
type Spec struct {
	Input     string `json:"input,omitempty"`      // JSON that is sent for every event
	InputPath string `json:"input_path,omitempty"` // the part of the event that is sent
	// Paths are names for parts of the event, and Template is what is sent.
	Paths    map[string]string `json:"paths,omitempty"`
	Template string            `json:"template,omitempty"`
}

// Vars are what a transform knows beside the document.
type Vars struct {
	RuleARN, RuleName string
	// Event is the event that the document shows.
	Event *envelope.Event
}

// Error tells what is wrong with a transform, and where.
type Error struct {
	What    string // as: template, path "$.x"
	Column  int    // in characters from 1; 0 for the whole
	Problem string
	// Unknown is the name of a placeholder that stands for nothing.
	Unknown string
}

// Error says where and what in one line.
func (e *Error) Error() string {
	if e.Column == 0 {
		return e.What + ": " + e.Problem
	}
	return fmt.Sprintf("%s, character %d: %s", e.What, e.Column, e.Problem)
}

// Transform is a checked Spec. It is immutable.
type Transform struct {
	fixed    []byte
	path     *Path
	template *template
}

// Parse checks a transform.
func Parse(s Spec) (*Transform, error) {
	given := 0
	for _, text := range [...]string{s.Input, s.InputPath, s.Template} {
		if text != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, &Error{What: "transform", Problem: "give one of input, input path and template"}
	case s.Template == "" && len(s.Paths) > 0:
		return nil, &Error{What: "transform", Problem: "there are paths and no template that takes their values"}
	}
	t := &Transform{}
	var err error
	switch {
	case s.Input != "":
		if utf8.RuneCountInString(s.Input) > MaxInput {
			return nil, &Error{What: "input", Problem: "it has more than 8192 characters"}
		}
		if !utf8.ValidString(s.Input) || !jsonwalk.Valid([]byte(s.Input), 0) {
			return nil, &Error{What: "input", Problem: "it is no JSON; a text stands in quotation marks"}
		}
		t.fixed = []byte(s.Input)
	case s.InputPath != "":
		t.path, err = ParsePath(s.InputPath)
	case s.Template != "":
		var paths map[string]*Path
		if paths, err = parsePaths(s.Paths); err == nil {
			t.template, err = parseTemplate(s.Template, paths)
		}
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func parsePaths(all map[string]string) (map[string]*Path, error) {
	if len(all) > MaxPaths {
		return nil, &Error{What: "paths", Problem: fmt.Sprintf("%d are too many: %d are possible", len(all), MaxPaths)}
	}
	names := make([]string, 0, len(all))
	for called := range all {
		names = append(names, called)
	}
	slices.Sort(names) // so that the same one is complained of
	out := make(map[string]*Path, len(all))
	for _, called := range names {
		switch {
		case called == "" || len(called) > MaxName || strings.ContainsFunc(called, func(c rune) bool { return !isNameRune(c) }):
			return nil, &Error{What: fmt.Sprintf("path name %.80q", called), Problem: "a name has letters, digits, _ and -, at most 256"}
		case len(called) >= 3 && strings.EqualFold(called[:3], "aws"):
			return nil, &Error{What: fmt.Sprintf("path name %.80q", called), Problem: "names that begin with AWS are taken"}
		}
		p, err := ParsePath(all[called])
		if err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.What = called + ": " + e.What
			}
			return nil, err
		}
		out[called] = p
	}
	return out, nil
}

func isNameRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// Apply makes what is sent of an event. doc is its document (AppendDocument), which
// paths go by; what stands for the whole event is EventBridge's envelope. The answer
// may share doc.
func (t *Transform) Apply(doc []byte, v Vars) ([]byte, error) {
	switch {
	case t.fixed != nil:
		return t.fixed, nil
	case t.template != nil:
		return t.template.fill(doc, v)
	case t.path == nil || t.path.Whole():
		return v.Event.AppendEnvelope(nil), nil
	}
	if value, ok := t.path.Find(doc); ok {
		return value, nil
	}
	return []byte("null"), nil
}
