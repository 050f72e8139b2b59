package timer

import (
	"time"

	"ottla/internal/timer/schema"
)

// landed takes what became of a flight.
func (t *turn) landed(c *landed) {
	g := t.m.targets[c.at]
	if g == nil || len(g.Flight) == 0 || g.Sequence != c.flight.Sequence || g.ProducerID != c.flight.ProducerID {
		return // it is over already
	}
	if c.Err == nil && len(c.Keys) == len(g.Flight) {
		t.arrived(g, c.Keys)
		return
	}
	t.accepted(func() { g.why = c.Err })
	v := verdictOf(c.Err)
	if v != missing {
		t.accepted(func() { g.absent = time.Time{} })
	}
	switch {
	case v == misdated && t.wallMs()-g.TimeMs > redateAfter.Milliseconds(), v == misdated && g.TimeMs > t.wallMs():
		t.backToQueue(g, 0, g.ProducerID) // and gets another date
	case v == refused && len(g.Flight) > 1:
		t.backToQueue(g, len(g.Flight), g.ProducerID)
	case (v == refused || v == misdated) && len(c.Keys) == len(g.Flight):
		t.giveUp(g, c)
	case v == renew:
		t.accepted(func() {
			if t.m.producerID == c.flight.ProducerID {
				t.m.producerID = -1
			}
		})
		t.backToQueue(g, 0, -1)
	case v == missing && !g.absent.IsZero() && t.now.Sub(g.absent) >= absentFor && len(c.Keys) == len(g.Flight):
		t.giveUp(g, c)
	default:
		t.again(g, v)
	}
}

// arrived ends a flight whose records are there, and decides the next.
func (t *turn) arrived(g *target, keys []string) {
	for _, key := range keys {
		t.write(schema.TimerKey(key), nil)
	}
	d := g.Target
	d.Sequence, d.Flight = after(d.Sequence, len(d.Flight)), nil
	t.accepted(func() { g.well() })
	if !t.launch(g, d) {
		t.write(schema.TargetKey(g.topic, g.index), schema.AppendTarget(nil, &d))
		t.out.Lazy = true
	}
	t.wake(g)
}

// well notes that a target's flight is over, and that nothing is wrong with it.
func (g *target) well() { g.busy, g.tries, g.why, g.absent = false, 0, nil, time.Time{} }

// wake lets those go on who waited for the end of a flight.
func (t *turn) wake(g *target) {
	if n := len(g.parked); n > 0 {
		t.timer(resumeKey{g.spot}, 0, resume{g.spot, n})
	}
	t.lookSettled()
}

// backToQueue takes a flight back that is not in the partition and will not be: its
// timers are the first of the next ones, each alone where the batch was refused.
func (t *turn) backToQueue(g *target, lone int, producerID int64) {
	m, flight, d := t.m, g.Flight, g.Target
	d.Flight, d.ProducerID = nil, producerID
	t.write(schema.TargetKey(g.topic, g.index), schema.AppendTarget(nil, &d))
	t.accepted(func() {
		g.busy, g.lone = false, lone
		m.requeue(g, flight)
		m.list(g)
	})
	t.timer(planKey{}, 0, plan{})
	t.wake(g)
}

// requeue puts timers that were on their way before all others of their target.
func (m *Machine) requeue(g *target, flight []schema.Ref) {
	queue := make([]queued, 0, len(flight)+len(g.queue))
	for _, f := range flight {
		if r := m.timers.Find(f.Hash); r >= 0 && m.timers.Holds(r, f.Offset) {
			m.timers.Take(r)
			queue = append(queue, queued{r, f.Offset})
		}
	}
	g.queue = append(queue, g.queue...)
}

// giveUp ends timers that will not be appended.
func (t *turn) giveUp(g *target, c *landed) {
	for _, key := range c.Keys {
		t.write(schema.TimerKey(key), nil)
	}
	d := g.Target
	d.Flight = nil
	gone := verdictOf(c.Err) == missing
	if gone {
		t.write(schema.TargetKey(g.topic, g.index), nil)
	} else {
		t.write(schema.TargetKey(g.topic, g.index), schema.AppendTarget(nil, &d))
	}
	m := t.m
	t.accepted(func() {
		m.o.Carrier.GivenUp(c.flight, c.Landed)
		absent := g.absent
		g.well()
		if gone {
			g.absent = absent // what comes next is given up at once
		}
		m.list(g)
		if gone && len(g.queue)+len(g.parked) == 0 {
			delete(m.targets, g.spot)
		}
	})
	t.timer(planKey{}, 0, plan{})
	t.wake(g)
}

// again tries a flight again later.
func (t *turn) again(g *target, v verdict) {
	in := min(firstAgain<<min(g.tries, 10), lastAgain)
	t.accepted(func() {
		g.tries++
		if v == missing && g.absent.IsZero() {
			g.absent = t.now
		}
	})
	t.timer(againKey{g.spot}, in, carryAgain{g.spot})
	t.lookSettled()
}

// carryAgain sends a flight again.
func (t *turn) carryAgain(c carryAgain) {
	if g := t.m.targets[c.at]; g != nil && len(g.Flight) > 0 {
		t.carry(g, &g.Target, true)
	}
}
