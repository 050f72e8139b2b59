package timer

import (
	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

// settle looks at the clock, which may have been moved, and lets the caller wait.
func (t *turn) settle() {
	m, token := t.m, t.token
	t.accepted(func() { m.settling = append(m.settling, token) })
	t.gatherSoon()
}

// lookSettled has those looked after who wait for all that is due, when this turn
// is over.
func (t *turn) lookSettled() {
	if len(t.m.settling) > 0 {
		t.timer(settleKey{}, 0, settled{})
	}
}

// answerSettled answers them, if there is nothing left that is due or on its way.
func (t *turn) answerSettled() {
	m := t.m
	var failing *target
	for _, g := range m.sortedTargets() {
		switch {
		case !g.busy && len(g.queue) == 0:
		case g.why == nil, g.tries < triesToTell:
			return // what becomes of it is heard of
		case failing == nil:
			failing = g
		}
	}
	if dueMs, ok := m.timers.Next(); ok && dueMs <= t.wallMs() {
		return // it is about to be gathered
	}
	for _, token := range m.settling {
		r := coordinator.Reply{Token: token}
		if failing != nil {
			r.Err = wire.Errorf(wire.CodeOf(failing.why), "timers for %s-%d are due and cannot be appended: %w", failing.topic, failing.index, failing.why)
		}
		t.reply(r)
	}
	t.accepted(func() { m.settling = nil })
}

// count steps a Count.
func (t *turn) count() {
	m := t.m
	c := Counted{Waiting: m.timers.Len(), Late: m.timers.Len() - m.timers.Waiting()}
	if ms, ok := m.timers.Next(); ok {
		c.NextMs = ms
	}
	t.answer(c)
}
