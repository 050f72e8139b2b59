package cron

import (
	"slices"
	"strconv"
	"strings"
)

// span is what a field may hold.
type span struct {
	name     string
	min, max int
	also     int      // one number more that stands for min; 0 for none
	names    []string // of three letters
	first    int      // the number of the first name
}

// bad is a mistake in the field.
func (s *span) bad(value, reason string) *Error {
	if value != "" {
		value = clipped(value)
	}
	return &Error{Field: s.name, Value: value, Reason: reason}
}

// set reads a field of numbers below 64 into their bits.
func (s *span) set(text string) (uint64, *Error) {
	var out uint64
	err := s.each(text, func(n int) { out |= 1 << n })
	return out, err
}

// each reads a list and gives every number that it holds, some of them more than
// once.
func (s *span) each(text string, add func(int)) *Error {
	for item := range strings.SplitSeq(text, ",") {
		if err := s.item(item, add); err != nil {
			return err
		}
	}
	return nil
}

// item reads *, a number, a range, and a step over any of them. A range may wrap
// (FRI-MON, 22-2); a number with a step goes on to the end of the field.
func (s *span) item(text string, add func(int)) *Error {
	what, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(stepText)
		if err != nil || n < 1 || !digits(stepText) {
			return s.bad(text, "has a step that is not a whole number from 1")
		}
		if n > s.max {
			return s.bad(text, "has a step beyond "+strconv.Itoa(s.max)+", the end of the field")
		}
		step = n
	}
	from, to := s.min, s.max
	if what != "*" {
		first, last, ranged := strings.Cut(what, "-")
		var err *Error
		if from, err = s.number(first); err != nil {
			return err
		}
		switch {
		case ranged:
			if to, err = s.number(last); err != nil {
				return err
			}
		case !stepped:
			to = from
		}
	}
	s.walk(from, to, step, add)
	return nil
}

// walk gives from, from+step and so on up to to, past the field's end where the
// range wraps.
func (s *span) walk(from, to, step int, add func(int)) {
	size := s.max - s.min + 1
	if to < from {
		to += size
	}
	for n := from; n <= to; n += step {
		add(s.min + (n-s.min)%size)
	}
}

// number reads a number or a name.
func (s *span) number(text string) (int, *Error) {
	if text == "" {
		return 0, s.bad("", "something is missing")
	}
	if i := slices.Index(s.names, strings.ToUpper(text)); i >= 0 {
		return s.first + i, nil
	}
	if !digits(text) {
		reason := "is not a number"
		if s.names != nil {
			reason = "is neither a number nor a name like " + s.names[1]
		}
		return 0, s.bad(text, reason)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < s.min || n > s.max && (s.also == 0 || n != s.also) {
		return 0, s.bad(text, "is outside "+strconv.Itoa(s.min)+" to "+strconv.Itoa(max(s.max, s.also)))
	}
	return n, nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
