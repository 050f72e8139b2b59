package cron

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// twin tells whether an expression has a run at a minute, in the plainest way: by
// asking of that minute alone.
type twin struct {
	minute, hour, month func(int) bool
	dom, dow            func(time.Time) bool // nil for a field that says nothing
	everyHour           bool
}

func (w twin) matches(t time.Time) bool {
	if !w.minute(t.Minute()) || !w.hour(t.Hour()) || !w.month(int(t.Month())) {
		return false
	}
	switch {
	case w.dom == nil && w.dow == nil:
		return true
	case w.dow == nil:
		return w.dom(t)
	case w.dom == nil:
		return w.dow(t)
	}
	return w.dom(t) || w.dow(t)
}

// shown tells whether clocks have shown the time of t already.
func shown(t time.Time) bool {
	_, offset := t.Zone()
	if _, before := t.Add(-24 * time.Hour).Zone(); before <= offset {
		return false // the clocks were not put back
	}
	const layout = "2006-01-02T15:04"
	for back := 30 * time.Minute; back <= 24*time.Hour; back += 30 * time.Minute {
		if t.Add(-back).Format(layout) == t.Format(layout) {
			return true
		}
	}
	return false
}

// numbers draws a field and what it means.
func numbers(rng *rand.Rand, low, high int) (string, func(int) bool) {
	pick := func() int { return low + rng.IntN(high-low+1) }
	switch rng.IntN(6) {
	case 0, 1:
		return "*", func(int) bool { return true }
	case 2:
		n := pick()
		return fmt.Sprint(n), func(v int) bool { return v == n }
	case 3:
		a, b := pick(), pick()
		return fmt.Sprintf("%d-%d", a, b), func(v int) bool {
			if a <= b {
				return a <= v && v <= b
			}
			return v >= a || v <= b
		}
	case 4:
		step := 1 + rng.IntN(high-low)
		return fmt.Sprintf("*/%d", step), func(v int) bool { return (v-low)%step == 0 }
	}
	a, b, step := pick(), pick(), 1+rng.IntN(5)
	return fmt.Sprintf("%d,%d/%d", a, b, step), func(v int) bool { return v == a || v >= b && (v-b)%step == 0 }
}

// weekday tells a day from Monday to Friday.
func weekday(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }

// dayOf is a day of t's month.
func dayOf(t time.Time, n int) time.Time {
	return time.Date(t.Year(), t.Month(), n, 12, 0, 0, 0, time.UTC)
}

// nearest looks for the weekday nearest to a day, in the same month, the day
// before going first.
func nearest(t time.Time, n int) int {
	if dayOf(t, n).Month() != t.Month() {
		return 0
	}
	for _, d := range []int{n, n - 1, n + 1, n - 2, n + 2} {
		if c := dayOf(t, d); c.Month() == t.Month() && weekday(c) {
			return d
		}
	}
	return 0
}

func lastDay(t time.Time) int { return dayOf(t, 1).AddDate(0, 1, -1).Day() }

func monthDay(rng *rand.Rand) (string, func(time.Time) bool) {
	n := 1 + rng.IntN(31)
	switch rng.IntN(7) {
	case 0:
		return "L", func(t time.Time) bool { return t.Day() == lastDay(t) }
	case 1:
		back := 1 + rng.IntN(30)
		return fmt.Sprintf("L-%d", back), func(t time.Time) bool { return t.Day() == lastDay(t)-back }
	case 2:
		return fmt.Sprintf("%dW", n), func(t time.Time) bool { return t.Day() == nearest(t, n) }
	case 3:
		return "LW", func(t time.Time) bool {
			d := lastDay(t)
			for !weekday(dayOf(t, d)) {
				d--
			}
			return t.Day() == d
		}
	}
	for {
		if text, is := numbers(rng, 1, 31); text != "*" {
			return text, func(t time.Time) bool { return is(t.Day()) }
		}
	}
}

func weekDay(rng *rand.Rand) (string, func(time.Time) bool) {
	n := rng.IntN(7)
	switch rng.IntN(5) {
	case 0:
		k := 1 + rng.IntN(5)
		return fmt.Sprintf("%d#%d", n, k), func(t time.Time) bool { return int(t.Weekday()) == n && (t.Day()+6)/7 == k }
	case 1:
		return fmt.Sprintf("%sL", dayNames[n]), func(t time.Time) bool { return int(t.Weekday()) == n && t.Day() > lastDay(t)-7 }
	}
	for {
		if text, is := numbers(rng, 0, 6); text != "*" {
			return text, func(t time.Time) bool { return is(int(t.Weekday())) }
		}
	}
}

// draw draws an expression and its twin.
func draw(rng *rand.Rand) (string, twin) {
	var w twin
	var f [5]string
	f[0], w.minute = numbers(rng, 0, 59)
	f[1], w.hour = numbers(rng, 0, 23)
	w.everyHour = true
	for h := range 24 {
		w.everyHour = w.everyHour && w.hour(h)
	}
	f[3], w.month = numbers(rng, 1, 12)
	f[2], f[4] = "*", "*"
	if rng.IntN(2) == 0 {
		f[2], w.dom = monthDay(rng)
	}
	if rng.IntN(2) == 0 {
		f[4], w.dow = weekDay(rng)
	}
	return strings.Join(f[:], " "), w
}

// What the search finds is what going through every minute finds, with the clocks
// moved in between.
func TestTheSearchFindsWhatEveryMinuteTells(t *testing.T) {
	places := []struct{ zone, from string }{
		{"Europe/Berlin", "2026-03-27T00:00:00Z"}, {"Europe/Berlin", "2026-10-23T00:00:00Z"}, {"America/New_York", "2026-10-30T00:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-03T00:00:00Z"}, {"America/Santiago", "2026-09-04T00:00:00Z"}, {"America/Santiago", "2026-04-03T00:00:00Z"},
		{"Asia/Kathmandu", "2028-02-27T00:00:00Z"}, {"Pacific/Apia", "2011-12-28T00:00:00Z"},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		text, w := draw(rng)
		place := places[rng.IntN(len(places))]
		e, z := parsed(t, text, place.zone), zone(t, place.zone)
		from := at(t, place.from).Add(time.Duration(rng.IntN(2*24*60)) * time.Minute)
		until := from.Add(4 * 24 * time.Hour)
		got := from
		for m := from.Add(time.Minute); m.Before(until); m = m.Add(time.Minute) {
			local := m.In(z)
			if !w.matches(local) || !w.everyHour && shown(local) {
				continue
			}
			var ok bool
			if got, ok = e.Next(time.Time{}, got); !ok || !got.Equal(m) {
				t.Fatalf("%s in %s: %v, %t; want %v", text, place.zone, got, ok, local)
			}
		}
		if next, ok := e.Next(time.Time{}, got); ok && next.Before(until) {
			t.Fatalf("%s in %s: %v, where there is no run", text, place.zone, next)
		}
	}
}

func FuzzExpressions(f *testing.F) {
	for _, s := range []string{
		"cron(15 10 ? * 6L 2026-2027)", "*/15 * * * *", "rate(5 minutes)", "at(2026-11-26T09:30:00)", "0 0 LW,L-3,15W * MON#2,5L", "@daily",
		"0 22-1/2 * FEB-JAN sat-mon", "30 2 29 2 *", "cron(", ")", "1-,/3 ? ? ? ?",
	} {
		f.Add(s, int64(1774000000))
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		after := time.Unix(unix%(1<<33), 0)
		e, err := Parse(text, berlin)
		if err != nil {
			var named *Error
			if !asError(err, &named) || err.Error() == "" {
				t.Fatalf("%q: %v is not an *Error", text, err)
			}
			return
		}
		again, err := Parse(e.String(), berlin)
		if err != nil {
			t.Fatalf("%q was read, and not a second time: %v", text, err)
		}
		for range 5 {
			next, ok := e.Next(time.Unix(0, 0), after)
			same, okAgain := again.Next(time.Unix(0, 0), after)
			if ok != okAgain || ok && !same.Equal(next) {
				t.Fatalf("%q after %v: %v and %v", text, after, next, same)
			}
			if !ok {
				return
			}
			if !next.After(after) {
				t.Fatalf("%q after %v: %v", text, after, next)
			}
			after = next
		}
	})
}

func asError(err error, into **Error) bool {
	e, ok := err.(*Error)
	*into = e
	return ok
}
