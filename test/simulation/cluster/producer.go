package cluster

import (
	"encoding/binary"
	"fmt"
	"time"

	"ottla/internal/controller"
	"ottla/internal/record"
	"ottla/internal/wire"
	"ottla/test/history"
	"ottla/test/simulation/event"
)

// producer is an idempotent producer with acks=all: one batch at a time for each
// partition, sent until its fate is known.
type producer struct {
	base
	topic string
	parts int32
	pid   int64
	lanes []*lane
}

// lane is a producer's way to one partition.
type lane struct {
	c     *producer
	index int32
	seq   int32
	open  *sending
}

// sending is a batch whose fate is not known.
type sending struct {
	batch   []byte
	values  []int64
	starts  []int64
	tries   int
	unknown bool // a try of it may be in the log
}

func (w *World) newProducer(topic string, parts int32) *producer {
	c := &producer{base: w.newBase(), topic: topic, parts: parts, pid: -1}
	for i := range parts {
		c.lanes = append(c.lanes, &lane{c: c, index: i})
	}
	return c
}

func (c *producer) start() { c.after(event.Between(c.w.work, 0, time.Second), c.begin) }

// begin gets a producer id, then sends.
func (c *producer) begin() {
	to := c.w.someone()
	c.ask(request{
		to: to, timeout: 3 * time.Second,
		serve: func(p *process, answer func(any)) {
			p.control.do(controller.AllocateProducerIDs{BrokerID: p.n.id}, 2*time.Second, func(reply any, err error) {
				if ids, ok := reply.(controller.ProducerIDs); ok && err == nil {
					answer(ids.First)
				}
			})
		},
		done: func(answer any, _ bool) {
			id, ok := answer.(int64)
			if !ok {
				c.after(300*time.Millisecond, c.begin)
				return
			}
			c.pid = id
			for _, l := range c.lanes {
				l.next()
			}
		},
	})
}

// next sends another batch after a while.
func (l *lane) next() {
	l.c.after(event.Between(l.c.w.work, 0, 400*time.Millisecond), func() {
		if l.c.ending || l.open != nil {
			return
		}
		l.open = l.compose()
		l.try()
	})
}

// compose makes a batch of a few records.
func (l *lane) compose() *sending {
	c, s := l.c, &sending{}
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence = c.pid, 0, l.seq
	b.Codec = event.Draw(c.w.work, record.None, record.None, record.LZ4)
	for range 1 + c.w.work.IntN(3) {
		v := c.value()
		s.values, s.starts = append(s.values, v), append(s.starts, c.w.rules.tick())
		b.Add(c.w.live().UnixMilli(), nil, encode(v, c.w.work.IntN(60)))
	}
	s.batch = b.Build(0)
	return s
}

// encode makes a record's value: eight bytes, and some that fill it up.
func encode(v int64, pad int) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(v)), make([]byte, pad)...)
}

// try sends the open batch, and again until it is answered.
func (l *lane) try() {
	s := l.open
	s.tries++
	l.c.produce(l.c.topic, l.index, s.batch, "", func(x produced, answered bool) { l.answered(s, x, answered) })
}

func (l *lane) answered(s *sending, x produced, answered bool) {
	c := l.c
	switch {
	case answered && (x.code == wire.None || x.code == wire.NotEnoughReplicasAfterAppend || x.code == wire.DuplicateSequenceNumber):
		l.acked(s, x.base)
	case answered && lost(x.code):
		c.w.fail("%s-%d refuses batch %d of producer %d, sent %d times, which it may have already %v: %s %s", c.topic, l.index, l.seq, c.pid, s.tries, s.unknown, x.code.Name(), x.text)
	default:
		if !answered || x.code == wire.NotLeaderOrFollower || x.code == wire.KafkaStorageError {
			s.unknown = true
		}
		c.after(event.Between(c.w.work, 10*time.Millisecond, 200*time.Millisecond), l.try)
	}
}

// lost tells that a partition does not know what it has acknowledged.
func lost(c wire.Code) bool {
	switch c {
	case wire.OutOfOrderSequenceNumber, wire.UnknownProducerID, wire.InvalidProducerEpoch, wire.CorruptMessage, wire.InvalidRecord, wire.MessageTooLarge, wire.RecordListTooLarge:
		return true
	}
	return false
}

// acked writes down where a batch is.
func (l *lane) acked(s *sending, base int64) {
	c := l.c
	for i, v := range s.values {
		c.w.rules.add(history.Op{
			Process: c.id*100 + l.index, Kind: history.Send, Outcome: history.OK, Start: s.starts[i], End: c.w.rules.tick(),
			Micro: []history.Micro{{Kind: history.Send, Partition: place(c.topic, l.index), Records: []history.Record{{base + int64(i), v}}}},
		})
	}
	c.w.hit("batch acknowledged")
	c.w.note("client %d: %s-%d has batch %d at %d", c.id, c.topic, l.index, l.seq, base)
	l.seq += int32(len(s.values))
	l.open = nil
	l.next()
}

func (c *producer) idle() string {
	for _, l := range c.lanes {
		if l.open != nil {
			return fmt.Sprintf("producer %d waits for batch %d of %s-%d, tried %d times", c.id, l.seq, c.topic, l.index, l.open.tries)
		}
	}
	return ""
}
