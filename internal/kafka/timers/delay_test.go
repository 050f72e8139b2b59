package timers

import (
	"testing"

	"ottla/internal/record"
)

func TestHeadersSayWhenARecordIsDue(t *testing.T) {
	const at = 1_000_000
	h := func(pairs ...string) (out []record.RecordHeader) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, record.RecordHeader{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return out
	}
	for _, c := range []struct {
		what    string
		headers []record.RecordHeader
		due     int64
		rest    int
		well    bool
	}{
		{"nothing", nil, at, 0, true},
		{"other headers", h("a", "1", "b", "2"), at, 2, true},
		{"milliseconds", h(HeadAt, "1700000000123"), 1_700_000_000_123, 0, true},
		{"a date", h(HeadAt, "2026-01-02T03:04:05Z"), 1_767_323_045_000, 0, true},
		{"a date elsewhere", h(HeadAt, "2026-01-02T04:04:05.25+01:00"), 1_767_323_045_250, 0, true},
		{"less than a millisecond", h(HeadAt, "2026-01-02T03:04:05.0000001Z"), 1_767_323_045_001, 0, true},
		{"a span in milliseconds", h(HeadAfter, "1500"), at + 1500, 0, true},
		{"a span in words", h(HeadAfter, "1h30m"), at + 5_400_000, 0, true},
		{"a span below a millisecond", h(HeadAfter, "10us"), at + 1, 0, true},
		{"both, a date wins", h(HeadAfter, "5", HeadAt, "7", "x", "y"), 7, 1, true},
		{"both, the other way round", h(HeadAt, "7", HeadAfter, "5"), 7, 0, true},
		{"none", h(HeadAfter, ""), at, 0, false},
		{"a word", h(HeadAt, "tomorrow"), at, 0, false},
		{"backwards", h(HeadAfter, "-1s"), at, 0, false},
		{"before 1970", h(HeadAt, "-1"), at, 0, false},
		{"after the year 9999", h(HeadAt, "9223372036854775807"), at, 0, false},
		{"for ever", h(HeadAfter, "9223372036854775807"), at, 0, false},
	} {
		due, rest, well := dueOf(c.headers, at)
		if due != c.due || len(rest) != c.rest || well != c.well {
			t.Errorf("%s: due %d, %d headers, %t; want %d, %d, %t", c.what, due, len(rest), well, c.due, c.rest, c.well)
		}
	}
}

func FuzzDue(f *testing.F) {
	for _, s := range []string{"1", "2026-01-02T03:04:05Z", "1h", "", "-9223372036854775808", "2562047h"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, at, after string) {
		due, rest, _ := dueOf([]record.RecordHeader{{Key: HeadAt, Value: []byte(at)}, {Key: HeadAfter, Value: []byte(after)}, {Key: "x"}}, 5)
		if due < 0 || due > 2*mostMs || len(rest) != 1 {
			t.Errorf("%q, %q: due %d, %d headers", at, after, due, len(rest))
		}
	})
}
