package shares

import (
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// held is the one partition of a node.
type held struct{ p *partition.Partition }

func (h held) ByID(uuid.UUID, int32) (*partition.Partition, wire.Code) { return h.p, wire.None }

// A member at a node that is cut off gets no records of a partition that another node
// may lead by now: it is sent away after a moment.
func TestAMemberOfACutOffNodeIsSentAway(t *testing.T) { synctest.Test(t, sentAway) }

func sentAway(t *testing.T) {
	w := wheel.New()
	defer w.Close()
	p := partition.New(partition.Options{Topic: "t", ID: uuid.UUID{1}, NodeID: 1, Now: time.Now})
	if err := p.Become(partition.Role{Leader: 1, LeaderEpoch: 5, Replicas: []int32{1, 2}, ISR: []int32{1, 2}}); err != nil {
		t.Fatal(err)
	}
	m := lead.New(lead.Options{Partitions: held{p}, Now: time.Now, Wheel: w})
	defer m.Close()
	f := &Family{wheel: w, d: Deps{Mute: func() bool { return true }}}
	a := &fetchAnswer{f: f, maxWait: time.Hour, maxRecords: 10, maxBytes: 1 << 20, received: time.Now(),
		parts: []fetchPart{{part: m.Part(store.Key{Group: "g", TopicID: uuid.UUID{1}})}}}
	a.timer.Fire = a.expire
	if a.collect() {
		t.Fatal("it is answered at once, and would come again at once")
	}
	a.wait()
	for !a.IsReady() {
		<-time.After(time.Millisecond)
	}
	a.unwatch()
	if !a.collect() || wire.CodeOf(a.parts[0].err) != wire.NotLeaderOrFollower {
		t.Errorf("after a moment: %v", a.parts[0].err)
	}
	a.disarm()
}
