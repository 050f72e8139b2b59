package broker

import (
	"fmt"
	"testing"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

func TestCreatedTopicServesWhenItIsAnswered(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	c := r.create("orders", 3)
	for i := range int32(3) {
		if a := r.produce("orders", i, "x"); a.BaseOffset != 0 {
			t.Errorf("first offset of partition %d is %d", i, a.BaseOffset)
		}
		if p, code := r.broker.ByID(c.ID, i); code != wire.None || p != r.find("orders", i) {
			t.Errorf("by id: %v, %v", p, code)
		}
	}
}

func TestLookupCodes(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	c := r.create("orders", 1)
	for _, tt := range []struct {
		name  string
		index int32
		want  wire.Code
	}{{"orders", 0, wire.None}, {"orders", 1, wire.UnknownTopicOrPartition}, {"orders", -1, wire.UnknownTopicOrPartition}, {"nothing", 0, wire.UnknownTopicOrPartition}} {
		if p, code := r.broker.ByName([]byte(tt.name), tt.index); code != tt.want || (p != nil) != (code == wire.None) {
			t.Errorf("%s-%d: %v, want %v", tt.name, tt.index, code, tt.want)
		}
	}
	if _, code := r.broker.ByID(uuid.UUID{9}, 0); code != wire.UnknownTopicID {
		t.Errorf("unknown id: %v", code)
	}
	if _, code := r.broker.ByID(c.ID, 1); code != wire.UnknownTopicOrPartition {
		t.Errorf("known id, unknown partition: %v", code)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	c := r.create("orders", 1)
	name := []byte("orders")
	if n := testing.AllocsPerRun(100, func() {
		if p, code := r.broker.ByName(name, 0); p == nil || code != wire.None {
			t.Error(code)
		}
		if p, code := r.broker.ByID(c.ID, 0); p == nil || code != wire.None {
			t.Error(code)
		}
	}); n != 0 {
		t.Errorf("two look-ups allocate %v times", n)
	}
}

func TestEverythingComesBackAfterARestart(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	r.create("orders", 4)
	r.create("empty", 2)
	for n := range 10 {
		r.produce("orders", int32(n%4), fmt.Sprint(n))
	}
	epoch := r.find("orders", 0).Offsets().LeaderEpoch
	r.stop()
	r = start(t, f, 1)
	defer r.stop()
	r.awaitRecovery()
	if r.broker.Recovering() != 0 {
		t.Errorf("%d partitions are still recovering", r.broker.Recovering())
	}
	if o := r.find("orders", 0).Offsets(); o.LogEnd != 3 || o.HighWatermark != 3 || o.LeaderEpoch <= epoch {
		t.Errorf("orders-0 came back at %+v, want end 3 in a later epoch than %d", o, epoch)
	}
	if a := r.produce("empty", 1, "x"); a.BaseOffset != 0 {
		t.Errorf("the empty partition begins at %d", a.BaseOffset)
	}
}

func TestDeletedTopicIsGoneAndItsNameFree(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	old := r.create("orders", 2)
	r.produce("orders", 0, "old")
	p := r.find("orders", 0)
	r.remove("orders")
	if _, code := r.broker.ByName([]byte("orders"), 0); code != wire.UnknownTopicOrPartition {
		t.Errorf("after the deletion: %v", code)
	}
	if _, code := r.broker.ByID(old.ID, 0); code != wire.UnknownTopicID {
		t.Errorf("after the deletion, by id: %v", code)
	}
	if r.dirs[0].Holds("orders", 0) {
		t.Error("the directory is still there")
	}
	if o := p.Describe(); o.Topic != "orders" {
		t.Errorf("a partition that was handed out describes itself as %+v", o)
	}
	r.create("orders", 1)
	if a := r.produce("orders", 0, "new"); a.BaseOffset != 0 {
		t.Errorf("the new topic begins at %d: it inherited the old one's log", a.BaseOffset)
	}
	r.stop()
	r = start(t, f, 1)
	r.awaitRecovery()
	if o := r.find("orders", 0).Offsets(); o.LogEnd != 1 {
		t.Errorf("after a restart the new topic has %d records, want 1", o.LogEnd)
	}
	r.stop()
}

func TestPartitionsAreAdded(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	r.create("orders", 1)
	r.produce("orders", 0, "x")
	first := r.find("orders", 0)
	if res := r.do(controller.CreatePartitions{Topics: []controller.MorePartitions{{Name: "orders", Count: 3}}}).([]controller.Result)[0]; res.Code != wire.None {
		t.Fatal(res)
	}
	r.produce("orders", 2, "y")
	if r.find("orders", 0) != first {
		t.Error("the first partition was made anew")
	}
	n := 0
	for range r.broker.Partitions() {
		n++
	}
	if n != 3 {
		t.Errorf("%d partitions are listed, want 3", n)
	}
}

func TestPlacementEvensOutDirectories(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 3)
	r.create("a", 7)
	r.create("b", 5)
	for i := range int32(7) {
		r.produce("a", i, "x")
	}
	count := func() map[string]int {
		n := map[string]int{}
		for p := range r.broker.Partitions() {
			n[p.Describe().Dir]++
		}
		return n
	}
	before := count()
	for dir, n := range before {
		if n != 4 {
			t.Errorf("%s has %d partitions, want 4 of 12", dir, n)
		}
	}
	where := r.find("a", 3).Describe().Dir
	r.stop()
	r = start(t, f, 3)
	defer r.stop()
	r.awaitRecovery()
	if got := r.find("a", 3).Describe().Dir; got != where {
		t.Errorf("a-3 moved from %s to %s", where, got)
	}
}

// 5,000 partitions in one command, then 2,000 topics one by one: creation must
// not cost all that is there already.
func TestManyPartitions(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	r.create("wide", 5000)
	r.find("wide", 4999)
	for n := range 500 {
		r.create(fmt.Sprintf("t%d", n), 1)
	}
	r.find("t499", 0)
	if n := r.broker.Image().TopicCount(); n != 501 {
		t.Errorf("%d topics", n)
	}
	r.remove("wide")
	r.stop()
}

func TestStrayDirectoriesAreSetAside(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	r.create("orders", 1)
	r.produce("orders", 0, "x")
	r.create("kept", 1)
	r.produce("kept", 0, "x")
	id := r.find("orders", 0).Describe().ID
	r.stop()
	// A log whose topic the metadata never heard of, and one whose name now
	// belongs to another topic.
	if err := f.Rename("/data0/orders-0", "/data0/ghost-0"); err != nil {
		t.Fatal(err)
	}
	r = start(t, f, 1)
	defer r.stop()
	r.awaitRecovery()
	want := fmt.Sprintf("/data0/ghost-0.%x-stray", id[:])
	if _, err := f.Stat(want); err != nil {
		t.Errorf("no %s: %v", want, err)
	}
	r.create("ghost", 1)
	if a := r.produce("ghost", 0, "x"); a.BaseOffset != 0 {
		t.Errorf("a new topic of that name begins at %d", a.BaseOffset)
	}
	if o := r.find("kept", 0).Offsets(); o.LogEnd != 1 {
		t.Errorf("kept has %d records", o.LogEnd)
	}
}

func TestConfigChangesReachPartitions(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	r.create("small", 1, set("max.message.bytes", "200"))
	r.create("plain", 1)
	limit := func(topic string) int {
		for tp := range r.broker.table.topics() {
			if tp.name == topic {
				return r.broker.configOf(r.broker.Image(), topic).Rules.MaxBatchBytes
			}
		}
		return -1
	}
	if limit("small") != 200 {
		t.Errorf("limit is %d, want the topic's own 200", limit("small"))
	}
	alter := func(kind int8, name, key, value string) {
		t.Helper()
		res := r.do(controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{Type: kind, Name: name,
			Entries: []controller.AlterEntry{{Name: key, Op: controller.OpSet, Value: &value}}}}}).([]controller.Result)[0]
		if res.Code != wire.None {
			t.Fatalf("alter %s: %+v", key, res)
		}
	}
	big := make([]byte, 400)
	alter(metadata.ResourceTopic, "small", "max.message.bytes", "1000")
	r.produce("small", 0, string(big))
	alter(metadata.ResourceBroker, "", "message.max.bytes", "300")
	if limit("plain") != 300 || limit("small") != 1000 {
		t.Errorf("limits are %d and %d, want the broker's 300 and the topic's 1000", limit("plain"), limit("small"))
	}
	alter(metadata.ResourceBroker, "1", "message.max.bytes", "250")
	if limit("plain") != 250 {
		t.Errorf("limit is %d, want this broker's 250", limit("plain"))
	}
}

// Each step of the chores is driven by hand: retention when its interval has
// passed, and not before.
func TestChoresRunWhenTheyAreDue(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	r.create("short", 1, set("retention.ms", "1000"), set("segment.bytes", "1048576"), set("segment.ms", "1000"))
	r.produce("short", 0, "old")
	r.clock.Add(5000)
	r.produce("short", 0, "newer")
	c := chores{b: r.broker}
	c.step(r.now())
	if o := r.find("short", 0).Offsets(); o.LogStart != 0 {
		t.Errorf("retention ran at once: log start %d", o.LogStart)
	}
	r.clock.Add((5 * time.Minute).Milliseconds())
	c.step(r.now())
	if o := r.find("short", 0).Offsets(); o.LogStart == 0 {
		t.Error("retention did not run after its interval")
	}
}

func TestCloseTwice(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	r.create("orders", 100)
	for i := range int32(100) {
		r.produce("orders", i, "x")
	}
	r.stop()
	if err := r.broker.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}
