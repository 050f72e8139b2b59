package partition

import (
	"testing"

	"ottla/internal/wire"
)

// TestACoordinatorWritesInItsLeadershipOnly: its batch is refused once another
// epoch has begun, though the partition is still led here.
func TestACoordinatorWritesInItsLeadershipOnly(t *testing.T) {
	r := memRig(t)
	inEpoch := func(epoch int32) AppendArgs {
		return AppendArgs{Acks: -1, Internal: true, InEpoch: true, LeaderEpoch: epoch}
	}
	r.lead(4)
	r.put(batch(1, 10, "a"), inEpoch(4))
	r.refuse(batch(1, 10, "b"), inEpoch(3), wire.FencedLeaderEpoch)
	r.lead(5)
	r.refuse(batch(1, 10, "c"), inEpoch(4), wire.FencedLeaderEpoch)
	if got := r.put(batch(1, 10, "d"), inEpoch(5)); got.BaseOffset != 1 {
		t.Errorf("the batch is at offset %d, want 1: a refused one left something", got.BaseOffset)
	}
}

func TestMayAppendSaysWhatAppendWould(t *testing.T) {
	r := memRig(t, func(c *Config) { c.MinInsync = 2 })
	check := func(epoch int32, want wire.Code) {
		t.Helper()
		if err := r.p.MayAppend(epoch); wire.CodeOf(err) != want {
			t.Errorf("epoch %d: got %v, want %s", epoch, err, want.Name())
		}
	}
	r.become(Role{Leader: 1, LeaderEpoch: 4, PartitionEpoch: 4, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	check(4, wire.None)
	check(3, wire.FencedLeaderEpoch)
	check(5, wire.FencedLeaderEpoch)
	r.become(Role{Leader: 1, LeaderEpoch: 4, PartitionEpoch: 5, Replicas: []int32{1, 2}, ISR: []int32{1}})
	check(4, wire.NotEnoughReplicas)
	r.become(Role{Leader: 2, LeaderEpoch: 5, PartitionEpoch: 6, Replicas: []int32{1, 2}, ISR: []int32{1, 2}})
	check(5, wire.NotLeaderOrFollower)
	if err := r.p.Close(); err != nil {
		t.Fatal(err)
	}
	check(5, wire.NotLeaderOrFollower)
	if r.p.Note() != nil {
		t.Error("a closed partition has a note")
	}
}

func TestTheLargestBatchIsTheSmallerOfTwoLimits(t *testing.T) {
	for _, c := range []struct {
		message int
		segment int64
		want    int
	}{{1000, 5000, 1000}, {5000, 1000, 1000}, {1000, 0, 1000}} {
		r := memRig(t, func(x *Config) { x.Rules.MaxBatchBytes, x.Log.SegmentBytes = c.message, c.segment })
		if got := r.p.MaxBatch(); got != c.want {
			t.Errorf("max.message.bytes %d, segment.bytes %d: got %d, want %d", c.message, c.segment, got, c.want)
		}
	}
}
