package data

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/partition"
	"ottla/internal/wire"
)

// cutOff is a rig whose partition 0 has another replica, which may lead it too, on a
// node that is cut off as long as mute says. Partitions 0 and 1 have a record.
func cutOff(t *testing.T) (r *rig, mute *atomic.Bool) {
	t.Helper()
	r, mute = newRig(t), new(atomic.Bool)
	r.put(0, "a")
	r.put(1, "b")
	r.family.o.Mute = mute.Load
	must(t, r.parts["orders"][0].Become(partition.Role{Leader: 1, LeaderEpoch: 6, PartitionEpoch: 1, Replicas: []int32{1, 2}, ISR: []int32{1}}))
	return r, mute
}

// fetched is what a fetch of the newest version is answered.
func fetched(t *testing.T, resp kmsg.Response) string {
	t.Helper()
	f := resp.(*kmsg.FetchResponse)
	for _, topic := range f.Topics {
		for _, p := range topic.Partitions {
			if p.CurrentLeader.LeaderID >= 0 || len(f.Brokers) > 0 {
				t.Errorf("partition %d: it names node %d as the leader, and %v", p.Partition, p.CurrentLeader.LeaderID, f.Brokers)
			}
		}
	}
	return rows(t, f)
}

func TestAConsumerReadsWhatACutOffNodeHasAndIsSentAwayAtItsEnd(t *testing.T) {
	r, mute := cutOff(t)
	mute.Store(true)
	c := r.dial()
	away := wire.NotLeaderOrFollower.Name()
	for _, step := range []struct {
		what string
		from map[int32]int64
		want string
	}{
		{"what is there", map[int32]int64{0: 0}, "0:a"},
		{"at the end", map[int32]int64{0: 1}, "0:" + away},
		{"one at the end beside one that has records", map[int32]int64{0: 1, 1: 0}, "0:" + away + " 1:b"},
		{"two at the end, of which nobody else can lead one", map[int32]int64{0: 1, 1: 1}, "0:" + away + " 1:"},
	} {
		if got := fetched(t, c.ask(fetchRequest(17, step.from))); got != step.want {
			t.Errorf("%s: got %q, want %q", step.what, got, step.want)
		}
	}
	mute.Store(false)
	r.put(1, "c")
	if got := fetched(t, c.ask(fetchRequest(17, map[int32]int64{0: 1, 1: 1}))); !strings.HasPrefix(got, "0: 1:c") {
		t.Errorf("heard again: %q", got)
	}
}

func TestAConsumerThatWaitsIsSentAwayOnceTheNodeIsCutOff(t *testing.T) {
	r, mute := cutOff(t)
	c := r.dial()
	req := fetchRequest(17, map[int32]int64{0: 1})
	c.send(req)
	short := fetchRequest(17, map[int32]int64{0: 1})
	short.MaxWaitMillis = 20
	if got := fetched(t, r.dial().ask(short)); got != "0:" {
		t.Errorf("on a node that is heard: %q", got)
	}
	mute.Store(true)
	if got, want := fetched(t, c.receive(req, 1)), "0:"+wire.NotLeaderOrFollower.Name(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A fetch that looks whether the node is cut off, and finds it is not, waits on for
// what it came for; its connection may end meanwhile.
func TestAFetchWaitsOnAfterALook(t *testing.T) {
	r, mute := cutOff(t)
	looks := make(chan struct{}, 64)
	r.family.o.Mute = func() bool {
		select {
		case looks <- struct{}{}:
		default:
		}
		return mute.Load()
	}
	c, gone := r.dial(), r.dial()
	req := fetchRequest(17, map[int32]int64{0: 1})
	c.send(req)
	gone.send(req)
	for range 6 { // both armed, and looked at twice
		<-looks
	}
	must(t, gone.nc.Close())
	r.put(0, "late")
	if got := fetched(t, c.receive(req, 1)); got != "0:late" {
		t.Errorf("got %q", got)
	}
}
