package cron

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func parsed(t testing.TB, text, in string) *Expression {
	t.Helper()
	e, err := Parse(text, zone(t, in))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// runs writes the next runs after a moment, as clocks of the zone show them.
func runs(e *Expression, anchor, after time.Time, n int) string {
	var out []string
	for _, r := range e.Runs(anchor, after, n) {
		out = append(out, r.Format("2006-01-02T15:04:05-07:00"))
	}
	return strings.Join(out, " ")
}

func TestNextRuns(t *testing.T) {
	for _, c := range []struct{ text, after, want string }{
		// EventBridge.
		{"cron(15 12 * * ? *)", "2026-11-26T12:15:00Z", "2026-11-27T12:15:00+00:00 2026-11-28T12:15:00+00:00"},
		{"cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00:00Z", "2026-11-30T18:00:00+00:00"},
		{"cron(0 8 1 * ? *)", "2026-11-26T00:00:00Z", "2026-12-01T08:00:00+00:00"},
		{"cron(0/10 * ? * 2-6 *)", "2026-11-27T23:55:00Z", "2026-11-30T00:00:00+00:00"},
		{"cron(0/30 20-2 ? * MON-FRI *)", "2026-11-26T23:30:00Z", "2026-11-27T00:00:00+00:00"},
		{"cron(15 10 ? * 6L 2026-2027)", "2026-11-01T00:00:00Z", "2026-11-27T10:15:00+00:00 2026-12-25T10:15:00+00:00 2027-01-29T10:15:00+00:00"},
		{"cron(0 9 ? * 2#1 *)", "2026-11-26T00:00:00Z", "2026-12-07T09:00:00+00:00"},
		{"cron(0 9 ? * MON#1,MON#3 *)", "2026-11-26T00:00:00Z", "2026-12-07T09:00:00+00:00 2026-12-21T09:00:00+00:00"},
		{"cron(0 0 L * ? *)", "2028-01-31T00:00:00Z", "2028-02-29T00:00:00+00:00 2028-03-31T00:00:00+00:00"},
		{"cron(0 0 L-2 * ? *)", "2027-02-01T00:00:00Z", "2027-02-26T00:00:00+00:00"},
		{"cron(0 0 LW * ? *)", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00+00:00 2026-06-30T00:00:00+00:00"},
		{"cron(0 0 1W * ? *)", "2026-07-02T00:00:00Z", "2026-08-03T00:00:00+00:00 2026-09-01T00:00:00+00:00"},
		{"cron(0 0 15W * ? *)", "2026-08-01T00:00:00Z", "2026-08-14T00:00:00+00:00"},
		{"cron(0 0 31W 5 ? *)", "2026-01-01T00:00:00Z", "2026-05-29T00:00:00+00:00"},
		{"cron(0 0 31W * ? *)", "2026-02-01T00:00:00Z", "2026-03-31T00:00:00+00:00 2026-05-29T00:00:00+00:00"},
		{"cron(0 0 29 2 ? 2027-2033)", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00+00:00 2032-02-29T00:00:00+00:00"},
		{"cron(0 0 1 1 ? 2199)", "2026-01-01T00:00:00Z", "2199-01-01T00:00:00+00:00"},
		{"cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00Z", ""},
		{"cron(0 0 ? * L *)", "2026-11-26T00:00:00Z", "2026-11-28T00:00:00+00:00"},
		// Unix.
		{"*/15 * * * *", "2026-11-26T10:14:59Z", "2026-11-26T10:15:00+00:00 2026-11-26T10:30:00+00:00"},
		{"5/20 8 * * *", "2026-11-26T08:05:00Z", "2026-11-26T08:25:00+00:00 2026-11-26T08:45:00+00:00 2026-11-27T08:05:00+00:00"},
		{"0 0 13 * FRI", "2026-11-01T00:00:00Z", "2026-11-06T00:00:00+00:00 2026-11-13T00:00:00+00:00 2026-11-20T00:00:00+00:00"},
		{"0 0 ? * 7", "2026-11-26T00:00:00Z", "2026-11-29T00:00:00+00:00"},
		{"0 0 * * 5-7", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00+00:00 2026-11-28T00:00:00+00:00 2026-11-29T00:00:00+00:00 2026-12-04T00:00:00+00:00"},
		{"0 0 * * sat-mon", "2026-11-25T00:00:00Z", "2026-11-28T00:00:00+00:00 2026-11-29T00:00:00+00:00 2026-11-30T00:00:00+00:00 2026-12-05T00:00:00+00:00"},
		{"0 22-1 * * *", "2026-11-26T22:00:00Z", "2026-11-26T23:00:00+00:00 2026-11-27T00:00:00+00:00 2026-11-27T01:00:00+00:00 2026-11-27T22:00:00+00:00"},
		{"*/20 59 23 31 12 *", "2026-11-26T00:00:00Z", "2026-12-31T23:59:00+00:00 2026-12-31T23:59:20+00:00 2026-12-31T23:59:40+00:00 2027-12-31T23:59:00+00:00"},
		{"30 0 0 1 JAN *", "2026-01-01T00:00:29Z", "2026-01-01T00:00:30+00:00 2027-01-01T00:00:30+00:00"},
		{"@hourly", "2026-11-26T23:30:00Z", "2026-11-27T00:00:00+00:00"},
		{"@weekly", "2026-11-26T23:30:00Z", "2026-11-29T00:00:00+00:00"},
		{"@Yearly", "2026-11-26T23:30:00Z", "2027-01-01T00:00:00+00:00"},
		{"0 0 31 2 *", "2026-11-26T23:30:00Z", ""},
		{"0 12 * * *", "1812-01-01T00:00:00Z", "1970-01-01T12:00:00+00:00"},
		// Once.
		{"at(2026-11-26T09:30:00)", "2026-11-26T09:29:59Z", "2026-11-26T09:30:00+00:00"},
		{"at(2026-11-26T09:30:00)", "2026-11-26T09:30:00Z", ""},
		{"at(2026-11-26T09:30)", "2026-11-26T09:00:00Z", "2026-11-26T09:30:00+00:00"},
	} {
		e := parsed(t, c.text, "UTC")
		n := max(len(strings.Fields(c.want)), 1)
		if got := runs(e, time.Time{}, at(t, c.after), n); got != c.want {
			t.Errorf("%s after %s:\n got %s\nwant %s", c.text, c.after, got, c.want)
		}
	}
}

// The rules of doc.go, in zones that move their clocks by an hour, by half an
// hour, at midnight, and by a whole day.
func TestWhereClocksAreMoved(t *testing.T) {
	for _, c := range []struct{ name, text, zone, after, want string }{
		{"a skipped time has no run", "30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T02:30:00+01:00 2026-03-30T02:30:00+02:00"},
		{"one behind the gap has", "0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00"},
		{"a time that comes twice runs at the first", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
		{"and not at the second when the first is over", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T02:30:00+01:00"},
		{"what runs in every hour runs in both", "30 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00 2026-10-25T03:30:00+01:00"},
		{"what runs in every hour has no gap but the clocks'", "30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00+01:00 2026-03-29T03:30:00+02:00"},
		{"a step over hours runs once", "0 */2 * * *", "Europe/Berlin", "2026-10-24T22:30:00Z", "2026-10-25T02:00:00+02:00 2026-10-25T04:00:00+01:00"},
		{"America falls back", "cron(30 1 * * ? *)", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00"},
		{"America springs forward", "cron(30 2 * * ? *)", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T02:30:00-04:00"},
		{"half an hour comes twice", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "2026-04-05T01:45:00+11:00 2026-04-06T01:45:00+10:30"},
		{"half an hour is skipped", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-05T02:15:00+11:00"},
		{"midnight is skipped", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-07T00:00:00-03:00"},
		{"the day goes back", "30 23 * * *", "America/Santiago", "2026-04-04T12:00:00Z", "2026-04-04T23:30:00-03:00 2026-04-05T23:30:00-04:00"},
		{"a whole day is skipped", "0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-29T12:00:00-10:00 2011-12-31T12:00:00+14:00"},
		{"at() of a skipped time runs when the clocks are moved", "at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-03-29T03:00:00+02:00"},
		{"at() of a time that comes twice runs at the first", "at(2026-10-25T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-10-25T02:30:00+02:00"},
	} {
		e := parsed(t, c.text, c.zone)
		if got := runs(e, time.Time{}, at(t, c.after), len(strings.Fields(c.want))); got != c.want {
			t.Errorf("%s: %s in %s after %s:\n got %s\nwant %s", c.name, c.text, c.zone, c.after, got, c.want)
		}
	}
}

func TestRatesCountElapsedTimeFromTheirAnchor(t *testing.T) {
	anchor := at(t, "2026-03-28T12:00:00.250Z")
	for _, c := range []struct{ text, zone, after, want string }{
		{"rate(1 day)", "Europe/Berlin", "2026-03-01T00:00:00Z", "2026-03-28T13:00:00.250+01:00"},
		{"rate(1 day)", "Europe/Berlin", "2026-03-28T12:00:00.250Z", "2026-03-29T14:00:00.250+02:00"},
		{"rate(5 minutes)", "UTC", "2026-03-28T12:04:59Z", "2026-03-28T12:05:00.250Z"},
		{"rate(5 minutes)", "UTC", "2026-03-28T12:05:00.250Z", "2026-03-28T12:10:00.250Z"},
		{"rate(10 seconds)", "UTC", "2026-03-28T12:00:00.251Z", "2026-03-28T12:00:10.250Z"},
		{"rate(3 hours)", "UTC", "2026-03-28T12:00:00.249Z", "2026-03-28T12:00:00.250Z"},
	} {
		e := parsed(t, c.text, c.zone)
		got, ok := e.Next(anchor, at(t, c.after))
		if s := got.Format("2006-01-02T15:04:05.000Z07:00"); !ok || s != c.want {
			t.Errorf("%s after %s: %s, %t; want %s", c.text, c.after, s, ok, c.want)
		}
	}
	if e := parsed(t, "rate(2 hours)", "UTC"); e.Every() != 2*time.Hour || e.Kind() != Rate || e.String() != "rate(2 hours)" || e.Zone() != time.UTC {
		t.Errorf("got %v, %v, %q, %v", e.Every(), e.Kind(), e.String(), e.Zone())
	}
}

func TestMillisecondsOfAtAreKept(t *testing.T) {
	e := parsed(t, "at(2026-11-26T09:30:00.250)", "UTC")
	if got, ok := e.Next(time.Time{}, at(t, "2026-11-26T09:30:00.249Z")); !ok || !got.Equal(at(t, "2026-11-26T09:30:00.250Z")) {
		t.Errorf("got %v, %t", got, ok)
	}
}

func TestMistakesNameTheField(t *testing.T) {
	long := strings.Repeat("1,", 600) + "1 * * * *"
	for _, c := range []struct{ text, field, part string }{
		{"", "", "0 fields"},
		{"* * * *", "", "4 fields"},
		{"* * * * * * *", "", "7 fields"},
		{long, "", "longer"},
		{"cron(0 9 * * ?)", "", "five fields go without cron()"},
		{"cron(0 9 * * ? *", "", "does not end with )"},
		{"corn(0 9 * * ? *)", "", "corn"},
		{"60 * * * *", "minutes", "60 is outside 0 to 59"},
		{"* 24 * * *", "hours", "24 is outside 0 to 23"},
		{"* * 0 * *", "day of month", "0 is outside 1 to 31"},
		{"* * 32W * *", "day of month", "32W"},
		{"* * W * *", "day of month", "W must be"},
		{"* * L-31 * *", "day of month", "L-31"},
		{"* * L-0 * *", "day of month", "L-0"},
		{"* * * 13 *", "month", "13 is outside 1 to 12"},
		{"* * * FOO *", "month", "FOO is neither a number nor a name like FEB"},
		{"* * * * 8", "day of week", "8 is outside 0 to 7"},
		{"* * * * MON#6", "day of week", "MON#6"},
		{"* * * * #1", "day of week", "something is missing"},
		{"* * * * 9L", "day of week", "9"},
		{"61 * * * * *", "seconds", "61 is outside 0 to 59"},
		{"*/0 * * * *", "minutes", "*/0 has a step"},
		{"*/61 * * * *", "minutes", "beyond 59"},
		{"*/+5 * * * *", "minutes", "has a step"},
		{"1,,2 * * * *", "minutes", "something is missing"},
		{"1- * * * *", "minutes", "something is missing"},
		{"1-70 * * * *", "minutes", "70 is outside"},
		{"x * * * *", "minutes", "x is not a number"},
		{"? * * * *", "minutes", "? is not a number"},
		{"99999999999999999999 * * * *", "minutes", "outside"},
		{"cron(0 9 * * * *)", "day of week", "must be ? where"},
		{"cron(0 9 ? * ? *)", "day of week", "must not be ?"},
		{"cron(0 9 * * 0 *)", "day of week", "outside 1 to 7"},
		{"cron(0 9 * * ? 1969)", "year", "1969 is outside 1970 to 2199"},
		{"rate(5)", "", "a number and a unit"},
		{"rate(0 minutes)", "value", "0"},
		{"rate(-1 minutes)", "value", "-1"},
		{"rate(1.5 hours)", "value", "1.5"},
		{"rate(5 weeks)", "unit", "weeks"},
		{"rate(4000 days)", "value", "ten years"},
		{"at(2026-11-26)", "time", "2026-11-26 is no time like"},
		{"at(2026-11-26T09:30:00Z)", "time", "its zone is the schedule's"},
		{"at(2026-02-30T09:30:00)", "time", "no time"},
		{"at(1900-01-01T00:00:00)", "time", "outside the years"},
	} {
		_, err := Parse(c.text, nil)
		var e *Error
		if !errors.As(err, &e) || e.Field != c.field || !strings.Contains(e.Error(), c.part) {
			t.Errorf("%.40q: %v, want field %q and %q", c.text, err, c.field, c.part)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%.40q: a message of %d bytes", c.text, len(err.Error()))
		}
	}
}

func TestAWSTakesItsOwnFormsAlone(t *testing.T) {
	for text, good := range map[string]bool{
		"at(2026-11-26T09:30:00)": true, "rate(1 minute)": true, "rate(2 days)": true, "cron(0 9 * * ? *)": true,
		"rate(30 seconds)": false, "0 9 * * *": false, "@daily": false,
	} {
		if _, err := ParseAWS(text, nil); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An expression that never runs, and one that runs once in two centuries, cost a
// bounded number of steps: the loops end, or this test does not.
func TestASearchEnds(t *testing.T) {
	for _, text := range []string{"0 0 31 2 *", "0 0 30 2 ?", "cron(0 0 29 2 ? 2101)", "0 0 31 9 ?"} {
		e := parsed(t, text, "America/New_York")
		if r, ok := e.Next(time.Time{}, at(t, "1970-01-01T00:00:00Z")); ok {
			t.Errorf("%s runs at %v", text, r)
		}
	}
}

// The library's own bounds of a zone end a day early in leap years.
func TestTheLastDayOfALeapYearHasItsRuns(t *testing.T) {
	e := parsed(t, "0 */6 31 12 *", "America/New_York")
	want := "2040-12-31T00:00:00-05:00 2040-12-31T06:00:00-05:00 2040-12-31T12:00:00-05:00 2040-12-31T18:00:00-05:00 2041-12-31T00:00:00-05:00"
	if got := runs(e, time.Time{}, at(t, "2040-06-01T00:00:00Z"), 5); got != want {
		t.Errorf("got %s", got)
	}
}

func TestRunsAreNoMoreThanThereAre(t *testing.T) {
	e := parsed(t, "cron(0 0 1 1 ? 2026-2028)", "UTC")
	if got := e.Runs(time.Time{}, at(t, "2026-06-01T00:00:00Z"), 10); len(got) != 2 {
		t.Errorf("%d runs: %v", len(got), got)
	}
}
