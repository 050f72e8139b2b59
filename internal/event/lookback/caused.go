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

// links are the events of a look that name others: those that the event sought is known
// to have caused, and others, which may turn out to be, as long as there is room.
type links struct {
	root         string
	known        map[string]bool // ids of all in caused
	sure, others []Caused
}

func newLinks(root string) links { return links{root: root, known: map[string]bool{root: true}} }

// take keeps an event that names another; false when one that is wanted has no room.
func (l *links) take(bus string, at place, e *envelope.Event) bool {
	by, cause := causation, e.Extension(causation)
	if c := e.Extension(correlation); cause == "" || c == l.root && !l.known[cause] {
		by, cause = correlation, c
	}
	sure := l.known[cause]
	switch {
	case cause == "" || cause == e.ID || e.ID == l.root:
		return true
	case len(cause) > mostID || len(e.ID) > mostID:
		return !sure
	case sure && len(l.sure) == mostLinks, !sure && len(l.others) == mostLinks:
		return !sure
	}
	c := Caused{
		ID: strings.Clone(e.ID), Type: word(e.Type), Source: word(e.Source), Bus: bus, Partition: at.partition, Offset: at.offset, PutMs: at.putMs,
		By: by, Cause: strings.Clone(cause),
	}
	if !sure {
		l.others = append(l.others, c)
		return true
	}
	l.known[c.ID] = true
	l.sure = append(l.sure, c)
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
func (l *links) caused() []Caused {
	of := map[string][]Caused{}
	for _, c := range slices.Concat(l.sure, l.others) {
		of[c.Cause] = append(of[c.Cause], c)
	}
	out, told := []Caused{}, map[string]bool{l.root: true}
	var tell func(cause string, depth int)
	tell = func(cause string, depth int) {
		next := of[cause]
		slices.SortStableFunc(next, func(a, b Caused) int { return cmp.Compare(a.PutMs, b.PutMs) })
		for _, c := range next {
			key := c.ID + "\x00" + c.Bus
			if told[key] {
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
	tell(l.root, 1)
	return out
}
