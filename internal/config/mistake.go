package config

import (
	"fmt"
	"strconv"
	"strings"

	"ottla/internal/nearest"
)

// Mistake is one thing wrong in what a node was started with: where it stands,
// what is wrong and what is wanted, with the line it stands on.
type Mistake struct {
	At   Place
	What string
}

// Error tells the setting, what is wrong with it and where it was set.
func (m *Mistake) Error() string {
	s := m.At.String() + ": " + m.What
	if m.At.text == "" {
		return s
	}
	number := strconv.Itoa(m.At.Line)
	s += fmt.Sprintf("\n  %s | %s", number, m.At.text)
	if m.At.Col > 0 {
		s += fmt.Sprintf("\n  %s | %s^", strings.Repeat(" ", len(number)), strings.Repeat(" ", m.At.Col-1))
	}
	return s
}

// Mistakes are all that was found; start shows them together, so that a file
// is mended in one go.
type Mistakes []*Mistake

// Error is one line for each mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// want says in words what a setting's value must be.
func (d *Def) want(units bool) string {
	w := d.wantType()
	switch {
	case units && d.takesSpan():
		w += ", or a span such as 7d, 12h or 90s"
	case units && d.takesSize():
		w += ", or a size such as 64MiB"
	}
	return w
}

func (d *Def) wantType() string {
	switch d.Type {
	case "boolean":
		return "true or false"
	case "double":
		return "a number" + d.wantRange()
	case "short", "int", "long":
		return "a whole number" + d.wantUnit() + d.wantRange()
	}
	switch {
	case strings.HasPrefix(d.Valid, "[partitionId]"):
		return "* or pairs of partition and broker such as 0:1,1:2"
	case strings.HasPrefix(d.Valid, "[latest"):
		return "latest, earliest or by_duration:P… with an ISO-8601 duration"
	case strings.HasPrefix(d.Valid, "keys "):
		return "pairs of key=regex; " + d.Valid[:strings.IndexByte(d.Valid, ']')+1]
	case strings.HasSuffix(d.Valid, "]"):
		allowed := d.Valid[strings.IndexByte(d.Valid, '[')+1 : len(d.Valid)-1]
		if d.Type == "list" {
			return "a comma-separated list of " + allowed
		}
		return "one of " + allowed
	case d.Type == "list":
		return "a comma-separated list without empty places"
	}
	return "a text that is not empty"
}

// wantUnit names the unit that the setting's name ends in.
func (d *Def) wantUnit() string {
	if u := unitMsOf(d.Name); u > 0 {
		return " of " + unitWords[u]
	}
	if d.takesSize() {
		return " of bytes"
	}
	return ""
}

// wantRange spells out Kafka's text of a range, and the type's own bound where
// a number could miss it.
func (d *Def) wantRange() string {
	if d.Valid == "[1,...,9] or -1" {
		return " from 1 to 9, or -1"
	}
	parts := strings.Split(strings.Trim(d.Valid, "[]"), ",...")
	switch {
	case d.Valid == "":
		if bits := d.wantBits(); bits != "" {
			return "," + bits
		}
		return ""
	case len(parts) == 2 && parts[1] == "":
		if bits := d.wantBits(); bits != "" {
			return ", " + parts[0] + " or more and" + bits
		}
		return ", " + parts[0] + " or more"
	}
	return " from " + parts[0] + " to " + strings.TrimPrefix(parts[1], ",")
}

func (d *Def) wantBits() string {
	switch d.Type {
	case "short":
		return " at most 32767"
	case "int":
		return " at most 2147483647"
	}
	return ""
}

// masked is a value that may be shown.
func (d *Def) masked(value string) string {
	if d.Sensitive {
		return "***"
	}
	return value
}

// given quotes a value for a message, secrets excepted.
func (d *Def) given(value string) string {
	if d.Sensitive {
		return "***"
	}
	return strconv.Quote(value)
}

// Nearest proposes the known name nearest to a mistyped one, "" when none is
// near. A name written with "_" or "-" for ".", or one of a topic given where
// the broker's belongs (retention.ms for log.retention.ms), counts as near.
func Nearest(s Scope, name string) string {
	plain := strings.ToLower(strings.NewReplacer("_", ".", "-", ".").Replace(name))
	if s == ScopeBroker {
		if t := Lookup(ScopeTopic, plain); t != nil && len(t.Synonyms) > 0 {
			return t.Synonyms[0]
		}
	}
	if s == ScopeTopic {
		for _, d := range All(ScopeTopic) {
			if contains(d.Synonyms, plain) {
				return d.Name
			}
		}
	}
	var known []string
	for _, d := range All(s) {
		known = append(known, d.Name)
	}
	return nearest.Of(plain, known)
}
