package pattern

import (
	"fmt"
	"strings"

	"ottla/internal/event/jsonwalk"
)

// Bounds on what comes from outside. Each keeps the work and the memory that one
// pattern or one event can cost small.
const (
	// MaxPatternBytes bounds a pattern's text. EventBridge takes 2,048 characters
	// unless more was granted; doors that stand for it may be stricter.
	MaxPatternBytes = 64 << 10
	// MaxPatternDepth bounds how deep objects and lists of a pattern lie in
	// each other.
	MaxPatternDepth = 64
	// MaxBranches bounds how many alternatives the $or of a pattern have when
	// multiplied out, as EventBridge does.
	MaxBranches = 1000
	// MaxFields bounds the fields of one alternative, as EventBridge does, and
	// MaxFieldsInAll those of all alternatives together.
	MaxFields      = 256
	MaxFieldsInAll = 16_384
	// MaxEventBytes bounds an event's text.
	MaxEventBytes = 64 << 20
	// MaxEventDepth bounds how deep an event is nested.
	MaxEventDepth = jsonwalk.MaxDepth
)

// Error tells what is wrong with a pattern, and where.
type Error struct {
	// Line and Column of the place, from 1; a column is a character.
	Line, Column int
	// Path of the field whose tests are wrong, its names joined by dots; "" for
	// the pattern as a whole.
	Path string
	// Operator is the one that is wrong or unknown, as anything-but or
	// anything-but/prefix; "" when no operator is in question.
	Operator string
	// Problem says what is wrong and what is right.
	Problem string
}

// Error says where and what in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("pattern, ")
	fmt.Fprintf(&b, "line %d, column %d", e.Line, e.Column)
	if e.Path != "" {
		fmt.Fprintf(&b, ", field %q", e.Path)
	}
	if e.Operator != "" {
		fmt.Fprintf(&b, ", operator %q", e.Operator)
	}
	return b.String() + ": " + e.Problem
}

// EventError tells why an event cannot be read: it is no JSON, no object, too
// long or too deep.
type EventError struct {
	Offset  int // in bytes
	Problem string
}

// Error says where and what in one line.
func (e *EventError) Error() string {
	return fmt.Sprintf("event, byte %d: %s", e.Offset, e.Problem)
}
