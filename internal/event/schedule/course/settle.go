package course

import (
	"slices"
	"strings"
)

// letterPauseMs is how long a letter waits that cannot be written.
const letterPauseMs = 5_000

// Settle takes up what came of an attempt of a run. A letter tells that the run
// was given up: it waits until Bury, and Step tells of it again. Nothing changes when
// the run does not wait to be delivered (any more).
func Settle(t Timing, s State, slotMs int64, r Result, nowMs int64) (State, *Letter) {
	i := slices.IndexFunc(s.Waiting, func(w Waiting) bool { return w.SlotMs == slotMs })
	if i < 0 || s.Waiting[i].DeadMs > 0 {
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
	switch {
	case r.Final:
	case w.Attempts > t.Retry.Most:
		w.Exhausted = ExhaustedAttempts
	case w.DueMs-w.FirstMs > t.Retry.MaxAgeMs:
		w.Exhausted = ExhaustedAge
	default:
		return s, nil
	}
	full := s.dead() >= mostDead
	w.DeadMs = max(nowMs, 1)
	letter := w.letter(t, nowMs)
	letter.Last = letter.Last || full
	return s, &letter
}

// dead counts the runs of which the letter waits.
func (s State) dead() (n int) {
	for i := range s.Waiting {
		if s.Waiting[i].DeadMs > 0 {
			n++
		}
	}
	return n
}

// letter has the letter of a run that was given up written, now or a little later.
func (w *Waiting) letter(t Timing, nowMs int64) Letter {
	w.DueMs = nowMs + letterPauseMs
	return Letter{SlotMs: w.SlotMs, Attempts: w.Attempts, Why: w.Why, Exhausted: w.Exhausted, Last: nowMs-w.DeadMs >= t.Retry.MaxAgeMs}
}

// Bury ends a run that was given up: its letter is written, or dropped.
func Bury(s State, slotMs int64) State {
	s = s.clone()
	s.Waiting = slices.DeleteFunc(s.Waiting, func(w Waiting) bool { return w.SlotMs == slotMs })
	return s
}

func clip(why string) string {
	if len(why) > mostWhy {
		why = why[:mostWhy]
	}
	return strings.ToValidUTF8(why, "")
}
