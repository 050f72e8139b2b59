package cron

import (
	"strings"
	"unicode/utf8"
)

// whole stands for a mistake that is no field's.
const whole = ""

// Error tells what is wrong with an expression.
type Error struct {
	Expression string // as it was given, shortened
	Field      string // the field's name, "" for the whole
	Value      string // the part of the field that is meant, "" for all of it
	Reason     string
}

// Error is the mistake in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Expression)
	b.WriteString(": ")
	if e.Field != whole {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	if e.Value != "" {
		b.WriteString(e.Value)
		b.WriteByte(' ')
	}
	b.WriteString(e.Reason)
	return b.String()
}

// mostShown bounds what a message repeats of an expression.
const mostShown = 120

// clipped is a text that a message may repeat.
func clipped(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "�")
	if s == "" {
		return "an empty expression"
	}
	if len(s) <= mostShown {
		return s
	}
	cut := mostShown
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
