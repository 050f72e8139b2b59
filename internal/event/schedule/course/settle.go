package course

import (
	"slices"
	"strings"
)

// Settle takes up what came of an attempt of a run. A letter tells that the run
// was given up. Nothing changes when the run does not wait (any more).
func Settle(t Timing, s State, slotMs int64, r Result, nowMs int64) (State, *Letter) {
	i := slices.IndexFunc(s.Waiting, func(w Waiting) bool { return w.SlotMs == slotMs })
	if i < 0 {
		return s, nil
	}
	s = s.clone()
	w := &s.Waiting[i]
	if r.OK {
		s.Waiting = slices.Delete(s.Waiting, i, i+1)
		return s, nil
	}
	w.Flying = false
	w.Why = clip(r.Why)
	w.DueMs = nowMs + max(pause(t, *w), r.AfterMs)
	letter := &Letter{SlotMs: w.SlotMs, Attempts: w.Attempts, Why: w.Why}
	switch {
	case r.Final:
	case w.Attempts > t.Retry.Most:
		letter.Exhausted = ExhaustedAttempts
	case w.DueMs-w.FirstMs > t.Retry.MaxAgeMs:
		letter.Exhausted = ExhaustedAge
	default:
		return s, nil
	}
	s.Waiting = slices.Delete(s.Waiting, i, i+1)
	return s, letter
}

func clip(why string) string {
	if len(why) > mostWhy {
		why = why[:mostWhy]
	}
	return strings.ToValidUTF8(why, "")
}
