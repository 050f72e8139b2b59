package queue_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla/internal/event/queue"
	"ottla/internal/sim"
)

// told is what was asked of queues, and what was answered, about each message.
type told struct {
	mu                  sync.Mutex // guards the maps
	asked, sent         map[string]bool
	acknowledges, acked map[string]bool
	leased              map[string]int64 // until when
}

func newTold() *told {
	return &told{asked: map[string]bool{}, sent: map[string]bool{}, acknowledges: map[string]bool{}, acked: map[string]bool{}, leased: map[string]int64{}}
}

func (l *told) copy() *told {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &told{asked: maps.Clone(l.asked), sent: maps.Clone(l.sent), acknowledges: maps.Clone(l.acknowledges), acked: maps.Clone(l.acked), leased: maps.Clone(l.leased)}
}

// says notes something.
func (l *told) says(what func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what()
}

// moment is the disk at one operation, and what it must still hold.
type moment struct {
	what  string
	disk  *sim.Disk
	nowMs int64
	l     *told
}

// fewPartitions makes a node that is quick to start.
var fewPartitions = map[string]string{
	"transaction.state.log.num.partitions": "1", "offsets.topic.num.partitions": "1", "share.coordinator.state.topic.num.partitions": "1",
}

// mostMoments bounds how many of the moments of a run are tried.
const mostMoments = 30

// The power is cut at operations on the disk while messages are sent, taken,
// acknowledged, given back, rejected, written as dead letters and moved back.
// Afterwards what was acknowledged does not come, what is leased comes when that
// is over, and everything else comes once: nothing is lost, and neither dead
// letters nor moves make two of one.
func TestQueuesSurvivePowerCuts(t *testing.T) {
	d := sim.NewDisk(7)
	if err := errors.Join(d.MkdirAll("/data", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	r := startOn(t, d, time.Now().UnixMilli(), fewPartitions)
	r.create("dead", nil)
	r.create("orders", func(s *queue.Spec) {
		s.VisibilityMs, s.DeadLetter = visibilityMs, &queue.DeadLetter{Queue: ref("dead"), MaxReceives: 9}
	})
	l := newTold()
	var moments []moment
	var mu sync.Mutex // guards moments
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() && hasAny(op.Name, "/orders-", "/dead-", "/__") {
			m := moment{op.String(), d.Clone(uint64(op.Seq)), r.clock.ms.Load(), l.copy()}
			mu.Lock()
			moments = append(moments, m)
			mu.Unlock()
		}
		return sim.Action{}
	})
	r.work(l)
	d.OnOp(nil)
	mu.Lock()
	all := moments
	mu.Unlock()
	if len(all) < mostMoments {
		t.Fatalf("only %d operations", len(all))
	}
	for i := range mostMoments {
		m := all[(i*len(all)+len(all)/2)/mostMoments]
		t.Run(fmt.Sprint("moment ", i), func(t *testing.T) { m.verify(t) })
	}
}

func hasAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// visibilityMs is how long messages are leased: longer than a move leases them.
const visibilityMs = 600_000

// work does everything once that can be done with messages.
func (r *rig) work(l *told) {
	r.Helper()
	for i := range 8 {
		body := fmt.Sprint("m", i)
		l.says(func() { l.asked[body] = true })
		r.send("orders", body)
		l.says(func() { l.sent[body] = true })
	}
	got := r.take("orders", 8)
	l.says(func() {
		for _, m := range got {
			l.leased[string(m.Body)] = r.clock.ms.Load() + visibilityMs
		}
	})
	if len(got) != 8 {
		r.Fatalf("took %s", bodies(got))
	}
	r.ackTold(l, "orders", got[:2])
	free := func(all []queue.Taken) {
		l.says(func() {
			for _, m := range all {
				delete(l.leased, string(m.Body))
			}
		})
	}
	free(got[2:6])
	r.good("reject", r.q.Reject(r.ctx, ref("orders"), receipts(got[2:5])))
	r.good("nack", r.q.Nack(r.ctx, ref("orders"), []queue.Nack{{Receipt: got[5].Receipt, DelayMs: 30_000}}))
	r.good("extend", r.q.Extend(r.ctx, ref("orders"), []queue.Extension{{Receipt: got[6].Receipt, ForMs: 2 * visibilityMs}}))
	l.says(func() { l.leased[string(got[6].Body)] = r.clock.ms.Load() + 2*visibilityMs })
	r.dead("orders", 3)
	m, err := r.q.StartMove(r.ctx, ref("dead"), nil, 0)
	r.must(err)
	if got := r.moved(m); got.Status != queue.MoveCompleted || got.Moved != 3 {
		r.Fatalf("%+v", got)
	}
	r.ackTold(l, "orders", r.take("orders", 2))
}

// ackTold acknowledges messages.
func (r *rig) ackTold(l *told, name string, all []queue.Taken) {
	r.Helper()
	l.says(func() {
		for _, m := range all {
			l.acknowledges[string(m.Body)] = true
			delete(l.leased, string(m.Body))
		}
	})
	r.good("ack", r.q.Ack(r.ctx, ref(name), receipts(all)))
	l.says(func() {
		for _, m := range all {
			l.acked[string(m.Body)] = true
		}
	})
}

// verify starts a node after the power was cut at a moment.
func (m *moment) verify(t *testing.T) {
	m.disk.Crash()
	m.disk.Restart()
	r := startOn(t, m.disk, m.nowMs, fewPartitions)
	came := map[string]int{}
	for body, n := range r.some() {
		if until, held := m.l.leased[body]; held {
			t.Errorf("power cut at %s: %s came although it is leased for another %d ms", m.what, body, until-m.nowMs)
		}
		came[body] += n
	}
	r.goesOn()
	for passes := 0; passes < 3 || m.lacks(came) != ""; passes++ { // leases and delays are over one after the other
		if r.ctx.Err() != nil {
			t.Fatalf("power cut at %s: %s is lost", m.what, m.lacks(came))
		}
		if passes < 3 {
			r.pass(2 * visibilityMs * time.Millisecond)
		}
		for body, n := range r.everything() {
			came[body] += n
		}
	}
	for body, n := range came {
		switch {
		case !m.l.asked[body]:
			t.Errorf("power cut at %s: %s came, and nobody sent it", m.what, body)
		case m.l.acked[body]:
			t.Errorf("power cut at %s: %s came %d times after it was acknowledged", m.what, body, n)
		case n > 1:
			t.Errorf("power cut at %s: %s came %d times", m.what, body, n)
		}
	}
	r.want("nothing is left in orders", r.stats("orders"), "0 0 0 0")
	r.want("nothing is left in dead", r.stats("dead"), "0 0 0 0")
}

// lacks names a message that was sent, is not acknowledged, and has not come.
func (m *moment) lacks(came map[string]int) string {
	for body := range m.l.sent {
		if came[body] == 0 && !m.l.acknowledges[body] {
			return body
		}
	}
	return ""
}

// goesOn waits until moves are over. Time stands still: whoever carries on a move
// waits for no lease of who began it.
func (r *rig) goesOn() {
	r.Helper()
	moves, err := r.q.ListMoves(r.ctx, ref("dead"), 10)
	r.must(err)
	for _, m := range moves {
		if got := r.moved(m); got.Status != queue.MoveCompleted {
			r.Errorf("a move that went on: %+v", got)
		}
	}
	if s, err := r.q.Stats(r.ctx, ref("dead")); err != nil || s.InFlight != 0 {
		r.Errorf("moves are over, and of dead letters are out: %+v, %v", s, err)
	}
}

// some takes and acknowledges what there is now, in the queue and among its dead
// letters.
func (r *rig) some() map[string]int {
	r.Helper()
	out := map[string]int{}
	for _, name := range []string{"orders", "dead"} {
		got := r.take(name, 100)
		for i := range got {
			out[string(got[i].Body)]++
		}
		r.good("ack", r.q.Ack(r.ctx, ref(name), receipts(got)))
	}
	return out
}

// everything does so until there is nothing any more, and no move is under way.
func (r *rig) everything() map[string]int {
	r.Helper()
	out := map[string]int{}
	for idle := false; !idle; {
		if idle = true; r.ctx.Err() != nil {
			r.Fatal("a move does not end")
		}
		moves, err := r.q.ListMoves(r.ctx, ref("dead"), 10)
		r.must(err)
		for _, m := range moves {
			idle = idle && m.Status != queue.MoveRunning
		}
		got := r.some()
		for body, n := range got {
			out[body] += n
		}
		idle = idle && len(got) == 0
	}
	return out
}
