package cron

import (
	"strings"
	"time"
)

// mostText bounds an expression; the longest that makes sense, a list of every
// minute, hour and day by itself, is half as long.
const mostText = 1024

// Kind tells what an expression is.
type Kind uint8

// The kinds.
const (
	At   Kind = iota + 1 // once
	Rate                 // so often, from an anchor
	Cron                 // by the clock and the calendar
)

// Expression is when a schedule runs. It never changes and may be used by many
// goroutines.
type Expression struct {
	text  string
	zone  *time.Location
	kind  Kind
	at    civil         // of At
	every time.Duration // of Rate
	f     fields        // of Cron
}

// Parse reads an expression whose fields mean the time of zone (nil is UTC). An
// error is an *Error and names the field.
func Parse(text string, zone *time.Location) (*Expression, error) {
	return parse(text, zone, false)
}

// ParseAWS is Parse for what AWS takes alone: at(…), rate(…) in minutes, hours
// and days, and cron(…).
func ParseAWS(text string, zone *time.Location) (*Expression, error) {
	return parse(text, zone, true)
}

func parse(text string, zone *time.Location, aws bool) (*Expression, error) {
	if zone == nil {
		zone = time.UTC
	}
	e := &Expression{text: strings.TrimSpace(text), zone: zone}
	if err := e.read(aws); err != nil {
		err.Expression = clipped(text)
		return nil, err
	}
	return e, nil
}

// read tells the forms apart.
func (e *Expression) read(aws bool) *Error {
	if len(e.text) > mostText {
		return &Error{Field: whole, Reason: "it is longer than 1024 characters"}
	}
	name, rest, call := strings.Cut(e.text, "(")
	if !call {
		if aws {
			return &Error{Field: whole, Reason: "it must be at(…), rate(…) or cron(…)"}
		}
		e.kind = Cron
		return e.f.unix(e.text)
	}
	inside, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return &Error{Field: whole, Reason: "it does not end with )"}
	}
	switch name {
	case "at":
		e.kind = At
		return e.readAt(inside)
	case "rate":
		e.kind = Rate
		return e.readRate(inside, aws)
	case "cron":
		e.kind = Cron
		return e.f.aws(inside)
	}
	return &Error{Field: whole, Value: name, Reason: "it must be at(…), rate(…), cron(…), or five fields as in a crontab"}
}

// String is the expression as it was written.
func (e *Expression) String() string { return e.text }

// Kind tells what it is.
func (e *Expression) Kind() Kind { return e.kind }

// Zone is the zone that its fields mean.
func (e *Expression) Zone() *time.Location { return e.zone }

// Every is the interval of a Rate, and 0 of others.
func (e *Expression) Every() time.Duration { return e.every }

// Next is the first run after a moment, in the expression's zone, and false when
// there is none any more. Runs of a Rate are at anchor and every interval after
// it; others do not look at anchor.
func (e *Expression) Next(anchor, after time.Time) (time.Time, bool) {
	switch e.kind {
	case At:
		t := e.once()
		return t, t.After(after)
	case Rate:
		return e.nextRate(anchor, after)
	}
	return e.nextCron(after)
}

// Runs are the next runs after a moment, at most n.
func (e *Expression) Runs(anchor, after time.Time, n int) []time.Time {
	var out []time.Time
	for len(out) < n {
		t, ok := e.Next(anchor, after)
		if !ok {
			break
		}
		out = append(out, t)
		after = t
	}
	return out
}
