package data

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// lapsing is a rig whose partition 0 waits for another replica, which never comes,
// on a node that others trust as long as trusted says.
func lapsing(t *testing.T) (r *rig, trusted *atomic.Bool) {
	t.Helper()
	r, trusted = newRig(t), new(atomic.Bool)
	r.family.o.Trusted = trusted.Load
	must(t, r.parts["orders"][0].Become(partition.Role{Leader: 1, LeaderEpoch: 6, PartitionEpoch: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}}))
	return r, trusted
}

// farOff is a time-out that no test waits for, in ms.
const farOff = 10 * 60 * 1000

// answered produces to partition 0 and gives what is answered.
func answered(t *testing.T, c *conn, acks int16, timeoutMs int32) wire.Code {
	t.Helper()
	req := produceRequest(10, acks, map[int32][]byte{0: batch("a")})
	req.TimeoutMillis = timeoutMs
	resp := c.ask(req).(*kmsg.ProduceResponse)
	p := resp.Topics[0].Partitions[0]
	if p.CurrentLeader.LeaderID >= 0 && wire.Code(p.ErrorCode) != wire.None {
		t.Errorf("it names node %d as the leader", p.CurrentLeader.LeaderID)
	}
	return wire.Code(p.ErrorCode)
}

func TestAProducerIsNotKeptByANodeWhosePlaceOthersMayHaveTaken(t *testing.T) {
	r, _ := lapsing(t)
	if got := answered(t, r.dial(), -1, farOff); got != wire.NotLeaderOrFollower {
		t.Errorf("got %v, want NOT_LEADER_OR_FOLLOWER", got)
	}
	if got := answered(t, r.dial(), 1, farOff); got != wire.None {
		t.Errorf("acks=1, which waits for nobody else: %v", got)
	}
}

func TestAProducerIsLetGoOnceOthersMayHaveTakenTheNodesPlace(t *testing.T) {
	r, trusted := lapsing(t)
	trusted.Store(true)
	c := r.dial()
	req := produceRequest(10, -1, map[int32][]byte{0: batch("a")})
	req.TimeoutMillis = farOff
	c.send(req)
	if got := answered(t, r.dial(), -1, 20); got != wire.RequestTimedOut {
		t.Errorf("on a node that nobody has taken the place of: %v, want REQUEST_TIMED_OUT", got)
	}
	trusted.Store(false)
	resp := c.receive(req, 1).(*kmsg.ProduceResponse)
	if got := wire.Code(resp.Topics[0].Partitions[0].ErrorCode); got != wire.NotLeaderOrFollower {
		t.Errorf("got %v, want NOT_LEADER_OR_FOLLOWER", got)
	}
}

// What waits for its own disk alone waits on: no other node could take it.
func TestAPartitionOfOneReplicaIsLedByNobodyElse(t *testing.T) {
	r, _ := lapsing(t)
	r.stopSync()
	c := r.dial()
	req := produceRequest(10, -1, map[int32][]byte{1: batch("a")})
	req.TimeoutMillis = 3 * int32(lapseEvery.Milliseconds())
	resp := c.ask(req).(*kmsg.ProduceResponse)
	if got := wire.Code(resp.Topics[0].Partitions[0].ErrorCode); got != wire.RequestTimedOut {
		t.Errorf("got %v, want REQUEST_TIMED_OUT", got)
	}
}

// A node in whose place another may lead refuses no batch for good: what is out of order
// here may follow what the producer wrote there, and it would be told that records of
// its were lost.
func TestWhoMayLeadNoMoreRefusesNoBatchForGood(t *testing.T) {
	r, trusted := lapsing(t)
	c := r.dial()
	numbered := func(seq int32) []byte {
		b := record.NewBuilder()
		b.ProducerID, b.BaseSequence = 7, seq
		b.Add(1_700_000_000_000, nil, []byte("a"))
		return b.Build(0)
	}
	write := func(index, seq int32) wire.Code {
		resp := c.ask(produceRequest(10, 1, map[int32][]byte{index: numbered(seq)})).(*kmsg.ProduceResponse)
		p := resp.Topics[0].Partitions[0]
		if p.CurrentLeader.LeaderID >= 0 {
			t.Errorf("it names node %d as the leader", p.CurrentLeader.LeaderID)
		}
		return wire.Code(p.ErrorCode)
	}
	for _, step := range []struct {
		what       string
		trusted    bool
		index, seq int32
		want       wire.Code
	}{
		{"the first", true, 0, 0, wire.None},
		{"the first where nobody else can lead", true, 1, 0, wire.None},
		{"a gap on who leads", true, 0, 5, wire.OutOfOrderSequenceNumber},
		{"a gap on who may lead no more", false, 0, 5, wire.NotLeaderOrFollower},
		{"a gap where nobody else can lead", false, 1, 5, wire.OutOfOrderSequenceNumber},
		{"one that follows", false, 0, 1, wire.None},
	} {
		trusted.Store(step.trusted)
		if got := write(step.index, step.seq); got != step.want {
			t.Errorf("%s: got %v, want %v", step.what, got, step.want)
		}
	}
}
