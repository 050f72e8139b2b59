package main

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// said tells that a line was.
type said chan struct{}

func (s said) Write(b []byte) (int, error) {
	select {
	case s <- struct{}{}:
	default: // one is enough
	}
	return len(b), nil
}

// A static member of a group that the broker shares out has left when its session
// is closed (KIP-848), so that who comes back under its name gets its place at
// once.
func TestAStaticWorkerLeavesItsPlace(t *testing.T) {
	g := newGround(t, []string{"t"})
	first := make(said, 1)
	w := &worker{child: &child{speaker: speaker{w: first}, task: task{
		Address: g.address, ID: "x", Group: "g", In: "t", Partitions: 1, TimeoutMs: 3000, Static: true, Server: true,
	}}}
	g.must(w.enter())
	<-first // it says what it is given
	w.close(g.ctx)
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.InstanceID, req.MemberID = w.Group, &w.ID, "another"
	req.RebalanceTimeoutMillis, req.SubscribedTopicNames = 6000, []string{w.In}
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	resp, err := req.RequestWith(g.ctx, g.client)
	g.must(err)
	g.must(kerr.ErrorForCode(resp.ErrorCode))
	if resp.Assignment == nil || len(resp.Assignment.Topics) != 1 {
		t.Errorf("it is given %+v, want the partition", resp.Assignment)
	}
}
