package cron

import (
	"math/bits"
	"time"
)

const secondsPerDay = 24 * 3600

// lastMoment ends every search.
var lastMoment = time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix() + 2*secondsPerDay

// nextCron goes through the zone's segments: what clocks skip lies in none, and
// what they show twice lies in two, of which the first counts.
func (e *Expression) nextCron(after time.Time) (time.Time, bool) {
	for unix := after.Unix() + 1; unix < lastMoment; {
		s := segmentAt(e.zone, unix)
		from := unix + s.offset
		if !e.f.hourly() {
			from = max(from, s.shown)
		}
		end := min(s.end, lastMoment)
		if shown, ok := e.f.next(from, end+s.offset); ok {
			return time.Unix(shown-s.offset, 0).In(e.zone), true
		}
		unix = end
	}
	return time.Time{}, false
}

// next is the first time from from and before to, both as clocks show it, that
// the fields name.
func (f *fields) next(from, to int64) (int64, bool) {
	if from >= to {
		return 0, false
	}
	start := time.Unix(from, 0).UTC()
	year, month, day := start.Year(), int(start.Month()), start.Day()
	second := int(from - midnight(year, month, day))
	for {
		y, ok := f.yearFrom(year)
		if !ok {
			return 0, false
		}
		if y != year {
			year, month, day, second = y, 1, 1, 0
		}
		if found, ok := f.inYear(year, month, day, second); ok {
			return found, found < to
		}
		year, month, day, second = year+1, 1, 1, 0
		if midnight(year, 1, 1) >= to {
			return 0, false
		}
	}
}

// inYear is next within a year, from a second of a day of it.
func (f *fields) inYear(year, month, day, second int) (int64, bool) {
	for ; month <= 12; month, day, second = month+1, 1, 0 {
		if f.months&(1<<month) == 0 {
			continue
		}
		days := f.daysIn(year, month)
		for {
			day = following(days, day, &second)
			if day == 0 {
				break
			}
			if s, ok := f.inDay(second); ok {
				return midnight(year, month, day) + int64(s), true
			}
			day, second = day+1, 0
		}
	}
	return 0, false
}

// following is the first of days from day, 0 when there is none; a day that was
// not asked for begins at midnight.
func following(days uint64, day int, second *int) int {
	if days &= ^uint64(0) << day; days == 0 {
		return 0
	}
	first := bits.TrailingZeros64(days)
	if first != day {
		*second = 0
	}
	return first
}

// daysIn are the days of a month that may have runs.
func (f *fields) daysIn(year, month int) uint64 {
	days := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	all := uint64(1)<<(days+1) - 2
	first := int(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC).Weekday())
	switch {
	case f.dom.open && f.dow.open:
		return all
	case f.dow.open:
		return f.dom.in(days, first) & all
	case f.dom.open:
		return f.dow.in(days, first) & all
	}
	return (f.dom.in(days, first) | f.dow.in(days, first)) & all
}

// inDay is the first second of a day from second that the fields name.
func (f *fields) inDay(second int) (int, bool) {
	h, m, s := second/3600, second/60%60, second%60
	if at, ok := from(f.hours, h); !ok {
		return 0, false
	} else if at != h {
		h, m, s = at, 0, 0
	}
	if at, ok := from(f.seconds, s); ok {
		s = at
	} else {
		m, s = m+1, lowest(f.seconds)
	}
	if at, ok := from(f.minutes, m); ok {
		if at != m {
			m, s = at, lowest(f.seconds)
		}
		return h*3600 + m*60 + s, true
	}
	h, ok := from(f.hours, h+1)
	return h*3600 + lowest(f.minutes)*60 + lowest(f.seconds), ok
}

// from is the lowest number of a set from n.
func from(set uint64, n int) (int, bool) {
	set &= ^uint64(0) << n
	return bits.TrailingZeros64(set), set != 0
}

func lowest(set uint64) int { return bits.TrailingZeros64(set) }

// midnight is when a day begins, in seconds as clocks show them.
func midnight(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()
}
