package cron

import (
	"strconv"
	"strings"
	"time"
)

// civil is a time as clocks show it: seconds since 1970-01-01T00:00:00 of the
// same calendar, without a zone; and milliseconds, which only at() has.
type civil struct {
	second int64
	ms     int64
}

// atLayouts are the forms of at(…): AWS's, and ours with milliseconds.
var atLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05.000", "2006-01-02T15:04"}

func (e *Expression) readAt(text string) *Error {
	text = strings.TrimSpace(text)
	for _, layout := range atLayouts {
		t, err := time.Parse(layout, text)
		if err != nil || len(text) != len(layout) {
			continue
		}
		if y := t.Year(); y < firstYear || y > lastYear {
			return &Error{Field: "time", Value: text, Reason: "is outside the years 1970 to 2199"}
		}
		e.at = civil{second: t.Unix(), ms: int64(t.Nanosecond()) / int64(time.Millisecond)}
		return nil
	}
	return &Error{Field: "time", Value: clipped(text), Reason: "is no time like 2026-11-26T09:30:00; its zone is the schedule's"}
}

// once is the moment of an At.
func (e *Expression) once() time.Time {
	return time.Unix(moment(e.zone, e.at.second), e.at.ms*int64(time.Millisecond)).In(e.zone)
}

// mostRate bounds an interval: ten years. It keeps sums of times from
// overflowing.
const mostRate = 10 * 366 * 24 * time.Hour

var rateUnits = map[string]time.Duration{
	"second": time.Second, "seconds": time.Second, "minute": time.Minute, "minutes": time.Minute,
	"hour": time.Hour, "hours": time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

func (e *Expression) readRate(text string, aws bool) *Error {
	parts := strings.Fields(text)
	if len(parts) != 2 {
		return &Error{Field: whole, Reason: "a rate is a number and a unit, as in rate(5 minutes)"}
	}
	n, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || n < 1 {
		return &Error{Field: "value", Value: clipped(parts[0]), Reason: "is not a whole number from 1"}
	}
	unit := rateUnits[parts[1]]
	if unit == 0 || aws && unit < time.Minute {
		units := "seconds, minutes, hours or days"
		if aws {
			units = "minutes, hours or days"
		}
		return &Error{Field: "unit", Value: clipped(parts[1]), Reason: "is not known: it may be " + units}
	}
	if n > int64(mostRate/unit) {
		return &Error{Field: "value", Value: parts[0], Reason: "is more than ten years"}
	}
	e.every = time.Duration(n) * unit
	return nil
}

// nextRate counts in milliseconds, the unit of timers.
func (e *Expression) nextRate(anchor, after time.Time) (time.Time, bool) {
	from, at, every := anchor.UnixMilli(), after.UnixMilli(), e.every.Milliseconds()
	next := from
	if at >= from {
		next = from + ((at-from)/every+1)*every
	}
	t := time.UnixMilli(next).In(e.zone)
	return t, t.Year() <= lastYear
}
