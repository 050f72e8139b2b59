package course

import "math"

// ease is what is known of a lane all of whose deliveries wait for nothing but their
// turn, so that it need not be looked through at each. The zero value is nothing.
type ease struct {
	// untilMs: before it none is too old, and none was tried or given up; 0: unknown.
	// It goes by an age of ageMs.
	untilMs, ageMs int64
	// whole: the payloads of all are in memory.
	whole bool
}

// easy tells whether only the order of deliveries decides what begins.
func (l *Lane) easy(lim Limits, nowMs int64) bool {
	return l.ease.untilMs > nowMs && l.ease.ageMs == lim.maxAgeMs() && l.Breaker.UntilMs == 0 && l.HoldMs <= nowMs &&
		!lim.Disabled && !lim.Ordered && lim.Rate <= 0 && lim.Batch.Size <= 1
}

// find looks all deliveries through.
func (e *ease) find(all []Item, lim Limits) {
	e.untilMs, e.ageMs = math.MaxInt64, lim.maxAgeMs()
	for i := range all {
		if it := &all[i]; !it.done {
			e.note(it)
		}
	}
}

// add takes in one more delivery.
func (e *ease) add(it *Item) {
	e.note(it)
	e.whole = e.whole && it.Loaded
}

func (e *ease) note(it *Item) {
	if it.DueMs != 0 || it.Spent != "" {
		e.untilMs = 0
	}
	if e.untilMs != 0 {
		e.untilMs = min(e.untilMs, it.PutMs+e.ageMs+1)
	}
}

// look is when the first may be too old; 0 where there is none.
func (e *ease) look() int64 {
	if e.untilMs == math.MaxInt64 {
		return 0
	}
	return e.untilMs
}
