package txn

import (
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/txn/schema"
	"ottla/internal/wire"
)

// turn is one Step in the making: it gathers the output.
type turn struct {
	m     *Machine
	now   time.Time // what waits go by
	wall  time.Time // what the log is dated by, and transactions run out of time by
	token coordinator.Token
	out   coordinator.Output
	soft  []func()
}

// done closes the turn.
func (t *turn) done() coordinator.Output {
	if soft := t.soft; len(soft) > 0 {
		t.out.Accepted = func() {
			for _, change := range soft {
				change()
			}
		}
	}
	return t.out
}

// accepted makes a soft change when the records of this turn are accepted.
func (t *turn) accepted(change func()) { t.soft = append(t.soft, change) }

// answer replies to the caller of this turn.
func (t *turn) answer(body any) { t.reply(t.token, body) }

// reply answers a caller; token 0 is nobody.
func (t *turn) reply(to coordinator.Token, body any) {
	if to != 0 {
		t.out.Replies = append(t.out.Replies, coordinator.Reply{Token: to, Body: body})
	}
}

// refuse replies to a caller with an error.
func (t *turn) refuse(to coordinator.Token, err error) {
	t.out.Replies = append(t.out.Replies, coordinator.Reply{Token: to, Err: err})
}

// store writes what a transactional id shall be.
func (t *turn) store(id string, m *meta) {
	version := int16(0)
	if t.m.o.Level() >= 1 {
		version = 1
	}
	t.write(schema.AppendKey(nil, id), schema.AppendValue(nil, m.value(), version))
}

// write adds a record; a nil value is a tombstone.
func (t *turn) write(key, value []byte) {
	t.out.Records = append(t.out.Records, coordinator.Record{Key: key, Value: value})
}

func (t *turn) wallMs() int64 { return t.wall.UnixMilli() }

// next begins a change: a copy of what is, in another state and dated now. As
// Kafka has it, the producer id at hand is the previous one then.
func (t *turn) next(m *meta, s State) *meta {
	n := *m
	n.state, n.previousID, n.updateMs = s, m.producerID, t.wallMs()
	return &n
}

// keepLast notes the epoch that a repeated request would name.
func (t *turn) keepLast(id string, last int16) {
	m := t.m
	t.accepted(func() {
		if e := m.ids[id]; e != nil {
			e.last = last
		}
	})
}

// Keys and bodies of timers, and results of work.
type (
	resumeKey    struct{ id string }
	impatientKey struct{ id string }
	abortKey     struct{ id string }
	markKey      struct{ id string }
	checkKey     struct{}
	forgetKey    struct{}

	// resume: the transaction before is over, and the next parked command of the
	// transactional id is to be stepped.
	resume struct{ id string }
	// impatient: a command may have waited long enough.
	impatient struct{ id string }
	// checkDue: time to look for transactions that ran out of time.
	checkDue struct{}
	// abortDue: this one has.
	abortDue struct {
		id         string
		producerID int64
		epoch      int16
	}
	// markDue: the markers could not be written, and are tried again.
	markDue struct{ written }
	// forgetDue: time to look for transactional ids that nobody uses.
	forgetDue struct{}
)

func (t *turn) timer(key any, in time.Duration, body any) {
	t.out.Timers = append(t.out.Timers, coordinator.Timer{Key: key, At: t.now.Add(in), Body: body})
}

// park lets a command wait for the end of the transaction.
func (t *turn) park(id string, e *entry, body any) error {
	if len(e.parked) >= maxParked || t.token == 0 {
		return wire.ConcurrentTransactions
	}
	p := parked{t.token, body, t.now.Add(patience).UnixNano()}
	t.accepted(func() { e.parked = append(e.parked, p) })
	if len(e.parked) == 0 {
		t.timer(impatientKey{id}, patience, impatient{id})
	}
	return nil
}

// impatient sends away those who have waited long enough.
func (t *turn) impatient(c impatient) {
	e := t.m.ids[c.id]
	if e == nil {
		return
	}
	n := 0
	for n < len(e.parked) && e.parked[n].until <= t.now.UnixNano() {
		t.refuse(e.parked[n].token, wire.ConcurrentTransactions)
		n++
	}
	t.accepted(func() { e.parked = e.parked[n:] })
	if n < len(e.parked) {
		t.timer(impatientKey(c), time.Duration(e.parked[n].until-t.now.UnixNano()), impatient{c.id})
	}
}

// resume steps the first parked command of a transactional id whose
// transaction is over.
func (t *turn) resume(c resume) {
	e := t.m.ids[c.id]
	if e == nil || len(e.parked) == 0 || e.state.decided() {
		return
	}
	first := e.parked[0]
	t.token = first.token
	if err := t.step(first.body); err != nil {
		t.out = coordinator.Output{}
		t.soft = nil
		t.refuse(first.token, err)
	}
	t.accepted(func() { e.parked = e.parked[1:] })
	if len(e.parked) > 1 {
		t.timer(resumeKey(c), 0, resume(c))
	}
}
