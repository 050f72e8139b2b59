package inspect

import (
	"fmt"
	"strings"
)

// Field is one named value of a Line. Values are numbers, booleans, strings,
// nil and lists of strings, so that they have a JSON form.
type Field struct {
	Name  string
	Value any
}

// Line is one thing that a file holds.
type Line struct {
	File string
	Kind string // batch, record, offset, time, aborted, producer, epoch, checkpoint, log, gap, topic, bad, …
	// Byte is where it begins in the file, -1 in text files.
	Byte   int64
	Fields []Field
}

// Bad is the kind of a line that tells why reading a file ended.
const Bad = "bad"

// Text is the line for people: the kind, then name=value.
func (l *Line) Text() string {
	var b strings.Builder
	b.WriteString(l.Kind)
	if l.Byte >= 0 {
		fmt.Fprintf(&b, " byte=%d", l.Byte)
	}
	for _, f := range l.Fields {
		b.WriteByte(' ')
		b.WriteString(f.Name)
		b.WriteByte('=')
		b.WriteString(valueText(f.Value))
	}
	return b.String()
}

// valueText quotes what would not read as one word.
func valueText(v any) string {
	if v == nil {
		return "null"
	}
	s := fmt.Sprint(v)
	if _, text := v.(string); text && (s == "" || strings.ContainsFunc(s, unsafe)) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func unsafe(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r >= 0x7f }
