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

// A node in whose place another may lead does not say that an offset which the other
// gave is out of range, nor that a leadership is not known: consumers would begin anew
// (a restart of a consumer beside a node that was cut off lost its committed offset so).
func TestWhoMayLeadNoMoreTellsNobodyThatAnOffsetIsOutOfRange(t *testing.T) {
	r, _ := cutOff(t)
	var trusted atomic.Bool
	r.family.o.Trusted = trusted.Load
	c := r.dial()
	away, out := wire.NotLeaderOrFollower.Name(), wire.OffsetOutOfRange.Name()
	for _, step := range []struct {
		what    string
		trusted bool
		from    map[int32]int64
		want    string
	}{
		{"above the end", false, map[int32]int64{0: 7}, "0:" + away},
		{"below the start", false, map[int32]int64{0: -1}, "0:" + out},
		{"above the end where nobody else can lead", false, map[int32]int64{1: 7}, "1:" + out},
		{"above the end of who leads", true, map[int32]int64{0: 7}, "0:" + out},
	} {
		trusted.Store(step.trusted)
		if got := fetched(t, c.ask(fetchRequest(17, step.from))); got != step.want {
			t.Errorf("%s: got %q, want %q", step.what, got, step.want)
		}
	}
}

func TestWhoMayLeadNoMoreTellsNobodyThatALeadershipIsUnknown(t *testing.T) {
	r, _ := cutOff(t)
	var trusted atomic.Bool
	r.family.o.Trusted = trusted.Load
	c := r.dial()
	for _, step := range []struct {
		what    string
		trusted bool
		index   int32
		epoch   int32
		end     int64
		code    wire.Code
	}{
		{"a later one", false, 0, 9, -1, wire.NotLeaderOrFollower},
		{"one that is known", false, 0, 5, 1, wire.None},
		{"a later one where nobody else can lead", false, 1, 9, -1, wire.None},
		{"a later one of who leads", true, 0, 9, -1, wire.None},
	} {
		trusted.Store(step.trusted)
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		req.Version = 4
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = step.index, -1, step.epoch
		req.Topics = append(req.Topics, kmsg.OffsetForLeaderEpochRequestTopic{Topic: "orders", Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{p}})
		got := c.ask(req).(*kmsg.OffsetForLeaderEpochResponse).Topics[0].Partitions[0]
		if wire.Code(got.ErrorCode) != step.code || got.EndOffset != step.end {
			t.Errorf("%s: code %d, epoch %d ends at %d; want code %d, end %d", step.what, got.ErrorCode, got.LeaderEpoch, got.EndOffset, step.code, step.end)
		}
	}
}

// Nor that no record is as late as a time: who asks would begin at the end, and miss
// what was written elsewhere meanwhile. What it has it tells.
func TestWhoMayLeadNoMoreTellsNobodyThatNoRecordIsSoLate(t *testing.T) {
	r, _ := cutOff(t)
	var trusted atomic.Bool
	r.family.o.Trusted = trusted.Load
	c := r.dial()
	const written = 1_700_000_000_000 // by put
	for _, step := range []struct {
		what    string
		trusted bool
		index   int32
		time    int64
		offset  int64
		code    wire.Code
	}{
		{"later than all", false, 0, written + 1, -1, wire.NotLeaderOrFollower},
		{"as late as one", false, 0, written, 0, wire.None},
		{"the end", false, 0, partition.TimeLatest, 1, wire.None},
		{"later than all where nobody else can lead", false, 1, written + 1, -1, wire.None},
		{"later than all on who leads", true, 0, written + 1, -1, wire.None},
	} {
		trusted.Store(step.trusted)
		req := kmsg.NewPtrListOffsetsRequest()
		req.Version = 7
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.CurrentLeaderEpoch = step.index, step.time, -1
		req.Topics = append(req.Topics, kmsg.ListOffsetsRequestTopic{Topic: "orders", Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}})
		got := c.ask(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
		if wire.Code(got.ErrorCode) != step.code || got.Offset != step.offset {
			t.Errorf("%s: code %d, offset %d; want code %d, offset %d", step.what, got.ErrorCode, got.Offset, step.code, step.offset)
		}
	}
}
