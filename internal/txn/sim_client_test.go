package txn

import (
	"fmt"

	"ottla/internal/wire"
)

// simClient produces under one transactional id, one step after another. It
// asks again when an answer is lost, and begins anew when it is fenced.
type simClient struct {
	w       *simWorld
	id      string
	version int16
	step    simStep
	waiting bool // for an answer
	pid     int64
	epoch   int16
	txn     *simTxn
}

type simStep int

const (
	simInit simStep = iota
	simBegin
	simAdd
	simWrite
	simSync
	simEnd
	simGone
)

// simTxn is a transaction as its producer knows it.
type simTxn struct {
	name   string
	parts  []int
	at     []int // where in the partition's log the value lies
	commit bool
	asked  bool // the end was
	told   bool // that it ended as it was asked
}

func (t *simTxn) value(i int) string { return fmt.Sprintf("%s in %d", t.name, t.parts[i]) }

// act takes the next step, if it waits for nothing.
func (c *simClient) act() {
	if c.waiting || c.step == simGone {
		return
	}
	switch c.step {
	case simInit:
		c.ask(Init{ID: c.id, TimeoutMs: int32(simTimeout.Milliseconds()), ProducerID: -1, Epoch: -1, FreshID: c.w.freshID()}, c.initiated)
	case simBegin:
		c.begin()
	case simAdd:
		var parts []TopicPartition
		for _, p := range c.txn.parts {
			parts = append(parts, TopicPartition{"t", int32(p)})
		}
		c.ask(Add{ID: c.id, ProducerID: c.pid, Epoch: c.epoch, Version: c.version, Partitions: parts}, c.added)
	case simWrite:
		c.write()
	case simSync:
		c.sync()
	case simEnd:
		c.txn.asked = true
		c.ask(End{ID: c.id, ProducerID: c.pid, Epoch: c.epoch, Commit: c.txn.commit, Version: c.version, FreshID: c.w.freshID()}, c.ended)
	}
}

// ask gives a command; the answer, or that it was lost, comes to then.
func (c *simClient) ask(body any, then func(any, wire.Code)) {
	c.waiting = true
	c.w.shard.ask(body, func(body any, err error) {
		c.waiting = false
		code := wire.CodeOf(err)
		if c.w.rnd.IntN(12) == 0 {
			code = wire.NetworkException // the answer is lost
		}
		c.w.met[code.Name()]++
		then(body, code)
	})
}

func (c *simClient) initiated(body any, code wire.Code) {
	if code != wire.None {
		return
	}
	r := body.(InitReply)
	c.pid, c.epoch = r.ProducerID, r.Epoch
	c.w.noteIdentity(c)
	c.step = simBegin
}

func (c *simClient) begin() {
	if c.w.draining {
		c.step = simGone
		return
	}
	c.w.begun++
	t := &simTxn{name: fmt.Sprintf("%s#%d", c.id, c.w.begun), commit: c.w.rnd.IntN(3) > 0}
	for p := range c.w.parts {
		if c.w.rnd.IntN(2) == 0 {
			t.parts = append(t.parts, p)
		}
	}
	if len(t.parts) == 0 {
		t.parts = []int{0}
	}
	c.txn, c.step = t, simAdd
	c.w.txns = append(c.w.txns, t)
}

func (c *simClient) added(_ any, code wire.Code) {
	switch code {
	case wire.None:
		c.step = simWrite
	case wire.NetworkException, wire.ConcurrentTransactions, wire.NotCoordinator:
	default:
		c.fenced()
	}
}

func (c *simClient) write() {
	i := len(c.txn.at)
	if i == len(c.txn.parts) {
		c.step = simSync
		return
	}
	p := c.w.parts[c.txn.parts[i]]
	if !p.append(c.pid, c.epoch, c.txn.value(i)) {
		c.fenced()
		return
	}
	c.txn.at = append(c.txn.at, len(p.log)-1)
}

// fenced is what a producer does that may not go on: it gives up, or begins
// anew and fences whoever has its place.
func (c *simClient) fenced() {
	c.step = simGone
	if c.w.rnd.IntN(4) == 0 {
		c.step = simInit
	}
}

// sync waits until what was written is; when it was lost with the power, the
// transaction is aborted.
func (c *simClient) sync() {
	for i, at := range c.txn.at {
		p := c.w.parts[c.txn.parts[i]]
		switch {
		case at >= len(p.log) || p.log[at].value != c.txn.value(i):
			c.txn.commit, c.step = false, simEnd
			return
		case at >= p.synced:
			return
		}
	}
	c.step = simEnd
}

func (c *simClient) ended(body any, code wire.Code) {
	switch code {
	case wire.None:
		c.txn.told = true
		c.w.noteEnd(c.txn)
		if r := body.(EndReply); r.ProducerID >= 0 {
			c.pid, c.epoch = r.ProducerID, r.Epoch
			c.w.noteIdentity(c)
		}
		c.step = simBegin
	case wire.NetworkException, wire.ConcurrentTransactions, wire.NotCoordinator: // asked again
	default:
		c.fenced()
	}
}
