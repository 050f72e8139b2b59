package timer

import (
	"time"

	"ottla/internal/coordinator"
)

// turn is one Step in the making: it gathers the output.
type turn struct {
	m     *Machine
	now   time.Time // what waits go by
	wall  time.Time // what timers are due by
	token coordinator.Token
	out   coordinator.Output
	soft  []func()
	asked bool // for a producer id
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
func (t *turn) answer(body any) { t.reply(coordinator.Reply{Token: t.token, Body: body}) }

// reply answers a caller; token 0 is nobody.
func (t *turn) reply(r coordinator.Reply) {
	if r.Token != 0 {
		t.out.Replies = append(t.out.Replies, r)
	}
}

// write adds a record; a nil value is a tombstone.
func (t *turn) write(key, value []byte) {
	t.out.Records = append(t.out.Records, coordinator.Record{Key: key, Value: value})
}

func (t *turn) wallMs() int64 { return t.wall.UnixMilli() }

// Keys and bodies of timers, and results of work.
type (
	gatherKey struct{}
	planKey   struct{}
	idKey     struct{}
	againKey  struct{ at spot }
	resumeKey struct{ at spot }
	settleKey struct{}

	// gather: something in the heap may be due.
	gather struct{}
	// plan: targets have timers that may go.
	plan struct{}
	// carryAgain: a flight that could not land is tried again.
	carryAgain struct{ at spot }
	// resume: a flight is over, and the first of the commands that waited for it is
	// to be stepped, then the others: left of them all in all.
	resume struct {
		at   spot
		left int
	}
	// landed is what became of a flight.
	landed struct {
		at     spot
		flight Flight
		Landed
	}
	// settled: those who wait for all that is due may be answered.
	settled struct{}
	// identified is a producer id.
	identified struct {
		id  int64
		err error
	}
)

// timer sets one; it comes at once when in is 0.
func (t *turn) timer(key any, in time.Duration, body any) {
	t.out.Timers = append(t.out.Timers, coordinator.Timer{Key: key, At: t.now.Add(in), Body: body})
}

// gatherSoon has the heap looked at next; a Set that comes before must not put that
// off.
func (t *turn) gatherSoon() {
	t.timer(gatherKey{}, 0, gather{})
	t.accepted(func() { t.m.armedMs = 1 })
}

// arm lets the heap be looked at when something is due at dueMs.
func (t *turn) arm(dueMs int64) {
	in := look
	if left := dueMs - t.wallMs(); left < look.Milliseconds() {
		// A fraction of a millisecond has passed of this one; the next begins then.
		in = time.UnixMilli(dueMs).Sub(t.wall)
	}
	t.timer(gatherKey{}, max(in, 0), gather{})
	t.accepted(func() { t.m.armedMs = max(dueMs, 1) })
}

// armFor is arm, unless the heap is looked at by then.
func (t *turn) armFor(dueMs int64) {
	if m := t.m; m.armedMs == 0 || dueMs < m.armedMs {
		t.arm(dueMs)
	}
}
