package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// drawn is an expression in the words of each.
type drawn struct {
	ours, croniter, cronParser string
	dense                      bool // it has many runs
}

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// draw draws an expression of five fields.
func draw(rng *rand.Rand) drawn {
	dense := rng.IntN(4) == 0
	minute, hour := sparse(rng, 0, 59), sparse(rng, 0, 23)
	if dense {
		minute = []string{"*", "*/5", "*/15", "7-50/9", "0,30", "59"}[rng.IntN(6)]
		hour = []string{"*", "*", "*/2", "*/3", "0-4", "1,2,3"}[rng.IntN(6)]
	}
	month, dom := "*", "*"
	if rng.IntN(3) == 0 {
		month = field(rng, 1, 12)
		if n := rng.IntN(12); rng.IntN(3) == 0 {
			month = monthNames[n]
		}
	}
	if rng.IntN(3) == 0 {
		dom = field(rng, 1, 31)
		if rng.IntN(3) == 0 {
			dom = "L"
		}
	}
	d := drawn{dense: dense}
	write := func(dow string) string { return strings.Join([]string{minute, hour, dom, month, dow}, " ") }
	ours, croniter, cronParser := weekDay(rng, dom == "*")
	d.ours, d.croniter, d.cronParser = write(ours), write(croniter), write(cronParser)
	return d
}

// sparse is a field of few numbers.
func sparse(rng *rand.Rand, low, high int) string {
	n := func() int { return low + rng.IntN(high-low+1) }
	switch rng.IntN(4) {
	case 0:
		a, b := n(), n()
		if a != b {
			return fmt.Sprintf("%d,%d", a, b)
		}
	case 1:
		return strconv.Itoa(rng.IntN(4)) // where clocks are moved
	}
	return strconv.Itoa(n())
}

// field is a number, a list, a range, or a step over a range; never all of it.
func field(rng *rand.Rand, low, high int) string {
	from := low + rng.IntN(high-low)
	to := from + 1 + rng.IntN(high-from)
	if from == low && to == high {
		to--
	}
	switch rng.IntN(5) {
	case 0:
		return fmt.Sprintf("%d-%d", from, to)
	case 1:
		return fmt.Sprintf("%d-%d/2", from, to)
	case 2:
		return fmt.Sprintf("%d,%d", from, to)
	case 3:
		return fmt.Sprintf("*/%d", 2+rng.IntN(5))
	}
	return strconv.Itoa(from)
}

// weekDay is the day of the week in three dialects. alone tells that the day of
// the month says nothing; n-th and last days are drawn only then, since the others
// do not take them beside it.
func weekDay(rng *rand.Rand, alone bool) (ours, croniter, cronParser string) {
	day := rng.IntN(7)
	switch kind := rng.IntN(8); {
	case kind < 3:
		return "*", "*", "*"
	case kind == 3:
		f := field(rng, 0, 6)
		return f, f, f
	case kind == 4 && day < 6:
		f := dayNames[day] + "-" + dayNames[day+1]
		return f, f, f
	case kind == 5 && alone:
		f := fmt.Sprintf("%d#%d", day, 1+rng.IntN(5))
		return f, f, f
	case kind == 6 && alone:
		return fmt.Sprintf("%dL", day), fmt.Sprintf("L%d", day), fmt.Sprintf("%dL", day)
	}
	f := dayNames[day]
	return f, f, f
}
