package letter

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Filter chooses letters: all of its conditions must hold, and without any they
// do. It may be used from any goroutine.
type Filter []condition

// condition holds of some letters.
type condition func(s *seen) bool

// seen is a letter that is judged.
type seen struct {
	*Letter
	now  time.Time
	body body
}

// operators of conditions, longer ones before those that they begin with.
var operators = []string{"!=", ">=", "<=", "=", ">", "<", "~"}

// Parse reads conditions:
//
//	reason=PART   a part of the reason          key=TEXT   the whole key
//	attempts>3    deliveries                    age>1h     since it was given up; older=1h, newer=1h too
//	topic=NAME    where it came from            group=NAME who gave it up
//	partition=N   offset>=N   of the record     id=TEXT    of a queue's message
//	header.NAME=TEXT   body.PATH=VALUE          a field inside a JSON body, as in body.items.0.price>9.5
//	body=TEXT     the whole body                ~ in place of = wants a part, != the opposite
func Parse(conditions []string) (Filter, error) {
	var f Filter
	for _, text := range conditions {
		c, err := parse(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		f = append(f, c)
	}
	return f, nil
}

func parse(text string) (condition, error) {
	at, op := len(text), ""
	for _, o := range operators {
		if i := strings.Index(text, o); i >= 0 && i < at {
			at, op = i, o
		}
	}
	if op == "" || at == 0 {
		return nil, fmt.Errorf("%q is no condition: write NAME=VALUE, as in reason=rejected or body.customer=7", text)
	}
	name, want := strings.TrimSpace(text[:at]), strings.TrimSpace(text[at+len(op):])
	switch name {
	case "older", "newer", "age":
		return timed(text, name, op, want)
	case "partition", "offset", "attempts", "deliveries":
		return numbered(text, name, op, want)
	}
	return worded(text, name, op, want)
}

// ordered judges a number or a time; ~ is of texts.
func ordered[T cmp.Ordered](op string, got, want T) bool {
	switch op {
	case "=":
		return got == want
	case "!=":
		return got != want
	case ">":
		return got > want
	case ">=":
		return got >= want
	case "<":
		return got < want
	case "<=":
		return got <= want
	}
	return false
}

// timed is a condition of when the record was given up.
func timed(text, name, op, want string) (condition, error) {
	d, err := Duration(want)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	switch {
	case name == "age" && op != "~":
		return func(s *seen) bool { return ordered(op, s.now.Sub(s.Time), d) }, nil
	case name == "older" && op == "=":
		return func(s *seen) bool { return s.now.Sub(s.Time) >= d }, nil
	case name == "newer" && op == "=":
		return func(s *seen) bool { return s.now.Sub(s.Time) < d }, nil
	}
	return nil, fmt.Errorf("%q: write older=1h, newer=1h or age>1h", text)
}

// Duration reads a time with its unit, days too: 90s, 1h30m, 7d.
func Duration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time: it takes a number with its unit, as in 90s, 1h or 7d", text)
	}
	return d, nil
}

// numbered is a condition of a number that the letter says; unknown is none.
func numbered(text, name, op, want string) (condition, error) {
	n, err := strconv.ParseInt(want, 10, 64)
	if err != nil || n < 0 || op == "~" {
		return nil, fmt.Errorf("%q: %s is a number from 0 on", text, name)
	}
	return func(s *seen) bool {
		got := s.Deliveries
		switch name {
		case "partition":
			got = int64(s.OriginPartition)
		case "offset":
			got = s.OriginOffset
		}
		return got >= 0 && ordered(op, got, n) || got < 0 && op == "!="
	}, nil
}

// worded is a condition of a text; ok of a getter is false of what is unknown.
func worded(text, name, op, want string) (condition, error) {
	get, err := getter(text, name)
	if err != nil {
		return nil, err
	}
	if name == "reason" { // people know a part of it
		switch op {
		case "=":
			op = "~"
		case "!=":
			return func(s *seen) bool { return !strings.Contains(s.Reason, want) }, nil
		}
	}
	return func(s *seen) bool {
		got, ok := get(s)
		if !ok {
			return op == "!="
		}
		return judge(op, got, want)
	}, nil
}

func getter(text, name string) (func(*seen) (string, bool), error) {
	if header, ok := strings.CutPrefix(name, "header."); ok && header != "" {
		return func(s *seen) (string, bool) { return s.header(header) }, nil
	}
	if path, ok := strings.CutPrefix(name, "body."); ok && path != "" {
		parts := strings.Split(path, ".")
		return func(s *seen) (string, bool) { return s.body.at(s.Value, parts) }, nil
	}
	known := func(of func(*seen) string) (func(*seen) (string, bool), error) {
		return func(s *seen) (string, bool) { t := of(s); return t, t != "" }, nil
	}
	switch name {
	case "key":
		return func(s *seen) (string, bool) { return string(s.Key), s.Key != nil }, nil
	case "body":
		return func(s *seen) (string, bool) { return string(s.Value), s.Value != nil }, nil
	case "reason":
		return known(func(s *seen) string { return s.Reason })
	case "topic", "queue":
		return known(func(s *seen) string { return s.OriginTopic })
	case "group":
		return known(func(s *seen) string { return s.Group })
	case "id":
		return known(func(s *seen) string { return s.ID })
	}
	return nil, fmt.Errorf("%q: letters are chosen by reason, attempts, age, older, newer, key, topic, partition, offset, group, id, header.NAME, body and body.PATH", text)
}

// judge compares texts; those that are both numbers as such.
func judge(op, got, want string) bool {
	if op == "~" {
		return strings.Contains(got, want)
	}
	a, err1 := strconv.ParseInt(got, 10, 64)
	b, err2 := strconv.ParseInt(want, 10, 64)
	if err1 == nil && err2 == nil {
		return ordered(op, a, b)
	}
	x, err1 := strconv.ParseFloat(got, 64)
	y, err2 := strconv.ParseFloat(want, 64)
	if err1 == nil && err2 == nil && x == x && y == y {
		return ordered(op, x, y)
	}
	return (op == "=" || op == "!=") && ordered(op, got, want)
}

func (l *Letter) header(name string) (string, bool) {
	for _, h := range l.Headers {
		if h.Key == name {
			return string(h.Value), true
		}
	}
	return "", false
}

// OfGroup is the filter of the letters of a group.
func OfGroup(name string) Filter {
	return Filter{func(s *seen) bool { return s.Group == name }}
}

// Takes tells whether all conditions hold.
func (f Filter) Takes(l *Letter, now time.Time) bool {
	s := &seen{Letter: l, now: now}
	for _, c := range f {
		if !c(s) {
			return false
		}
	}
	return true
}
