package cron

import (
	"strconv"
	"strings"
)

// The years that there are, which are AWS's.
const (
	firstYear = 1970
	lastYear  = 2199
)

// fields are those of a cron expression.
type fields struct {
	seconds, minutes, hours uint64 // bit n is the number n
	months                  uint64 // bits 1 to 12
	years                   *[lastYear - firstYear + 1]bool
	dom                     monthDays
	dow                     weekDays
}

// hourly tells whether it runs in every hour, so that an hour that comes twice
// is two of them.
func (f *fields) hourly() bool { return f.hours == 1<<24-1 }

// The fields and what they may hold.
var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

	secondsField = span{name: "seconds", min: 0, max: 59}
	minutesField = span{name: "minutes", min: 0, max: 59}
	hoursField   = span{name: "hours", min: 0, max: 23}
	domField     = span{name: "day of month", min: 1, max: 31}
	monthsField  = span{name: "month", min: 1, max: 12, names: monthNames, first: 1}
	yearsField   = span{name: "year", min: firstYear, max: lastYear}
	// Sunday is 1 for AWS; for Unix it is 0, and 7 as well.
	dowAWS  = span{name: "day of week", min: 1, max: 7, names: dayNames, first: 1}
	dowUnix = span{name: "day of week", min: 0, max: 6, also: 7, names: dayNames}
)

// words are the names for whole expressions, of Vixie's cron.
var words = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// unix reads minutes, hours, day of month, month, day of week, and seconds
// before them where there are six.
func (f *fields) unix(text string) *Error {
	if w, ok := words[strings.ToLower(text)]; ok {
		text = w
	}
	parts := strings.Fields(text)
	switch len(parts) {
	case 5:
		f.seconds = 1
	case 6:
		var err *Error
		if f.seconds, err = secondsField.set(parts[0]); err != nil {
			return err
		}
		parts = parts[1:]
	default:
		return &Error{Field: whole, Reason: "it has " + strconv.Itoa(len(parts)) +
			" fields; it takes minutes, hours, day of month, month, day of week, and seconds before them or not"}
	}
	return f.common(parts, dowUnix)
}

// aws reads minutes, hours, day of month, month, day of week, year.
func (f *fields) aws(text string) *Error {
	parts := strings.Fields(text)
	if len(parts) != 6 {
		return &Error{Field: whole, Reason: "it has " + strconv.Itoa(len(parts)) +
			" fields; cron(…) takes minutes, hours, day of month, month, day of week and year (a crontab's five fields go without cron())"}
	}
	f.seconds = 1
	if err := f.common(parts[:5], dowAWS); err != nil {
		return err
	}
	dom, dow := parts[2] == "?", parts[4] == "?"
	if dom == dow {
		reason := "must be ? where the day of the month is not ?"
		if dom {
			reason = "must not be ? where the day of the month is ?"
		}
		return &Error{Field: dowAWS.name, Value: clipped(parts[4]), Reason: reason}
	}
	return f.readYears(parts[5])
}

// common reads the five fields that all forms have.
func (f *fields) common(parts []string, week span) *Error {
	var err *Error
	if f.minutes, err = minutesField.set(parts[0]); err != nil {
		return err
	}
	if f.hours, err = hoursField.set(parts[1]); err != nil {
		return err
	}
	if f.dom, err = readMonthDays(parts[2]); err != nil {
		return err
	}
	if f.months, err = monthsField.set(parts[3]); err != nil {
		return err
	}
	f.dow, err = readWeekDays(parts[4], week)
	return err
}

func (f *fields) readYears(text string) *Error {
	if text == "*" {
		return nil
	}
	var years [lastYear - firstYear + 1]bool
	err := yearsField.each(text, func(y int) { years[y-firstYear] = true })
	f.years = &years
	return err
}

// yearFrom is the first year from y that may have a run, and false when there is
// none.
func (f *fields) yearFrom(y int) (int, bool) {
	y = max(y, firstYear)
	for f.years != nil && y <= lastYear && !f.years[y-firstYear] {
		y++
	}
	return y, y <= lastYear
}
