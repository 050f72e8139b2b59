package liveness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/controller"
)

// asks has somebody ask, and closes what it gives when the wait is over.
func asks(ctx context.Context, c *cluster) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		c.keeper.Settled(ctx)
		close(done)
	}()
	return done
}

// settled tells whether somebody who asks now need not wait.
func settled(c *cluster) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := asks(ctx, c)
	synctest.Wait()
	select {
	case <-done:
		return true
	default:
		cancel()
		<-done
		return false
	}
}

// Who asks where things are waits until a node whose connection was reset is
// fenced, wherever it is asked, or reached again; and for all others not at all.
func TestWhoAsksWaitsUntilItIsKnownWhatBecameOfANode(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.keeper.OnLeader(3, 6) // another leads, and fences
		if !settled(c) {
			t.Error("all is well, and somebody waits")
		}
		c.set(func() { c.probes[2] = errors.New("connection refused") })
		for _, node := range []int32{1, 9} { // this node, and one that nobody knows
			c.keeper.ConnectionDown(node)
		}
		if !settled(c) {
			t.Error("somebody waits for this node or for none")
		}
		c.keeper.ConnectionDown(2)
		if settled(c) {
			t.Error("node 2 may be gone, and nobody waits")
		}
		began := time.Now()
		done := asks(context.Background(), c)
		pass(100 * time.Millisecond)
		c.must(controller.FenceBroker{ID: 2, Epoch: c.image().Broker(2).Epoch})
		<-done
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("node 2 was fenced after 100 ms, and the wait ended after %v", took)
		}
		c.keeper.ConnectionDown(2)
		if !settled(c) {
			t.Error("node 2 is fenced, and somebody waits for it")
		}
		c.keeper.ConnectionDown(3) // a probe finds it well
		if !settled(c) {
			t.Error("node 3 is well, and somebody waits for it")
		}
	})
}

// What does not come to an end is not waited for.
func TestNobodyWaitsLongForWhatBecomesOfANode(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.keeper.OnLeader(3, 6)
		c.set(func() { c.probes[2] = errors.New("connection refused") })
		c.keeper.ConnectionDown(2)
		pass(doubtFor / 2)
		began := time.Now()
		c.keeper.Settled(context.Background())
		if took := time.Since(began); took < doubtFor/2 || took > doubtFor {
			t.Errorf("it took %v, want the rest of %v at least and no more than that", took, doubtFor)
		}
		pass(doubtFor)
		if !settled(c) {
			t.Error("somebody still waits")
		}
		c.keeper.ConnectionDown(2)
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		began = time.Now()
		c.keeper.Settled(short)
		if took := time.Since(began); took != time.Millisecond {
			t.Errorf("who has a millisecond waited %v", took)
		}
		go func() {
			pass(time.Millisecond)
			c.keeper.Close()
		}()
		c.keeper.Settled(context.Background()) // ends with the node
	})
}

// A connection that is reset again while a probe is under way is probed again.
func TestAProbeThatWasTooEarlyIsMadeAgain(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2)
		c.mu.Lock() // the probe takes as long as this is held
		c.keeper.ConnectionDown(2)
		c.mu.Unlock()
		synctest.Wait()
		if c.image().Broker(2).Fenced {
			t.Fatal("a probe found node 2 well, and it is fenced")
		}
		first := true
		c.keeper.o.Probe = func(context.Context, int32) error {
			if first {
				first = false
				c.keeper.ConnectionDown(2)
				return nil
			}
			return errors.New("connection refused")
		}
		c.kill(2)
		c.keeper.ConnectionDown(2)
		synctest.Wait()
		if !c.image().Broker(2).Fenced {
			t.Error("node 2 ended while it was probed, and is not fenced")
		}
	})
}

// Clients ask often: where all is well it costs them nothing.
func TestThatAllIsWellCostsNothing(t *testing.T) {
	k := NewKeeper(KeeperOptions{NodeID: 1})
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { k.Settled(ctx) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
