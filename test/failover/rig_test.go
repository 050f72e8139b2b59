package failover

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// sharedLog is one partition of an internal topic as all nodes have it: what is
// committed they all know, what is not may be lost with its leader.
type sharedLog struct {
	mu        sync.Mutex
	batches   [][]byte
	end, high int64
	epoch     int32 // of the one leader that may write
	held      bool  // nothing is committed
	waiters   []waiter
}

type waiter struct {
	w   coordinator.Waiter
	end int64
}

// tail is the log for one leadership.
type tail struct {
	*sharedLog
	led int32
}

func (t *tail) LeaderEpoch() int32 { return t.led }
func (t *tail) MaxBatchBytes() int { return 1 << 20 }

func (t *tail) End() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end
}

func (t *tail) Check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.check()
}

func (t *tail) check() error {
	if t.led != t.epoch {
		return wire.FencedLeaderEpoch
	}
	return nil
}

func (t *tail) Append(batch []byte, _ *coordinator.Txn) (base, end int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	b := slices.Clone(batch)
	record.SetBaseOffset(b, t.end)
	record.SetLeaderEpoch(b, t.led)
	h, err := record.ParseHeader(b)
	if err != nil {
		return 0, 0, err
	}
	t.batches = append(t.batches, b)
	base, t.end = t.end, h.NextOffset()
	if !t.held {
		t.high = t.end
	}
	return base, t.end, nil
}

func (t *tail) Await(w coordinator.Waiter, end int64) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(); err != nil {
		return false, err
	}
	if t.high >= end {
		return true, nil
	}
	t.waiters = append(t.waiters, waiter{w, end})
	return false, nil
}

func (t *tail) Replay(ctx context.Context, from, to int64, fn func([]byte) error) error {
	t.mu.Lock()
	batches := slices.Clone(t.batches)
	t.mu.Unlock()
	for _, b := range batches {
		h, err := record.ParseHeader(b)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if h.NextOffset() > from && h.BaseOffset < to {
			if err := fn(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold keeps what is written from now on from being committed.
func (l *sharedLog) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = true
}

// elect gives the lead to another node: what is not committed is gone.
func (l *sharedLog) elect() int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.held, l.waiters = false, nil
	for n := len(l.batches); n > 0; n-- {
		if h, err := record.ParseHeader(l.batches[n-1]); err != nil || h.BaseOffset < l.high {
			break
		}
		l.batches = l.batches[:n-1]
	}
	l.end = l.high
	return l.epoch
}

// clock is the nodes' time, which tests move. What rings does so on the
// test's goroutine.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	alarms map[int]alarm
	made   int
}

type alarm struct {
	at   time.Time
	ring func()
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Alarm(at time.Time, ring func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	n := c.made
	c.alarms[n] = alarm{at, ring}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.alarms, n)
	}
}

// advance moves the time and rings what is due.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for n, a := range c.alarms {
		if !a.at.After(c.now) {
			due = append(due, a.ring)
			delete(c.alarms, n)
		}
	}
	c.mu.Unlock()
	for _, ring := range due {
		ring()
	}
}

// pair are two nodes of which one leads the partition.
type pair struct {
	t     *testing.T
	log   *sharedLog
	clock *clock
	nodes [2]*coordinator.Runtime
	at    int // who leads
}

func newPair(t *testing.T, machine func(node int) coordinator.Machine) *pair {
	t.Helper()
	p := &pair{t: t, log: &sharedLog{}, clock: &clock{now: time.UnixMilli(1_700_000_000_000), alarms: map[int]alarm{}}}
	for i := range p.nodes {
		p.nodes[i] = coordinator.NewRuntime(coordinator.Options{
			Topic: "topic", Partitions: func() int { return 1 }, New: func(int32) coordinator.Machine { return machine(i) },
			Now: p.clock.Now, Alarm: p.clock.Alarm,
		})
		t.Cleanup(p.nodes[i].Close)
	}
	p.lead(0)
	return p
}

// lead gives a node the lead, whatever the other one knows of it.
func (p *pair) lead(node int) {
	p.t.Helper()
	p.at = node
	p.nodes[node].Lead(0, &tail{p.log, p.log.elect()})
	if err := p.nodes[node].Settle(p.t.Context(), "key"); err != nil {
		p.t.Fatal(err)
	}
}

// move gives the other node the lead, and tells the old one if it shall know.
func (p *pair) move(told bool) {
	p.t.Helper()
	old := p.at
	p.lead(1 - old)
	if told {
		p.nodes[old].Resign(0)
	}
}

// said is what a coordinator brought.
type said struct {
	body any
	err  error
}

// start gives the node that leads a command.
func (p *pair) start(cmd any) <-chan said { return p.startAt(p.at, cmd) }

func (p *pair) startAt(node int, cmd any) <-chan said {
	c := make(chan said, 1)
	p.nodes[node].Go(p.t.Context(), "key", cmd, func(body any, err error) { c <- said{body, err} })
	return c
}

// do waits for the reply of a command, as type R.
func do[R any](p *pair, cmd any) R {
	p.t.Helper()
	s := <-p.start(cmd)
	if s.err != nil {
		p.t.Fatalf("%T: %v", cmd, s.err)
	}
	r, ok := s.body.(R)
	if !ok && s.body != nil {
		p.t.Fatalf("%T brought %T", cmd, s.body)
	}
	return r
}

// refused waits for the refusal of a command.
func (p *pair) refused(what string, c <-chan said, want wire.Code) {
	p.t.Helper()
	if s := <-c; wire.CodeOf(s.err) != want || s.err == nil {
		p.t.Errorf("%s: %v, %v, want %v", what, s.body, s.err, want)
	}
}

// old is the node that has led before.
func (p *pair) old() int { return 1 - p.at }

// pending counts what is written and not committed.
func (p *pair) pending() int64 {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.end - p.log.high
}

func (p *pair) yield() { runtime.Gosched() }

// both tells a test of what holds whether the old leader knows that it is none
// or not.
func both(t *testing.T, test func(t *testing.T, told bool)) {
	t.Run("told", func(t *testing.T) { test(t, true) })
	t.Run("not told", func(t *testing.T) { test(t, false) })
}
