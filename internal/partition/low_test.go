package partition

import (
	"testing"

	"ottla/internal/log"
	"ottla/internal/wire"
)

// TestTheLowWatermarkIsTheLowestStart: of the replicas that are alive; who waits for
// it looks again with every follower that tells where its log begins, and when the
// lead is lost (KIP-107).
func TestTheLowWatermarkIsTheLowestStart(t *testing.T) {
	r := memRig(t, func(c *Config) { c.Log.Durability, c.MinInsync = log.Replicated, 1 })
	defer r.stop()
	replicas := []int32{1, 2, 3}
	r.become(Role{Leader: 1, LeaderEpoch: 1, Replicas: replicas, ISR: replicas})
	r.put(batch(1, 10, "one"), AppendArgs{Acks: 1})
	fetch := func(node int32, start int64) {
		t.Helper()
		var f Fetched
		a := ReplicaArgs{Replica: node, BrokerEpoch: -1, Synced: 1, LogStart: start, FetchArgs: FetchArgs{Offset: 1, CurrentLeaderEpoch: 1, LastFetchedEpoch: 1}}
		if err := r.p.FetchReplica(&a, &f); err != nil {
			t.Fatal(err)
		}
	}
	fetch(2, 0)
	fetch(3, 0)
	all := func(int32) bool { return true }
	if start, err := r.p.DeleteRecords(1); err != nil || start != 1 {
		t.Fatalf("the start is %d, %v", start, err)
	}
	low, again, err := r.p.Low(all)
	if err != nil || low != 0 {
		t.Fatalf("the low watermark is %d, %v", low, err)
	}
	if low, _, _ := r.p.Low(func(node int32) bool { return node != 2 && node != 3 }); low != 1 {
		t.Errorf("of this one alone it is %d", low)
	}
	for i, want := range []int64{0, 1} {
		fetch(int32(2+i), 1)
		select {
		case <-again:
		default:
			t.Error("who waits is not told")
		}
		if low, again, err = r.p.Low(all); err != nil || low != want {
			t.Errorf("after node %d it is %d, %v; want %d", 2+i, low, err, want)
		}
	}
	r.become(Role{Leader: 2, LeaderEpoch: 2, PartitionEpoch: 1, Replicas: replicas, ISR: replicas})
	select {
	case <-again:
	default:
		t.Error("who waits is not told that the lead is lost")
	}
	if _, _, err := r.p.Low(all); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("a follower answers %v", err)
	}
}
