package course

import (
	"time"

	"ottla/internal/event/cron"
)

// Step decides what to do at a moment, in milliseconds since 1970.
func Step(t Timing, s State, nowMs int64) Turn {
	turn := Turn{State: s.clone()}
	if t.Paused {
		return turn
	}
	turn.More = decide(t, &turn, nowMs)
	for i := range turn.State.Waiting {
		w := &turn.State.Waiting[i]
		if w.Flying || w.DueMs > nowMs {
			continue
		}
		turn.Changed = true
		if w.DeadMs > 0 {
			turn.Letters = append(turn.Letters, w.letter(t, nowMs))
			continue
		}
		if w.FirstMs == 0 {
			w.FirstMs = nowMs
		}
		w.Flying = true
		w.Attempts++
		turn.Attempts = append(turn.Attempts, Attempt{SlotMs: w.SlotMs, Number: w.Attempts})
	}
	return turn
}

// decide takes up the slots that are due, and tells whether there may be more of
// them.
func decide(t Timing, turn *Turn, nowMs int64) (more bool) {
	s := &turn.State
	if floor := nowMs - t.Retry.MaxAgeMs - t.WindowMs; base(t, *s) < floor {
		skipOld(t, turn, floor)
	}
	var missed *Waiting // the last one, of the policy Last
	defer func() {
		if missed != nil {
			s.Waiting = append(s.Waiting, *missed)
		}
	}()
	for range mostSlots {
		slot, ok := following(t, *s)
		if !ok || slot+window(t, slot) > nowMs {
			return false
		}
		late := nowMs-slot-window(t, slot) >= missedAfterMs
		if t.Missed == Last && !late && missed != nil {
			s.Waiting, missed = append(s.Waiting, *missed), nil
		}
		if len(s.Waiting) >= MostWaiting {
			return false // whoever is settled makes room
		}
		s.LastMs, turn.Changed = slot, true
		w := Waiting{SlotMs: slot, DueMs: nowMs}
		switch {
		case !late || t.Missed == All:
			s.Waiting = append(s.Waiting, w)
		case t.Missed == Last:
			if missed != nil {
				turn.Skipped++
			}
			missed = &w
		default:
			turn.Skipped++
		}
	}
	return true
}

// skipOld passes over the slots before floor.
func skipOld(t Timing, turn *Turn, floor int64) {
	first, ok := following(t, turn.State)
	if !ok || first >= floor {
		return
	}
	turn.Skipped++
	turn.Changed = true
	turn.State.LastMs = floor - 1
}

// base is the moment behind which slots are runs.
func base(t Timing, s State) int64 {
	b := s.LastMs
	if t.Expression.Kind() != cron.At { // it has no other slot, so it is one whenever it was told
		b = max(b, t.SinceMs-1)
	}
	if t.StartMs > 0 {
		b = max(b, t.StartMs-1)
	}
	return b
}

// following is the next slot that is not decided.
func following(t Timing, s State) (int64, bool) {
	return after(t, base(t, s))
}

// After is the first slot behind a moment, whatever was decided; false when there
// is none.
func After(t Timing, ms int64) (int64, bool) {
	return after(t, max(ms, base(t, State{})))
}

func after(t Timing, ms int64) (int64, bool) {
	anchor := t.SinceMs
	if t.StartMs > 0 {
		anchor = t.StartMs
	}
	next, ok := t.Expression.Next(time.UnixMilli(anchor), time.UnixMilli(ms))
	if !ok || t.EndMs > 0 && next.UnixMilli() > t.EndMs {
		return 0, false
	}
	return next.UnixMilli(), true
}

// Look tells how a schedule stands: when the next slot or the next attempt is
// due.
func Look(t Timing, s State) Rest {
	if t.Paused {
		return Rest{}
	}
	var at int64
	earlier := func(ms int64) {
		if ms = max(ms, 1); at == 0 || ms < at {
			at = ms
		}
	}
	for _, w := range s.Waiting {
		if !w.Flying {
			earlier(w.DueMs)
		}
	}
	next, some := following(t, s)
	if some && len(s.Waiting) < MostWaiting {
		earlier(next + window(t, next))
	}
	return Rest{WakeMs: at, Over: !some && len(s.Waiting) == 0}
}
