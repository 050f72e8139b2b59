package liveness

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

func TestANodeServesOnceItHasAppliedItsRegistration(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2)
		c.set(func() { c.lags[3] = true })
		s := NewSpeaker(SpeakerOptions{NodeID: 3})
		c.set(func() { c.speakers[3] = s })
		epoch := c.must(c.register(3)).(int64)
		before := c.image().Offset - 1
		for _, applied := range []int64{before, before + 1} {
			resp := c.keeper.Heartbeat(&own.HeartbeatRequest{Node: 3, BrokerEpoch: epoch, AppliedOffset: applied})
			synctest.Wait()
			caughtUp := applied > before
			if resp.CaughtUp != caughtUp || !resp.Fenced || c.image().Broker(3).Fenced == caughtUp {
				t.Errorf("applied %d of %d: %+v, fenced %v", applied, before+1, resp, c.image().Broker(3).Fenced)
			}
		}
		if got := c.news(1); !slices.Equal(got, []bool{false}) {
			t.Errorf("node 1 was told %v", got)
		}
	})
}

func TestASilentNodeIsFencedAndOthersLead(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.topic("a", 2, 3, 1)
		c.kill(2)
		began := time.Now()
		for c.leader("a") == 2 {
			pass(10 * time.Millisecond)
		}
		if took := time.Since(began); took < time.Second || took > 2100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		c.mu.Lock()
		why := c.c.Reasons("a", 0)
		c.mu.Unlock()
		if len(why) != 1 || why[0].Why != "node 2 silent for 2.0 s" || why[0].From != 2 || why[0].To != 3 {
			t.Errorf("reasons: %v", why)
		}
		pass(time.Minute)
		if c.image().Broker(1).Fenced || c.image().Broker(3).Fenced {
			t.Error("nodes that speak are fenced")
		}
	})
}

func TestAResetConnectionAndAFailedProbeFenceAtOnce(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.keeper.ConnectionDown(3) // the probe finds it well
		synctest.Wait()
		c.kill(2)
		c.set(func() { c.probes[2] = errors.New("connection refused") })
		c.keeper.ConnectionDown(2)
		c.keeper.ConnectionDown(1) // this node
		synctest.Wait()
		if !c.image().Broker(2).Fenced || c.image().Broker(3).Fenced || c.image().Broker(1).Fenced {
			t.Errorf("fenced: 1 %v, 2 %v, 3 %v", c.image().Broker(1).Fenced, c.image().Broker(2).Fenced, c.image().Broker(3).Fenced)
		}
	})
}

// Those who follow probe the node that leads, and no other, and say when it is
// gone; who was elected meanwhile is not said to be.
func TestTheLeadersEndIsSaidByThoseWhoFollow(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.keeper.OnLeader(2, 6)
		c.keeper.ConnectionDown(2) // a probe finds it well
		c.set(func() { c.probes[3] = errors.New("connection refused") })
		c.keeper.ConnectionDown(3) // who does not lead
		synctest.Wait()
		if len(c.lost) != 0 {
			t.Errorf("said to be gone are %v", c.lost)
		}
		c.set(func() { // one probe at a time
			c.probes[2] = errors.New("connection refused")
			c.keeper.ConnectionDown(2)
			c.keeper.ConnectionDown(2)
		})
		synctest.Wait()
		if !slices.Equal(c.lost, []int32{2}) {
			t.Errorf("said to be gone are %v, want 2, once", c.lost)
		}
		c.mu.Lock() // the probe takes a moment
		c.keeper.ConnectionDown(2)
		c.keeper.OnLeader(3, 7)
		c.mu.Unlock()
		synctest.Wait()
		c.keeper.OnLeader(-1, 7)
		c.keeper.ConnectionDown(2)
		synctest.Wait()
		if len(c.lost) != 1 {
			t.Errorf("said to be gone are %v, and others lead", c.lost)
		}
	})
}

func TestAwaitWaitsForEveryNodeThatServes(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.set(func() { c.lags[2], c.lags[3] = true, true })
		c.topic("a", 1)
		offset := c.image().Offset
		done := 0
		c.keeper.Await(offset, func() { done++ })
		forgotten := 0
		c.keeper.Await(offset, func() { forgotten++ })()
		c.speakers[2].Applied(offset)
		pass(time.Second)
		if done != 0 {
			t.Fatal("node 3 has not applied it")
		}
		c.speakers[3].Applied(offset + 7)
		synctest.Wait()
		pass(leastGap)
		synctest.Wait()
		if done != 1 || forgotten != 0 {
			t.Errorf("done %d, forgotten %d", done, forgotten)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.keeper.Wait(ctx, offset+100); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an offset that never comes: %v", err)
		}
		// A node that falls silent is waited for no longer than until it is fenced.
		c.set(func() { c.cut[3] = true })
		c.speakers[1].Applied(offset + 100)
		c.speakers[2].Applied(offset + 100)
		if err := c.keeper.Wait(t.Context(), offset+100); err != nil || !c.image().Broker(3).Fenced {
			t.Errorf("%v, node 3 fenced: %v", err, c.image().Broker(3).Fenced)
		}
	})
}

func TestAStoppingNodeIsLetGoWhenTheOthersKnow(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		c.topic("a", 2, 3)
		c.topic("b", 2)
		pass(time.Second)
		c.set(func() { c.lags[3] = true })
		ended := make(chan error, 1)
		go func() { ended <- c.speakers[2].ShutDown(t.Context()) }()
		pass(time.Second)
		if c.leader("a") != 3 || c.leader("b") != metadata.NoLeader || c.image().Broker(2).Fenced {
			t.Errorf("leaders %d and %d, fenced %v", c.leader("a"), c.leader("b"), c.image().Broker(2).Fenced)
		}
		select {
		case err := <-ended:
			t.Fatalf("node 3 does not know yet: %v", err)
		default:
		}
		c.speakers[3].Applied(c.image().Offset)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !c.image().Broker(2).Fenced {
			t.Error("it has stopped and is not fenced")
		}
	})
}

// A node that is let go while it does not know yet that others lead would leave its
// clients without a word.
func TestAStoppingNodeIsLetGoWhenItKnowsItself(t *testing.T) {
	for _, fails := range []bool{false, true} {
		in(t, func(t *testing.T, c *cluster) {
			c.serving(1, 2, 3)
			c.topic("a", 2, 3)
			pass(time.Second)
			c.set(func() { c.lags[2] = true })
			ended := make(chan error, 1)
			go func() { ended <- c.speakers[2].ShutDown(t.Context()) }()
			pass(time.Second)
			if c.leader("a") != 3 || !c.image().Broker(2).Fenced {
				t.Errorf("leader %d, fenced %v: the others know", c.leader("a"), c.image().Broker(2).Fenced)
			}
			select {
			case err := <-ended:
				t.Fatalf("it does not know yet: %v", err)
			default:
			}
			if fails { // it may never hear of it
				c.speakers[2].Distrust()
			} else {
				c.speakers[2].Applied(c.image().Offset)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestANewLeadershipGivesEverybodyTime(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		done := false
		c.keeper.Await(1<<40, func() { done = true })
		c.keeper.OnLeader(2, 6)
		if !done {
			t.Error("who waits for a leader that was is not let go")
		}
		if resp := c.keeper.Heartbeat(&own.HeartbeatRequest{Node: 1}); wire.Code(resp.ErrorCode) != wire.NotController || resp.Leader != 2 || resp.LeaderEpoch != 6 {
			t.Errorf("a node that does not lead answers %+v", resp)
		}
		at := len(c.commands())
		c.set(func() { c.cut[1], c.cut[2], c.cut[3] = true, true, true })
		pass(time.Minute)
		if now := c.commands(); len(now) != at {
			t.Errorf("a node that does not lead gave %v", now[at:])
		}
		c.keeper.OnLeader(1, 7)
		pass(1900 * time.Millisecond)
		if c.image().Broker(3).Fenced {
			t.Error("node 3 had no time to be heard")
		}
		pass(200 * time.Millisecond)
		if !c.image().Broker(3).Fenced {
			t.Error("node 3 had its time")
		}
	})
}

func TestTheLeaderBeforeIsFencedSoonAfterItsEnd(t *testing.T) {
	for _, c := range []struct {
		what  string
		reset bool // its connection was reset: the process is gone
		least time.Duration
		most  time.Duration
	}{{"killed", true, 0, 10 * time.Millisecond}, {"cut off", false, 900 * time.Millisecond, 1100 * time.Millisecond}} {
		in(t, func(t *testing.T, cl *cluster) {
			cl.serving(1, 2, 3)
			cl.keeper.OnLeader(2, 6)
			cl.set(func() { cl.cut[2], cl.probes[2] = true, errors.New("connection refused") })
			pass(time.Second)
			if c.reset {
				cl.keeper.ConnectionDown(2)
				cl.keeper.ConnectionDown(3) // which a probe finds well
				cl.keeper.ConnectionDown(9)
			}
			cl.keeper.OnLeader(-1, 6)
			pass(1500 * time.Millisecond)
			began := time.Now()
			cl.keeper.OnLeader(1, 7)
			synctest.Wait()
			for !cl.image().Broker(2).Fenced {
				pass(time.Millisecond)
				synctest.Wait()
			}
			if took := time.Since(began); took < c.least || took > c.most {
				t.Errorf("%s: it took %v", c.what, took)
			}
			if cl.image().Broker(3).Fenced {
				t.Errorf("%s: node 3 is fenced too", c.what)
			}
		})
	}
}

func TestANodeAloneHasNoGoroutine(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		epoch := c.must(c.register(1)).(int64)
		c.must(controller.UnfenceBroker{ID: 1, Epoch: epoch})
		if c.busy() {
			t.Error("a goroutine for one node")
		}
		if err := c.keeper.Wait(t.Context(), 1<<40); err != nil {
			t.Error(err)
		}
		c.keeper.ConnectionDown(2)
		pass(time.Hour)
		if c.image().Broker(1).Fenced {
			t.Error("a node alone is fenced")
		}
		c.must(c.register(2))
		if !c.busy() {
			t.Error("nobody looks after two nodes")
		}
		c.must(controller.UnregisterBroker{ID: 2})
		if c.busy() {
			t.Error("a goroutine for one node, after there were two")
		}
	})
}

// A quorum that does not take changes at the moment (it changes its leader) is no
// reason to warn, any other refusal is.
func TestWhatTheControllerRefusesIsTriedAgain(t *testing.T) {
	for _, refusal := range []struct {
		err   error
		warns bool
	}{{wire.NotController, false}, {wire.KafkaStorageError, true}} {
		in(t, func(t *testing.T, c *cluster) {
			var log bytes.Buffer
			c.keeper.o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			c.serving(1, 2)
			c.set(func() { c.refuse = refusal.err })
			c.kill(2)
			pass(3 * time.Second)
			c.set(func() { c.refuse = nil })
			pass(tryAgain)
			synctest.Wait()
			if !c.image().Broker(2).Fenced {
				t.Errorf("%v: not fenced after %v", refusal.err, c.commands())
			}
			c.keeper.Close()
			if warned := log.Len() > 0; warned != refusal.warns {
				t.Errorf("%v: the log says %q", refusal.err, log.String())
			}
		})
	}
}

func TestLeadersGoBackToPreferredReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.keeper.Close()
		c.keeper = NewKeeper(KeeperOptions{NodeID: 1, Do: c.do, Rebalance: time.Minute})
		defer c.close()
		c.keeper.OnLeader(1, 1)
		c.serving(1, 2)
		c.topic("a", 2, 1)
		c.kill(2)
		pass(3 * time.Second)
		c.start(2)
		if err := c.speakers[2].WaitUnfenced(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := c.image().TopicByName("a").Partitions[0]
		c.must(controller.AlterPartition{Broker: 1, Epoch: c.image().Broker(1).Epoch, Partitions: []controller.NewISR{{
			TopicID: c.image().TopicByName("a").ID, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch,
			ISR: []controller.BrokerState{{Broker: 1, BrokerEpoch: -1}, {Broker: 2, BrokerEpoch: -1}},
		}}})
		if c.leader("a") != 1 {
			t.Fatalf("leader %d", c.leader("a"))
		}
		pass(time.Minute)
		if c.leader("a") != 2 {
			t.Errorf("leader %d after a minute", c.leader("a"))
		}
	})
}

func TestOnlyWhoIsGoneIsReplaced(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2, 3)
		vet := func(from, id int32, dir byte) (bool, error) {
			cmd, err := c.keeper.Vet(from, controller.RegisterBroker{Broker: metadata.Broker{ID: id, Directories: []uuid.UUID{{3, 15: dir}}}})
			if err != nil {
				return false, err
			}
			return cmd.(controller.RegisterBroker).OldGone, nil
		}
		for _, one := range []struct {
			what     string
			from, id int32
			dir      byte
			gone     bool
			refused  string
		}{
			{"as another node", 2, 3, 3, false, "cannot register as node 3"},
			{"as the node that leads", 1, 1, 1, false, "a copy of its data directory"},
			{"while the old process lives", 2, 2, 2, false, ""},
			{"an id that has no place", 7, 7, 7, false, "node 7 was removed from this cluster"},
		} {
			gone, err := vet(one.from, one.id, one.dir)
			if gone != one.gone || (err != nil) != (one.refused != "") || err != nil && !strings.Contains(err.Error(), one.refused) {
				t.Errorf("%s: gone %v, %v", one.what, gone, err)
			}
		}
		c.set(func() { c.cut[2] = true })
		pass(time.Second) // so that no heartbeat is on its way
		c.keeper.ConnectionDown(2)
		synctest.Wait()
		if gone, _ := vet(2, 2, 2); !gone {
			t.Error("the connection was reset, and the directory is the same: its lock is free")
		}
		if c.keeper.Runs(2) || !c.keeper.Runs(3) || c.keeper.Runs(7) {
			t.Errorf("run: node 2 %v, node 3 %v, node 7 %v", c.keeper.Runs(2), c.keeper.Runs(3), c.keeper.Runs(7))
		}
		if gone, _ := vet(2, 2, 9); gone {
			t.Error("the connection was reset, but the probe found it well and the directory is another")
		}
		if cmd, err := c.keeper.Vet(2, controller.Rebalance{}); err != nil || cmd != (controller.Rebalance{}) {
			t.Errorf("another command: %v, %v", cmd, err)
		}
	})
}
