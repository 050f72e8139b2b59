package course

import "strings"

// Result is what came of a call.
type Result struct {
	OK bool
	// Failed are those of a batch that were reported to have failed, when OK.
	Failed []int64
	// Final: trying again is no use.
	Final bool
	// Timeout: there was no answer in time.
	Timeout bool
	Code    string // of a failure
	Why     string
	AfterMs int64 // the endpoint wants to be left alone for so long
}

// Ended takes up what came of a call. Step gives up what is to be given up.
func (l *Lane) Ended(c Call, r Result, lim Limits, nowMs int64) {
	if l.flying > 0 { // else the lane was cleared meanwhile
		l.flying--
	}
	if c.Probe {
		l.probing = false
	}
	l.Breaker.note(c, r, lim.Seed, nowMs)
	if r.AfterMs > 0 {
		l.HoldMs = max(l.HoldMs, nowMs+r.AfterMs)
	}
	reported := map[int64]bool{}
	for _, offset := range r.Failed {
		reported[offset] = true
	}
	var failed []*Item
	for _, offset := range c.Offsets {
		it := l.Find(offset)
		if it == nil {
			continue
		}
		it.flying = false
		if r.OK && !reported[offset] {
			l.end(it)
			continue
		}
		failed = append(failed, it)
	}
	if len(failed) > 0 {
		l.fail(failed, r, lim, nowMs)
	}
}

// fail has deliveries tried again, or given up.
func (l *Lane) fail(failed []*Item, r Result, lim Limits, nowMs int64) {
	l.ease = ease{}
	halve := lim.Batch.Bisect && len(failed) > 1 && !r.OK
	regroup(failed, halve)
	for _, it := range failed {
		it.Code, it.Why = r.Code, clip(r.Why)
		if !halve {
			it.Attempts++
		}
		// Those of a group wait alike, by the group's number.
		number := it.Offset
		if it.Group >= 0 {
			number = it.Group
		}
		it.DueMs = nowMs + max(pause(lim.Retry, max(it.Attempts, 1), lim.Seed, number), r.AfterMs)
		switch {
		case halve && !r.Final:
		case r.Final && !halve:
			it.Spent = spentFinal
		case lim.Retry.Most >= 0 && it.Attempts > lim.Retry.Most:
			it.Spent = ExhaustedAttempts
		case it.DueMs-it.PutMs > lim.maxAgeMs():
			it.Spent = ExhaustedAge
		}
		if it.Spent != "" {
			it.DueMs = nowMs
		}
	}
}

func clip(why string) string {
	if len(why) > mostWhy {
		why = why[:mostWhy]
	}
	return strings.ToValidUTF8(why, "")
}
