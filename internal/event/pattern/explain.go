package pattern

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/jsonwalk"
	"ottla/internal/nearest"
)

// Explanation tells why an event does not fit a pattern.
type Explanation struct {
	Matched bool
	// Path is the first field, as the pattern is written, that does not pass; Line
	// and Column are where the pattern names it. Of a pattern with $or it is of the
	// alternative that comes furthest.
	Path         string
	Line, Column int
	// Wanted are the field's tests, Got the values that the event has there, as
	// JSON, the first few of them. None means that it has none.
	Wanted, Got []string
	// Apart tells that each field passes, but only by values of different elements
	// of a list. Path is then a field that passes in no element with those before.
	Apart bool
	// Alternatives is how many the pattern has: 1 without $or.
	Alternatives int
	// Hint says what may be meant, if something is near: a name or a value that is
	// a slip away, or of another type.
	Hint string
}

// mostGot bounds the values that an explanation shows, and mostShown their length.
const (
	mostGot   = 8
	mostShown = 200
)

// String says it in one line, with the hint in a second.
func (x Explanation) String() string {
	if x.Matched {
		return "matches"
	}
	got := "the event has no value there"
	if len(x.Got) > 0 {
		got = "got " + strings.Join(x.Got, ", ")
	}
	if x.Apart {
		got += ", but in other elements of a list than the fields before it"
	}
	text := fmt.Sprintf("%s (line %d, column %d) wants %s; %s", x.Path, x.Line, x.Column, strings.Join(x.Wanted, " or "), got)
	if x.Alternatives > 1 {
		text = fmt.Sprintf("none of %d alternatives; the nearest: %s", x.Alternatives, text)
	}
	if x.Hint != "" {
		text += "\n" + x.Hint
	}
	return text
}

// Matches tells whether one event fits the pattern. For many events, or many
// patterns, use a Set.
func (p *Pattern) Matches(event []byte) (bool, error) {
	var m Matcher
	ids, err := NewSet().With(0, p).Match(event, &m, nil)
	return len(ids) > 0, err
}

// Explain tells whether an event fits the pattern, and if not, why.
func (p *Pattern) Explain(event []byte) (Explanation, error) {
	s := NewSet().With(0, p)
	var m Matcher
	ids, err := s.Match(event, &m, nil)
	if err != nil {
		return Explanation{}, err
	}
	if len(ids) > 0 {
		return Explanation{Matched: true, Alternatives: len(p.branches)}, nil
	}
	branches, err := compile(p.text)
	if err != nil {
		return Explanation{}, err
	}
	best, far := Explanation{}, -1
	for _, b := range branches {
		if x, passed := explainOne(s, &m, b); passed > far {
			best, far = x, passed
		}
	}
	best.Alternatives = len(p.branches)
	best.Hint = hint(best, &m, event)
	return best, nil
}

// explainOne explains one alternative, and tells how many of its fields pass.
func explainOne(s *Set, m *Matcher, fields []field) (x Explanation, passed int) {
	written := slices.SortedFunc(slices.Values(fields), func(a, b field) int { return cmp.Compare(a.order, b.order) })
	var failing *field
	for i := range written {
		f := &written[i]
		if m.field(s.number(f.path), f.compiled) != fieldFails {
			passed++
		} else if failing == nil {
			failing = f
		}
	}
	if failing == nil { // each alone passes: find the first that does not with those before
		x.Apart = true
		for i := range written {
			if failing = &written[i]; !m.consistent(programOf(s, written[:i+1])) {
				break
			}
		}
	}
	x.Path, x.Line, x.Column = failing.path, int(failing.at.line), int(failing.at.column)
	for _, t := range failing.tests {
		x.Wanted = append(x.Wanted, render(t.node))
	}
	for v := m.first(s.number(failing.path)); v >= 0 && len(x.Got) < mostGot; v = m.values[v].next {
		x.Got = append(x.Got, m.values[v].show())
	}
	return x, passed
}

// programOf compiles fields for a Set that knows their paths.
func programOf(s *Set, fields []field) string {
	sorted := slices.SortedFunc(slices.Values(fields), func(a, b field) int { return strings.Compare(a.path, b.path) })
	all := make([]numbered, len(sorted))
	for i, f := range sorted {
		all[i] = numbered{s.number(f.path), f.compiled}
	}
	return string(appendProgram(nil, all))
}

// number is the number of a path that a rule of the Set names.
func (s *Set) number(path string) uint32 {
	at := s.root
	for name := range strings.SplitSeq(path, ".") {
		at = at.kid([]byte(name))
	}
	return at.path
}

// show is a value as JSON, shortened if it is long.
func (v *value) show() string {
	text := string(v.text)
	if v.kind == kindText {
		text = quote(text)
	}
	if len(text) > mostShown {
		text = strings.ToValidUTF8(text[:mostShown], "") + "…"
	}
	return text
}

// hint looks for what may be meant where a field does not pass.
func hint(x Explanation, m *Matcher, event []byte) string {
	switch {
	case x.Apart:
		return ""
	case len(x.Got) == 0:
		return hintName(x.Path, event)
	}
	for _, w := range x.Wanted {
		for _, g := range x.Got {
			if h := hintValue(w, g); h != "" {
				return h
			}
		}
	}
	return ""
}

// hintName looks for a name that is like the missing one, or for the object or
// list of objects that stands in its place.
func hintName(path string, event []byte) string {
	var at any
	if json.Unmarshal(event, &at) != nil {
		return ""
	}
	done := ""
	for member := range strings.SplitSeq(path, ".") {
		object, ok := firstOf(at).(map[string]any)
		if !ok {
			return "the event's " + strings.TrimSuffix(done, ".") + " is no object"
		}
		below, ok := object[member]
		if !ok {
			if near := nearest.Of(member, slices.Sorted(maps.Keys(object))); near != "" {
				return "the event has " + quote(done+near) + "; is that meant?"
			}
			return ""
		}
		at, done = below, done+member+"."
	}
	if object, ok := firstOf(at).(map[string]any); ok && len(object) > 0 {
		return "there the event has an object, and tests look at values only: name one of its fields"
	}
	return ""
}

// firstOf is the first element of a list, of lists in lists, too; or the value.
func firstOf(v any) any {
	for list, ok := v.([]any); ok && len(list) > 0; list, ok = v.([]any) {
		v = list[0]
	}
	return v
}

// hintValue compares what is wanted with what is there, both as JSON.
func hintValue(wanted, got string) string {
	var w, g any
	if json.Unmarshal([]byte(wanted), &w) != nil || json.Unmarshal([]byte(got), &g) != nil {
		return ""
	}
	text, isText := g.(string)
	switch w := w.(type) {
	case string:
		if !isText {
			if got == w {
				return "the event has " + got + " without quotation marks, which is no string"
			}
			return ""
		}
		if strings.EqualFold(w, text) {
			return wanted + " and " + got + " differ in case; equals-ignore-case does not look at it"
		}
		if strings.TrimSpace(w) == strings.TrimSpace(text) {
			return wanted + " and " + got + " differ in space"
		}
		if nearest.Of(w, []string{text}) != "" {
			return wanted + " and " + got + " are a slip apart"
		}
	case float64, bool:
		if isText && text == wanted {
			return "the event has " + got + ", which is a string; " + wanted + " is none"
		}
	case map[string]any:
		if _, numeric := w["numeric"]; numeric && isText && jsonwalk.NumberEnd([]byte(text), 0) == len(text) {
			return "the event has " + got + ", which is a string; numeric compares numbers only"
		}
	}
	return ""
}

// How patterns and values are shown to people.

// quote writes a string as JSON does.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return s // no string makes an error
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// render writes a node as compact JSON.
func render(n *node) string {
	switch n.kind {
	case nodeObject:
		parts := make([]string, len(n.members))
		for i, m := range n.members {
			parts[i] = quote(m.name) + ":" + render(m.value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case nodeList:
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = render(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return n.source()
}
