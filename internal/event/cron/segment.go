package cron

import (
	"math"
	"time"
)

// segment is a span of time in which a zone's clocks are not moved. Within it
// what clocks show grows with time.
type segment struct {
	offset int64 // seconds that clocks are ahead of UTC
	end    int64 // Unix time of its end, math.MaxInt64 when it has none
	// shown is what clocks had shown when it began: what lies before has been
	// there already.
	shown int64
}

// segmentAt is the segment of a zone that a Unix time lies in.
func segmentAt(zone *time.Location, unix int64) segment {
	t := time.Unix(unix, 0).In(zone)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	s := segment{offset: int64(offset), end: math.MaxInt64, shown: math.MinInt64}
	if !end.IsZero() {
		s.end = end.Unix()
	}
	if s.end <= unix {
		// The library takes every year of a zone's rule for 365 days, so that
		// the last day of a leap year lies behind its end. No clocks are moved then.
		s.end = (unix/secondsPerDay + 1) * secondsPerDay
	}
	if !start.IsZero() {
		_, before := start.Add(-time.Second).Zone()
		s.shown = start.Unix() + int64(before)
	}
	return s
}

// moment is the Unix time at which clocks first show so many seconds, and when
// they skip that, the time at which they are moved.
func moment(zone *time.Location, shown int64) int64 {
	// No zone is a day and a half from UTC, so the time lies in the segment of
	// the earliest moment that it can be, or in the next ones.
	const most = 36 * 3600
	unix := shown - most
	for {
		s := segmentAt(zone, unix)
		at := max(shown-s.offset, unix)
		if at < s.end {
			return at
		}
		unix = s.end
	}
}
