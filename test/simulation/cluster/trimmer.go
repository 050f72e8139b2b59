package cluster

import (
	"fmt"
	"time"

	"ottla/internal/record"
	"ottla/internal/wire"
	"ottla/test/simulation/event"
)

// trimTopic is where records are deleted.
const trimTopic = "trimmed"

// trimmer writes to a topic of its own and deletes records there: below what it was
// told to be the low watermark nothing is read any more, above it everything.
type trimmer struct {
	base
	acked int64 // the offset behind the last acknowledged record
	low   int64 // told
	tried int64 // the highest that a deletion was asked for
	rests bool
}

func (w *World) newTrimmer() *trimmer { return &trimmer{base: w.newBase()} }

func (c *trimmer) start() { c.step() }

func (c *trimmer) idle() string {
	if c.rests {
		return ""
	}
	return fmt.Sprintf("client %d waits for an answer", c.id)
}

func (c *trimmer) again() {
	c.after(event.Between(c.w.work, 20*time.Millisecond, 400*time.Millisecond), c.step)
}

// step writes a record, or deletes some, or reads.
func (c *trimmer) step() {
	switch n := c.w.work.IntN(10); {
	case c.ending:
		c.rests = true
	case n < 6:
		b := record.NewBuilder()
		b.Add(c.w.live().UnixMilli(), nil, encode(1, c.w.work.IntN(200)))
		c.produce(trimTopic, 0, b.Build(0), "", func(x produced, answered bool) {
			if answered && x.code == wire.None {
				c.acked = max(c.acked, x.base+1)
			}
			c.again()
		})
	case n < 8 && c.acked > c.low:
		c.trim(c.low + 1 + c.w.work.Int64N(c.acked-c.low))
	default:
		c.look()
	}
}

// trim asks for a deletion.
func (c *trimmer) trim(to int64) {
	leader := c.leader(trimTopic, 0)
	if leader < 0 {
		c.refresh(c.again)
		return
	}
	c.tried = max(c.tried, to)
	c.ask(request{
		to: leader, timeout: 2 * time.Second,
		serve: func(p *process, answer func(any)) {
			part, code := p.broker.ByName([]byte(trimTopic), 0)
			if code != wire.None {
				answer(produced{code: code})
				return
			}
			low, err := part.DeleteRecords(to)
			answer(produced{base: low, code: wire.CodeOf(err)})
		},
		done: func(answer any, _ bool) {
			x, ok := answer.(produced)
			if ok && x.code == wire.None {
				c.w.hit("records deleted")
				c.low = max(c.low, x.base)
				c.again()
				return
			}
			c.refresh(c.again)
		},
	})
}

// look asks the leader where its log begins and how far it is committed.
func (c *trimmer) look() {
	leader, low, acked := c.leader(trimTopic, 0), c.low, c.acked
	if leader < 0 {
		c.refresh(c.again)
		return
	}
	c.ask(request{
		to: leader, timeout: 2 * time.Second,
		serve: func(p *process, answer func(any)) { answer(p.serveRead(trimTopic, 0, max(c.tried, low), 2000, false)) },
		done: func(answer any, _ bool) {
			x, ok := answer.(fetched)
			if ok && x.code == wire.None && x.marks.LogStart > max(c.tried, low) {
				c.w.fail("%s begins at %d, and no deletion above %d was asked for", trimTopic, x.marks.LogStart, c.tried)
			}
			c.rests = c.ending
			if ok && c.ending && x.code == wire.None && x.marks.High < acked {
				c.w.fail("%s ends at %d, acknowledged were records up to %d", trimTopic, x.marks.High, acked)
			}
			c.refresh(c.again)
		},
	})
}

// judgeTrims holds the replicas of the trimmed topic against what was told: after
// all is well the log begins at or above what was deleted.
func (w *World) judgeTrims() {
	for _, c := range w.clients {
		t, ok := c.(*trimmer)
		if !ok {
			continue
		}
		img := w.controller().quorum.Image()
		x := img.TopicByName(trimTopic).Partitions[0]
		part, code := w.node(x.Leader).p.broker.ByName([]byte(trimTopic), 0)
		if code != wire.None {
			w.fail("%s: %s", trimTopic, code.Name())
		}
		o := part.Offsets()
		if o.LogStart < t.low && o.LogStart < o.LogEnd {
			w.hit("deleted records came back")
		}
		if o.LogStart > t.tried {
			w.fail("%s begins at %d, and no deletion above %d was asked for", trimTopic, o.LogStart, t.tried)
		}
		if o.HighWatermark < t.acked {
			w.fail("%s ends at %d, acknowledged were records up to %d", trimTopic, o.HighWatermark, t.acked)
		}
	}
}
