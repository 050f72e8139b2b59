package timers

import (
	"math"
	"strconv"
	"time"

	"ottla/internal/record"
)

// Headers of a record in a delay line.
const (
	// HeadAt says when: milliseconds since 1970, or RFC 3339.
	HeadAt = "deliver-at"
	// HeadAfter says how long after the record's own time: milliseconds, or a
	// duration like 90s or 1h30m.
	HeadAfter = "deliver-after"
)

// dueOf tells when a record of a line is due, and the headers that it has when it is
// delivered: all but those that say when. A record that says nothing is due at once.
// So is one that says something else; well is false then.
func dueOf(headers []record.RecordHeader, timestampMs int64) (dueMs int64, rest []record.RecordHeader, well bool) {
	dueMs, well = timestampMs, true
	at := false
	for i := range headers {
		h := &headers[i]
		switch h.Key {
		case HeadAt:
			ms, ok := momentOf(string(h.Value))
			if well = well && ok; ok {
				dueMs, at = ms, true
			}
		case HeadAfter:
			ms, ok := spanOf(string(h.Value))
			if well = well && ok; ok && !at {
				dueMs = timestampMs + ms
			}
		default:
			rest = append(rest, *h)
		}
	}
	return dueMs, rest, well
}

// mostMs bounds moments and spans, so that they can be added: the year 9999.
const mostMs = 253402300799999

// momentOf reads a moment.
func momentOf(s string) (ms int64, ok bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, n >= 0 && n <= mostMs
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, false
	}
	// What is due within a millisecond is due at its end.
	ms = t.Add(time.Millisecond - 1).UnixMilli()
	return ms, ms >= 0 && ms <= mostMs
}

// spanOf reads a span of time.
func spanOf(s string) (ms int64, ok bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, n >= 0 && n <= mostMs
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > math.MaxInt64-time.Millisecond {
		return 0, false
	}
	return (d + time.Millisecond - 1).Milliseconds(), true
}
