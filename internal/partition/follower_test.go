package partition

import (
	"maps"
	"slices"
	"testing"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// following is a rig whose partition follows node 2 in epoch 7.
func following(t testing.TB, adjust ...func(*Config)) *rig {
	t.Helper()
	r := memRig(t, adjust...)
	r.become(Role{Leader: 2, LeaderEpoch: 7, PartitionEpoch: 7, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	return r
}

// led is a batch as a leader of an epoch has it.
func led(offset int64, epoch int32, n int, adjust ...func(*record.Builder)) []byte {
	b := batch(n, 10, "led", adjust...)
	record.SetBaseOffset(b, offset)
	record.SetLeaderEpoch(b, epoch)
	return b
}

// take hands bytes to the follower.
func (r *rig) take(want wire.Code, end int64, parts ...[]byte) {
	r.t.Helper()
	got, err := r.p.AppendFollower(slices.Concat(parts...), &FollowerArgs{LeaderEpoch: 7, HighWatermark: 99, LogStart: 0})
	if wire.CodeOf(err) != want || got != end {
		r.t.Fatalf("got the end %d and %v, want %d and %s", got, err, end, want.Name())
	}
}

// TestAFollowerTakesWhatIsSoundAndNew: what is before a bad batch is kept.
func TestAFollowerTakesWhatIsSoundAndNew(t *testing.T) {
	r := following(t)
	damaged := led(9, 7, 2)
	damaged[len(damaged)-1]++
	r.take(wire.None, 0)
	r.take(wire.None, 3, led(0, 5, 3))
	r.take(wire.None, 3, led(0, 5, 3))                                  // again
	r.take(wire.None, 6, led(0, 5, 3), led(3, 6, 3), led(6, 6, 9)[:80]) // known, new, cut off
	r.take(wire.CorruptMessage, 9, led(6, 7, 3), damaged)
	r.take(wire.CorruptMessage, 9, led(9, 8, 1))                // of an epoch to come
	r.take(wire.CorruptMessage, 9, led(7, 7, 4))                // across the end
	r.take(wire.CorruptMessage, 11, led(9, 7, 2), led(5, 7, 3)) // out of order
	r.take(wire.CorruptMessage, 11, []byte("rubbish of more than the bytes that a header of a batch has, which is 61 as all know"))
	r.take(wire.None, 22, led(20, 7, 2)) // a gap: the leader has none of that
	if o := r.p.Offsets(); o.HighWatermark != 22 || o.LogEnd != 22 {
		t.Errorf("it stands at %+v", o)
	}
}

// TestOnlyTheLeaderOfTheEpochIsFollowed: everything else is refused before anything
// is written.
func TestOnlyTheLeaderOfTheEpochIsFollowed(t *testing.T) {
	r := following(t)
	r.take(wire.None, 3, led(0, 5, 3))
	for epoch, want := range map[int32]wire.Code{6: wire.FencedLeaderEpoch, 8: wire.UnknownLeaderEpoch, -1: wire.FencedLeaderEpoch} {
		if _, err := r.p.AppendFollower(led(3, 5, 1), &FollowerArgs{LeaderEpoch: epoch}); wire.CodeOf(err) != want {
			t.Errorf("append in epoch %d: %v, want %s", epoch, err, want.Name())
		}
		if _, err := r.p.TruncateTo(epoch, 0, 0); wire.CodeOf(err) != want {
			t.Errorf("truncate in epoch %d: %v, want %s", epoch, err, want.Name())
		}
		if err := r.p.StartOver(epoch, 50); wire.CodeOf(err) != want {
			t.Errorf("start over in epoch %d: %v, want %s", epoch, err, want.Name())
		}
	}
	r.become(Role{Leader: 1, LeaderEpoch: 8, PartitionEpoch: 8, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	if _, err := r.p.AppendFollower(nil, &FollowerArgs{LeaderEpoch: 8}); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("a leader follows: %v", err)
	}
	if _, err := r.p.Follow(); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("a leader tells what it would ask: %v", err)
	}
	if o := r.p.Offsets(); o.LogEnd != 3 {
		t.Errorf("something was written: %+v", o)
	}
}

// TestAFollowerGoesOnAsTheLeaderWas: sequences, open transactions, the last stable
// offset; and what was cut off is not remembered.
func TestAFollowerGoesOnAsTheLeaderWas(t *testing.T) {
	r := following(t)
	end := marker(8, 0, true)
	record.SetBaseOffset(end, 6)
	record.SetLeaderEpoch(end, 7)
	txn := func(id int64) []func(*record.Builder) {
		return []func(*record.Builder){from(id, 0, 0), transactional}
	}
	r.take(wire.None, 11, led(0, 7, 2, from(5, 0, 0)), led(2, 7, 2, txn(8)...), led(4, 7, 2, txn(9)...), end, led(7, 7, 2, from(5, 0, 2)), led(9, 7, 2, from(5, 0, 4)))
	if o := r.p.Offsets(); o.LastStable != 4 || o.HighWatermark != 11 {
		t.Fatalf("it stands at %+v, want the open transaction at 4 to hold", o)
	}
	open := map[int64]int64{}
	infos, err := r.p.Producers()
	for _, info := range infos {
		open[info.ProducerID] = info.CurrentTxnStartOffset
	}
	if want := map[int64]int64{5: -1, 8: -1, 9: 4}; err != nil || !maps.Equal(open, want) {
		t.Errorf("it tells of producers with transactions open from %v, %v; want %v", open, err, want)
	}
	if end, err := r.p.TruncateTo(7, 7, 9); err != nil || end != 9 {
		t.Fatalf("truncated to %d, %v", end, err)
	}
	r.become(Role{Leader: 1, LeaderEpoch: 8, PartitionEpoch: 8, Replicas: []int32{1}, ISR: []int32{1}})
	r.round()
	if !r.p.InTxn(9) || r.p.InTxn(8) {
		t.Error("it does not know which transactions are open")
	}
	if got := r.put(batch(2, 10, "led", from(5, 0, 2)), all); !got.Duplicate || got.BaseOffset != 7 {
		t.Errorf("the batch that stayed, sent again: %+v", got)
	}
	if got := r.put(batch(2, 10, "led", from(5, 0, 4)), all); got.Duplicate || got.BaseOffset != 9 {
		t.Errorf("the batch that was cut off, sent again: %+v", got)
	}
	if e, end, err := r.p.EpochEnd(8, 7); err != nil || e != 7 || end != 9 {
		t.Errorf("epoch 7 ends at %d (%d), %v", end, e, err)
	}
}

// TestATruncationBelowTheStartBeginsThere: everything here is of epochs that the
// leader does not have.
func TestATruncationBelowTheStartBeginsThere(t *testing.T) {
	r := following(t)
	r.take(wire.None, 6, led(0, 3, 3), led(3, 4, 3))
	r.round()
	if _, err := r.p.AppendFollower(nil, &FollowerArgs{LeaderEpoch: 7, HighWatermark: 6, LogStart: 4}); err != nil {
		t.Fatal(err)
	}
	if o := r.p.Offsets(); o.LogStart != 4 {
		t.Fatalf("it starts at %d, want 4 as its leader", o.LogStart)
	}
	if end, err := r.p.TruncateTo(7, 2, 1); err != nil || end != 1 {
		t.Errorf("the log ends at %d, %v, want 1", end, err)
	}
	if o := r.p.Offsets(); o.LogStart != 1 || o.LogEnd != 1 || o.HighWatermark != 1 {
		t.Errorf("it stands at %+v", o)
	}
}

// TestFetchingForAReplicaAllocatesNothing: nor does telling its progress, nor looking
// at a partition at rest for the ISR.
func TestFetchingForAReplicaAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector allocates: the paths run once")
	}
	r := memRig(t)
	r.become(Role{Leader: 1, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	r.put(batch(3, 100, "x"), AppendArgs{Acks: 1})
	r.round()
	a := ReplicaArgs{Replica: 2, BrokerEpoch: 9, Synced: 3, FetchArgs: FetchArgs{Offset: 3, MaxBytes: 1 << 20, CurrentLeaderEpoch: 1, LastFetchedEpoch: 1}}
	args := ProposeArgs{MaxLagMs: 1000, MayJoin: func(int32, int64) bool { return true }}
	var f Fetched
	n := testing.AllocsPerRun(100, func() {
		if err := r.p.FetchReplica(&a, &f); err != nil {
			t.Fatal(err)
		}
		if err := r.p.Progress(2, 1, 3); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.p.Propose(&args); ok {
			t.Fatal("the ISR changes at rest")
		}
	})
	if n > 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}
