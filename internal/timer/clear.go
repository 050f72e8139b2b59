package timer

import (
	"cmp"
	"context"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/timer/schema"
	"ottla/internal/timer/table"
	"ottla/internal/wire"
)

// mostCleared is how many timers of a topic are taken away at once.
const mostCleared = 1000

// clearing is a CancelTopic under way. It is never changed: each part gives another.
type clearing struct {
	token coordinator.Token
	topic string
	// last is where the last of the timers lies that are to go: what was set after
	// the command stays.
	last int64
	left []queued // that are to be taken away now, in the order of the log
	// flights have some that cannot be taken away; they are waited for.
	flights []flown
	n       int64 // timers that went
}

// flown names a flight.
type flown struct {
	at         spot
	producerID int64
	sequence   int32
}

func (g *target) flown() flown { return flown{g.spot, g.ProducerID, g.Sequence} }

// cleared is what the log holds of the keys of some.
type cleared struct {
	clearing
	some []queued
	keys []string
	err  error
}

// cancelTopic steps a CancelTopic: memory has no keys, so they are read again.
func (t *turn) cancelTopic(c *CancelTopic) error {
	w := clearing{token: t.token, topic: c.Topic, last: -1}
	if topic, ok := t.m.numbers[c.Topic]; ok && t.m.timers.LenOf(topic) > 0 {
		t.m.timers.All(func(_ table.Ref, e table.Entry) bool {
			if e.Topic == topic {
				w.last = max(w.last, e.Offset)
			}
			return true
		})
		t.m.gatherFor(&w)
	}
	return t.clear(w)
}

// gatherFor finds what is left to be taken away, and to be waited for.
func (m *Machine) gatherFor(w *clearing) {
	topic := m.numbers[w.topic]
	m.timers.All(func(r table.Ref, e table.Entry) bool {
		switch g := m.flying[e.Hash]; {
		case e.Topic != topic || e.Offset > w.last:
		case g != nil:
			w.await(g)
		default:
			w.left = append(w.left, queued{r, e.Offset})
		}
		return true
	})
	slices.SortFunc(w.left, func(a, b queued) int { return cmp.Compare(a.offset, b.offset) })
}

// await notes that the flight of a target is to be waited for.
func (w *clearing) await(g *target) {
	if f := g.flown(); !slices.Contains(w.flights, f) {
		w.flights = append(slices.Clip(w.flights), f)
	}
}

// clear goes on with one: it has keys read, or waits for a flight, or answers.
func (t *turn) clear(w clearing) error {
	t.token = w.token
	for len(w.left) == 0 {
		if len(w.flights) == 0 {
			t.answer(w.n)
			return nil
		}
		for ; len(w.flights) > 0; w.flights = w.flights[1:] {
			g := t.m.targets[w.flights[0].at]
			if g != nil && len(g.Flight) > 0 && g.flown() == w.flights[0] {
				return t.park(g, w)
			}
		}
		t.m.gatherFor(&w) // what had to come back
	}
	n := min(len(w.left), mostCleared)
	c := cleared{clearing: w, some: w.left[:n]}
	c.left = w.left[n:]
	offsets := make([]int64, n)
	for i, q := range c.some {
		offsets[i] = q.offset
	}
	carrier, shard := t.m.o.Carrier, t.m.o.Shard
	t.out.Work = append(t.out.Work, coordinator.Work{
		Committed: true,
		Begin: func(ctx context.Context, done func(any)) {
			carrier.Keys(ctx, shard, offsets, func(keys []string, err error) {
				c.keys, c.err = keys, err
				done(c)
			})
		},
	})
	return nil
}

// cleared takes some away that are still there. What has begun to fly meanwhile is
// waited for.
func (t *turn) cleared(c *cleared) {
	m, w, err := t.m, c.clearing, c.err
	for i, q := range c.some {
		if err != nil {
			break
		}
		if !m.timers.Holds(q.ref, q.offset) {
			continue // it is over, or another
		}
		if g := m.flying[m.timers.Get(q.ref).Hash]; g != nil {
			w.await(g)
		} else if c.keys[i] == "" {
			err = wire.Errorf(wire.KafkaStorageError, "the record of a timer for %s at offset %d is not in the log", c.topic, q.offset)
		} else {
			t.write(schema.TimerKey(c.keys[i]), nil)
			w.n++
		}
	}
	if err == nil {
		err = t.clear(w)
	}
	if err != nil {
		t.reply(coordinator.Reply{Token: w.token, Err: err})
	}
}

// countTopic steps a CountTopic.
func (t *turn) countTopic(c *CountTopic) {
	n := 0
	if topic, ok := t.m.numbers[c.Topic]; ok {
		n = t.m.timers.LenOf(topic)
	}
	t.answer(int64(n))
}
