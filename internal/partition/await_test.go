package partition

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ottla/internal/log"
	"ottla/internal/sim"
	"ottla/internal/wire"
)

func TestAnAnswerLeavesWhenItsRecordsAreSynced(t *testing.T) {
	for _, acks := range []int16{1, -1} {
		t.Run(fmt.Sprint("acks ", acks), func(t *testing.T) {
			r := memRig(t)
			got := r.put(batch(3, 100, "a"), AppendArgs{Acks: acks})
			w := r.wait(got.End, acks)
			if o := r.p.Offsets(); o.HighWatermark != 0 || o.LogEnd != 3 {
				t.Errorf("before the sync: %+v, want nothing committed", o)
			}
			w.silent()
			r.round()
			w.told(wire.None)
			if done, err := r.p.Await(newWaiter(t), got.End, acks); !done || err != nil {
				t.Errorf("awaiting what is committed: %v %v, want done at once", done, err)
			}
		})
	}
}

func TestAcksZeroWaitsForNothing(t *testing.T) {
	r := memRig(t)
	got := r.put(batch(1, 100, "a"), AppendArgs{Acks: 0})
	if done, err := r.p.Await(newWaiter(t), got.End, 0); !done || err != nil {
		t.Errorf("got %v %v, want done", done, err)
	}
}

func TestUnderMemoryAndReplicatedAnAppendCountsAtOnce(t *testing.T) {
	for _, d := range []log.Durability{log.Replicated, log.Memory} {
		r := memRig(t, func(c *Config) { c.Log.Durability = d })
		got := r.put(batch(1, 100, "a"), all)
		if done, err := r.p.Await(newWaiter(t), got.End, -1); !done || err != nil {
			t.Errorf("durability %d: got %v %v, want done", d, done, err)
		}
		if f, b := r.get(at(0)); f.HighWatermark != 1 || len(split(t, b)) != 1 {
			t.Errorf("durability %d: fetched %d bytes, high watermark %d", d, len(b), f.HighWatermark)
		}
	}
}

func TestADuplicateWaitsForItsFirstAppend(t *testing.T) {
	r := memRig(t)
	b := func() []byte { return batch(2, 100, "a", from(5, 0, 0)) }
	r.put(b(), all)
	again := r.put(b(), all)
	if !again.Duplicate || again.BaseOffset != 0 || again.End != 2 {
		t.Fatalf("got %+v, want a duplicate of offset 0", again)
	}
	w := r.wait(again.End, -1)
	r.round()
	w.told(wire.None)
}

func TestALooserDurabilityCommitsWhatWaits(t *testing.T) {
	r := memRig(t)
	w := r.wait(r.put(batch(1, 100, "a"), all).End, -1)
	c := r.conf
	c.Log.Durability = log.Memory
	r.p.Configure(c)
	w.told(wire.None)
}

func TestWaitersLearnOnceThatTheLeadIsLost(t *testing.T) {
	r := memRig(t)
	end := r.put(batch(1, 100, "a"), all).End
	one, two := r.wait(end, -1), r.wait(end, 1)
	r.lead(1) // elected again: its log stays, so do the promises
	one.silent()
	r.become(Role{Leader: 2, LeaderEpoch: 2, PartitionEpoch: 2, Replicas: []int32{1, 2}, ISR: []int32{2}})
	one.told(wire.NotLeaderOrFollower)
	two.told(wire.NotLeaderOrFollower)
	r.round()
	one.silent()
	two.silent()
	if _, err := r.p.Await(newWaiter(t), end, -1); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("awaiting later: %v, want NOT_LEADER_OR_FOLLOWER", err)
	}
}

func TestWaitersLearnOfCloseAndDelete(t *testing.T) {
	r := memRig(t)
	w := r.wait(r.put(batch(1, 100, "a"), all).End, -1)
	if err := r.p.Close(); err != nil {
		t.Fatal(err)
	}
	w.told(wire.NotLeaderOrFollower)
	if err := r.p.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}

	r = memRig(t)
	w = r.wait(r.put(batch(1, 100, "a"), all).End, -1)
	if err := r.p.Delete(wire.UnknownTopicOrPartition); err != nil {
		t.Fatal(err)
	}
	w.told(wire.UnknownTopicOrPartition)
	r.refuse(batch(1, 100, "a"), all, wire.UnknownTopicOrPartition)
	if found := r.dir.Found(); len(found) != 0 {
		t.Errorf("a deleted log is still found: %v", found)
	}
}

func TestAFailedSyncTakesThePartitionOfflineAndTellsWaitersOnce(t *testing.T) {
	disk := sim.NewDisk(1)
	r := newRig(t, disk, "/data", plain())
	r.put(batch(1, 100, "kept"), all)
	r.round()
	end := r.put(batch(1, 100, "lost"), all).End
	one, two := r.wait(end, -1), r.wait(end, 1)
	s := new(sleeper)
	r.p.Watch(s, 1, ReadUncommitted)
	disk.OnOp(func(o sim.Op) sim.Action {
		if o.Kind == sim.OpSync || o.Kind == sim.OpSyncFS {
			return sim.Action{Err: fmt.Errorf("input/output error")}
		}
		return sim.Action{}
	})
	if err := r.dir.SyncRound(); err == nil {
		t.Fatal("the sync round did not fail")
	}
	_ = r.dir.SyncRound() // whoever was not told by the failing round is told by the next
	one.told(wire.KafkaStorageError)
	two.told(wire.KafkaStorageError)
	if calls := s.take(); !slices.Contains(calls, -1) {
		t.Errorf("the waiting fetch was told %v, want to answer at once", calls)
	}
	r.refuse(batch(1, 100, "x"), all, wire.KafkaStorageError)
	var f Fetched
	a := at(0)
	if err := r.p.Fetch(&a, &f); wire.CodeOf(err) != wire.KafkaStorageError || f.HighWatermark != -1 {
		t.Errorf("fetch: %v, high watermark %d", err, f.HighWatermark)
	}
	if o := r.p.Offsets(); o.HighWatermark != 1 {
		t.Errorf("high watermark %d, want 1: a failed sync commits nothing", o.HighWatermark)
	}
}

// numbered is a waiter that notes the order in which they are told.
type numbered struct {
	n   int
	end int64
	out *[]numbered
}

func (w numbered) Committed(error) { *w.out = append(*w.out, w) }

// TestQueueTellsInOrderOfOffset compares the queue with a sorted list.
func TestQueueTellsInOrderOfOffset(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var q queue
		var told, want, twin []numbered
		bound := int64(0)
		for n := range 2000 {
			if rnd.IntN(3) > 0 {
				w := numbered{n, bound + 1 + rnd.Int64N(20), &told}
				q.push(w.end, w)
				i, _ := slices.BinarySearchFunc(twin, w.end+1, func(x numbered, e int64) int { return int(x.end - e) })
				twin = slices.Insert(twin, i, w)
				continue
			}
			bound += rnd.Int64N(15)
			q.ready(nil, bound, nil).tell()
			for len(twin) > 0 && twin[0].end <= bound {
				want, twin = append(want, twin[0]), twin[1:]
			}
			if len(told) != len(want) {
				t.Fatalf("seed %d, step %d: told %d, want %d", seed, n, len(told), len(want))
			}
		}
		q.all(nil, nil).tell()
		want = append(want, twin...)
		for i := range want {
			if told[i] != want[i] {
				t.Fatalf("seed %d: number %d told %+v, want %+v", seed, i, told[i], want[i])
			}
		}
		if len(told) != len(want) || !q.empty() {
			t.Fatalf("seed %d: told %d, want %d; empty %v", seed, len(told), len(want), q.empty())
		}
	}
}

// quiet is a waiter without memory.
type quiet struct{ n int }

func (w *quiet) Committed(error) { w.n++ }

func TestWaitingAllocatesNothing(t *testing.T) {
	var q queue
	w := new(quiet)
	end := int64(0)
	allocs := testing.AllocsPerRun(1000, func() {
		for range 64 {
			end++
			q.push(end, w)
		}
		q.ready(nil, end-5, nil).tell()
	})
	if allocs != 0 && !raceEnabled { // under the race detector pools forget at random
		t.Errorf("%v allocations a round, want none", allocs)
	}
}
