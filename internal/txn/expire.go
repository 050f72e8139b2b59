package txn

import (
	"slices"

	"ottla/internal/txn/schema"
)

// overdue tells whether a transaction is open for longer than it may be.
func (t *turn) overdue(e *entry) bool {
	return e.state == Ongoing && e.startMs+int64(e.timeoutMs) < t.wallMs()
}

// checkDue looks for transactions that ran out of time. Each is aborted by a
// command of its own, so that what is refused to one costs no other.
func (t *turn) checkDue() {
	t.abortOverdue()
	t.timer(checkKey{}, t.m.o.AbortInterval, checkDue{})
}

// abortOverdue gives the transactional ids of those that will be aborted now.
func (t *turn) abortOverdue() []string {
	due := t.m.where(func(_ string, e *entry) bool { return t.overdue(e) })
	for _, id := range due {
		e := t.m.ids[id]
		t.timer(abortKey{id}, 0, abortDue{id, e.producerID, e.epoch})
	}
	return due
}

// abortDue aborts a transaction that ran out of time, unless it has ended.
func (t *turn) abortDue(c abortDue) {
	e := t.m.ids[c.id]
	switch {
	case e != nil && e.producerID == c.producerID && e.epoch == c.epoch && t.overdue(e):
		t.fence(c.id, e)
	case e == nil || !e.state.decided():
		t.noteEnded(c.id)
	}
}

// forgetDue forgets transactional ids that nobody has used for long.
func (t *turn) forgetDue() {
	next := t.m.o.ForgetCheck
	if t.forget() {
		next = 0 // the rest at once
	}
	t.timer(forgetKey{}, next, forgetDue{})
}

// forget forgets what one turn may; true when there is more.
func (t *turn) forget() bool {
	before := t.wallMs() - t.m.o.Expiration.Milliseconds()
	size := 0
	unused := func(_ string, e *entry) bool {
		return e.state.over() && e.updateMs <= before && len(e.parked) == 0
	}
	for _, id := range t.m.where(unused) {
		if size > forgetBytes {
			return true
		}
		t.write(schema.AppendKey(nil, id), nil)
		size += len(id) + forgetOverhead
	}
	return false
}

// sweep steps a Sweep.
func (t *turn) sweep() {
	due := t.abortOverdue()
	more := t.forget()
	if len(due) == 0 {
		t.answer(more)
		return
	}
	m, s := t.m, &sweeping{token: t.token, left: due, more: more}
	t.accepted(func() { m.sweeps = append(m.sweeps, s) })
}

// noteEnded tells the sweeps that wait for the end of this transaction.
func (t *turn) noteEnded(id string) {
	m := t.m
	for _, s := range m.sweeps {
		if len(s.left) == 1 && s.left[0] == id {
			t.reply(s.token, s.more)
		}
	}
	t.accepted(func() {
		for _, s := range m.sweeps {
			s.left = slices.DeleteFunc(s.left, func(other string) bool { return other == id })
		}
		m.sweeps = slices.DeleteFunc(m.sweeps, func(s *sweeping) bool { return len(s.left) == 0 })
	})
}
