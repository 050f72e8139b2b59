package lookback

import (
	"cmp"
	"slices"
	"strings"

	"ottla/internal/event/envelope"
)

// The extensions by which events name others.
const (
	causation   = "causationid"
	correlation = "correlationid"
)

// Bounds of links: how many are kept, and of how long texts.
const (
	mostLinks = 10_000
	mostWord  = 256
	mostDepth = 16
)

// links are the events of a look that name others.
type links struct{ all []Caused }

// take keeps an event that names another; false when there is no room.
func (l *links) take(bus string, at place, e *envelope.Event) bool {
	by, cause := causation, e.Extension(causation)
	if cause == "" {
		by, cause = correlation, e.Extension(correlation)
	}
	if cause == "" || cause == e.ID {
		return true
	}
	if len(l.all) == mostLinks || len(cause) > mostID || len(e.ID) > mostID {
		return false
	}
	l.all = append(l.all, Caused{
		ID: strings.Clone(e.ID), Type: word(e.Type), Source: word(e.Source), Bus: bus, Partition: at.partition, Offset: at.offset, PutMs: at.putMs,
		By: by, Cause: strings.Clone(cause),
	})
	return true
}

// word is a text without what may be much of it.
func word(s string) string {
	if len(s) > mostWord {
		s = strings.ToValidUTF8(s[:mostWord], "") + "…"
	}
	return strings.Clone(s)
}

// caused are the events that one caused, and what those caused, each once, behind its
// cause, in the order of time.
func (l *links) caused(id string) []Caused {
	of := map[string][]Caused{}
	for _, c := range l.all {
		of[c.Cause] = append(of[c.Cause], c)
	}
	out, told := []Caused{}, map[string]bool{id: true}
	var tell func(cause string, depth int)
	tell = func(cause string, depth int) {
		next := of[cause]
		slices.SortStableFunc(next, func(a, b Caused) int { return cmp.Compare(a.PutMs, b.PutMs) })
		for _, c := range next {
			key := c.ID + "\x00" + c.Bus
			if told[c.ID] && told[key] || c.ID == id {
				continue
			}
			first := !told[c.ID]
			told[c.ID], told[key] = true, true
			c.Depth = depth
			if out = append(out, c); first && depth < mostDepth {
				tell(c.ID, depth+1)
			}
		}
	}
	tell(id, 1)
	return out
}
