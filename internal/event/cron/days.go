package cron

import (
	"strconv"
	"strings"
)

// monthDays is the field for days of the month.
type monthDays struct {
	open bool   // it says nothing
	set  uint64 // bits 1 to 31
	// fromEnd has a bit n for L-n, the day n days before the last.
	fromEnd uint64
	// nearest has a bit n for nW, the weekday nearest to day n, and bit 0 for LW,
	// the last weekday.
	nearest uint64
}

// readMonthDays reads the field.
func readMonthDays(text string) (monthDays, *Error) {
	var d monthDays
	if text == "*" || text == "?" {
		d.open = true
		return d, nil
	}
	for item := range strings.SplitSeq(strings.ToUpper(text), ",") {
		if err := d.read(item); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (d *monthDays) read(item string) *Error {
	switch {
	case item == "L":
		d.fromEnd |= 1
	case item == "LW" || item == "WL":
		d.nearest |= 1
	case strings.HasPrefix(item, "L-"):
		n, err := strconv.Atoi(item[2:])
		if err != nil || n < 1 || n > 30 || !digits(item[2:]) {
			return domField.bad(item, "must be L-1 to L-30")
		}
		d.fromEnd |= 1 << n
	case strings.HasSuffix(item, "W"):
		n, err := domField.number(strings.TrimSuffix(item, "W"))
		if err != nil {
			return domField.bad(item, "must be 1W to 31W, or LW")
		}
		d.nearest |= 1 << n
	default:
		return domField.item(item, func(n int) { d.set |= 1 << n })
	}
	return nil
}

// in is the days of a month of so many days that begins on a day of the week
// (0 is Sunday).
func (d *monthDays) in(days, first int) uint64 {
	out := d.set
	for n := range 31 {
		if d.fromEnd&(1<<n) != 0 && days-n >= 1 {
			out |= 1 << (days - n)
		}
	}
	if d.nearest&1 != 0 {
		out |= 1 << nearestWeekday(days, days, first)
	}
	for n := 1; n <= days; n++ {
		if d.nearest&(1<<n) != 0 {
			out |= 1 << nearestWeekday(n, days, first)
		}
	}
	return out
}

// nearestWeekday is the day from Monday to Friday of the month that is nearest
// to day n; it leaves the month for none.
func nearestWeekday(n, days, first int) int {
	switch (first + n - 1) % 7 {
	case 6: // Saturday
		if n == 1 {
			return 3
		}
		return n - 1
	case 0: // Sunday
		if n == days {
			return n - 2
		}
		return n + 1
	}
	return n
}

// weekDays is the field for days of the week; 0 is Sunday.
type weekDays struct {
	open bool
	set  uint64
	last uint64    // bit n for nL, the last such day of the month
	nth  [6]uint64 // bit n of nth[k] for n#k, the k-th such day
}

// readWeekDays reads the field, whose numbers begin with week.min on Sunday.
func readWeekDays(text string, week span) (weekDays, *Error) {
	var d weekDays
	if text == "*" || text == "?" {
		d.open = true
		return d, nil
	}
	for item := range strings.SplitSeq(strings.ToUpper(text), ",") {
		if err := d.read(item, week); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (d *weekDays) read(item string, week span) *Error {
	bit := func(n int) uint64 { return 1 << ((n - week.min) % 7) }
	day, nth, hash := strings.Cut(item, "#")
	switch {
	case hash:
		n, err := week.number(day)
		if err != nil {
			return err
		}
		if len(nth) != 1 || nth[0] < '1' || nth[0] > '5' {
			return week.bad(item, "must end with #1 to #5")
		}
		d.nth[nth[0]-'0'] |= bit(n)
	case item == "L": // the week's last day
		d.set |= 1 << 6
	case strings.HasSuffix(item, "L"):
		n, err := week.number(strings.TrimSuffix(item, "L"))
		if err != nil {
			return err
		}
		d.last |= bit(n)
	default:
		return week.item(item, func(n int) { d.set |= bit(n) })
	}
	return nil
}

// in is the days of a month, as monthDays.in.
func (d *weekDays) in(days, first int) uint64 {
	var out uint64
	for n := 1; n <= days; n++ {
		bit := uint64(1) << ((first + n - 1) % 7)
		if d.set&bit != 0 || d.nth[(n+6)/7]&bit != 0 || d.last&bit != 0 && n+7 > days {
			out |= 1 << n
		}
	}
	return out
}
