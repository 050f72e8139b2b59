package failover

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// markers note what is to be written; it is when a test says so.
type markers struct {
	mu      sync.Mutex
	written []txn.Marker
	hold    bool
	news    chan struct{} // has something in it after each
}

func newMarkers() *markers { return &markers{news: make(chan struct{}, 100)} }

func (m *markers) Write(ctx context.Context, x txn.Marker, done func(error)) {
	m.mu.Lock()
	m.written = append(m.written, x)
	hold := m.hold
	m.mu.Unlock()
	if hold {
		context.AfterFunc(ctx, func() { done(ctx.Err()) }) // its leadership ends first
	} else {
		done(nil)
	}
	m.news <- struct{}{}
}

func (m *markers) take() []txn.Marker {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.written
	m.written = nil
	return out
}

// txnPair are two nodes with transactions, and who writes for each.
func txnPair(t *testing.T) (*pair, [2]*markers) {
	all := [2]*markers{newMarkers(), newMarkers()}
	return newPair(t, func(node int) coordinator.Machine {
		return txn.New(txn.Options{Settings: txn.Defaults(), Markers: all[node], Level: func() int16 { return 2 }})
	}), all
}

var part = []txn.TopicPartition{{Topic: "orders", Partition: 2}}

func begin(p *pair) txn.InitReply {
	p.t.Helper()
	who := do[txn.InitReply](p, txn.Init{ID: "tx", TimeoutMs: 60_000, ProducerID: -1, Epoch: -1, FreshID: 7})
	do[any](p, txn.Add{ID: "tx", ProducerID: who.ProducerID, Epoch: who.Epoch, Version: txn.V2, Partitions: part})
	return who
}

func TestADecidedTransactionIsCompletedByTheNewCoordinator(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p, m := txnPair(t)
		who := begin(p)
		m[0].hold = true
		end := txn.End{ID: "tx", ProducerID: who.ProducerID, Epoch: who.Epoch, Commit: true, Version: txn.V2, FreshID: -1}
		first := p.start(end)
		<-m[0].news // it is decided
		p.move(told)
		<-m[1].news
		got := m[1].take()
		if len(got) != 1 || !got[0].Commit || got[0].ProducerID != who.ProducerID || got[0].ProducerEpoch != who.Epoch+1 ||
			got[0].CoordinatorEpoch != p.log.epoch || !slices.Equal(got[0].Partitions, part) {
			t.Errorf("markers %+v of the new coordinator", got)
		}
		if told {
			p.refused("who asked for the end", first, wire.NotCoordinator)
		}
		next := do[txn.EndReply](p, end) // asked again, where it is now
		if next.ProducerID != who.ProducerID || next.Epoch != who.Epoch+1 {
			t.Errorf("the next transaction's producer is %+v", next)
		}
		if told {
			p.refused("an end at the old node", p.startAt(p.old(), txn.End{ID: "tx", ProducerID: next.ProducerID, Epoch: next.Epoch, Version: txn.V2, FreshID: -1}), wire.NotCoordinator)
		}
		do[any](p, txn.Add{ID: "tx", ProducerID: next.ProducerID, Epoch: next.Epoch, Version: txn.V2, Partitions: part})
		end.Epoch, end.Commit = next.Epoch, false
		do[txn.EndReply](p, end)
		if got := m[1].take(); len(got) != 1 || got[0].Commit {
			t.Errorf("markers %+v, want one that aborts", got)
		}
	})
}

func TestADecisionThatWasNotCommittedIsNone(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p, m := txnPair(t)
		who := begin(p)
		p.log.hold()
		end := txn.End{ID: "tx", ProducerID: who.ProducerID, Epoch: who.Epoch, Commit: true, Version: txn.V2, FreshID: -1}
		lost := p.start(end)
		written := txn.Describe{ID: "tx"}
		asked := p.start(written) // it waits behind the decision, so that is written
		for p.pending() == 0 {
			p.yield()
		}
		p.move(told)
		if told {
			p.refused("who asked for the end", lost, wire.NotCoordinator)
			p.refused("who came behind", asked, wire.NotCoordinator)
		}
		if d := do[txn.Described](p, written); d.State != txn.Ongoing || !slices.Equal(d.Partitions, part) {
			t.Errorf("at the new node: %+v, want it ongoing", d)
		}
		end.Commit = false
		do[txn.EndReply](p, end)
		if a, b := m[0].take(), m[1].take(); len(a) != 0 || len(b) != 1 || b[0].Commit {
			t.Errorf("markers %+v of the old coordinator and %+v of the new", a, b)
		}
	})
}

func TestTimeRunsOutAtTheNewCoordinatorToo(t *testing.T) {
	p, m := txnPair(t)
	who := begin(p)
	p.clock.advance(50 * time.Second)
	p.move(true)
	p.clock.advance(20 * time.Second) // the transaction's minute is over: that is in the log
	<-m[1].news
	if got := m[1].take(); len(got) != 1 || got[0].Commit || got[0].ProducerEpoch <= who.Epoch {
		t.Errorf("markers %+v, want an abort that fences", got)
	}
	p.refused("a commit that comes too late", p.start(txn.End{ID: "tx", ProducerID: who.ProducerID, Epoch: who.Epoch, Commit: true, Version: txn.V2, FreshID: -1}), wire.InvalidTxnState)
}
