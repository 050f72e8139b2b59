package data

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/partition"
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
