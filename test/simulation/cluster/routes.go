package cluster

import (
	"time"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	txnlog "ottla/internal/producer"
	"ottla/internal/wire"
)

// base is what every client has: a number, and an idea of who leads what.
type base struct {
	w      *World
	id     int32
	img    *metadata.Image // as some node had it
	ending bool
	values uint32
}

func (w *World) newBase() base {
	return base{w: w, id: firstClient + int32(len(w.clients)), img: metadata.Empty()}
}

// ask sends a request of the client.
func (c *base) ask(r request) { c.w.ask(end{id: c.id}, r) }

func (c *base) finish() { c.ending = true }

// after runs a step of the client later.
func (c *base) after(d time.Duration, do func()) { c.w.loop.After(d, do) }

// value is an input that was not used before.
func (c *base) value() int64 {
	c.values++
	return int64(c.id)<<18 | int64(c.values)
}

// coordinate gives a request to the coordinator of a key; then hears its answer,
// or that none came.
func (c *base) coordinate(topic, key string, serve func(p *process, answer func(any)), then func(x said, answered bool)) {
	to := c.leader(topic, home(key))
	if to < 0 {
		c.refresh(func() { then(said{err: wire.CoordinatorNotAvailable}, true) })
		return
	}
	c.ask(request{
		to: to, timeout: 3 * time.Second, serve: serve,
		done: func(answer any, _ bool) {
			x, ok := answer.(said)
			if ok && x.err == nil {
				then(x, true)
				return
			}
			c.refresh(func() { then(x, ok) })
		},
	})
}

// refresh asks some node what it knows, then goes on.
func (c *base) refresh(then func()) {
	to := c.w.someone()
	c.ask(request{
		to: to, timeout: time.Second,
		serve: func(p *process, answer func(any)) {
			if p.fed {
				answer(p.broker.Image())
			}
		},
		done: func(answer any, _ bool) {
			// A client never goes back to an older leader epoch (KIP-320): one that
			// leads no more, and has not heard, would judge by what it has.
			if img, ok := answer.(*metadata.Image); ok && img.Offset >= c.img.Offset {
				c.img = img
			}
			c.after(20*time.Millisecond, then)
		},
	})
}

// leader is who leads a partition, as far as is known; -1 when nobody is known to.
func (c *base) leader(topic string, index int32) int32 {
	t := c.img.TopicByName(topic)
	if t == nil || int(index) >= len(t.Partitions) {
		return -1
	}
	return t.Partitions[index].Leader
}

// produced is what became of a batch.
type produced struct {
	base int64
	code wire.Code
	text string
}

// produce sends one batch to the leader of a partition. then is called once.
func (c *base) produce(topic string, index int32, batch []byte, txnID string, then func(x produced, answered bool)) {
	to := c.leader(topic, index)
	if to < 0 {
		c.refresh(func() { then(produced{code: wire.LeaderNotAvailable}, true) })
		return
	}
	c.ask(request{
		to: to, timeout: 2 * time.Second,
		serve: func(p *process, answer func(any)) {
			batch := append([]byte(nil), batch...) // it is patched there
			if txnID != "" {
				p.serveTxnProduce(txnID, topic, index, batch, answer)
				return
			}
			p.serveProduce(topic, index, batch, false, 0, answer)
		},
		done: func(answer any, _ bool) {
			x, ok := answer.(produced)
			if ok && x.code == wire.None {
				then(x, true)
				return
			}
			c.refresh(func() { then(x, ok) })
		},
	})
}

// serveProduce is a Produce with acks=all.
func (p *process) serveProduce(topic string, index int32, batch []byte, transactional bool, guard txnlog.Guard, answer func(any)) {
	part, code := p.broker.ByName([]byte(topic), index)
	if code != wire.None {
		answer(produced{code: code})
		return
	}
	args := partition.AppendArgs{Acks: -1, AllowZstd: true, Transactional: transactional, Guard: guard}
	var got partition.Appended
	if err := part.Append(batch, &args, &got); err != nil {
		answer(produced{code: wire.CodeOf(err), text: err.Error()})
		return
	}
	x := produced{base: got.BaseOffset}
	if p.w.sabotage == EarlyAnswers {
		answer(x)
		return
	}
	waiter := waiter(func(err error) {
		x.code = wire.CodeOf(err)
		p.after(0, func() { answer(x) })
	})
	if done, err := part.Await(waiter, got.End, -1); done || err != nil {
		waiter(err)
	}
}

// waiter is a function that is told once. It implements partition.Waiter.
type waiter func(error)

// Committed implements partition.Waiter.
func (w waiter) Committed(err error) { w(err) }
