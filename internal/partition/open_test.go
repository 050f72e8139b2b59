package partition

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

func TestARoleThatComesBeforeOpenIsTakenAtOpen(t *testing.T) {
	r := memRig(t)
	r.stop()
	r.openDir()
	r.p = r.fresh()
	c := r.conf
	c.MinInsync = 1
	r.p.Configure(c) // settings may come early, too
	r.lead(4)
	r.refuse(batch(1, 10, "x"), all, wire.NotLeaderOrFollower)
	if _, err := r.p.ListOffset(TimeLatest, ReadUncommitted, -1); !errors.Is(err, wire.NotLeaderOrFollower) {
		t.Errorf("not open: %v, want NOT_LEADER_OR_FOLLOWER", err)
	}
	if d := r.p.Describe(); d.Dir != "" || d.Topic != "orders" || d.Index != 3 {
		t.Errorf("described as %+v", d)
	}
	if err := r.p.Retain(); err != nil {
		t.Errorf("retention before Open: %v", err)
	}
	if err := r.p.Open(r.dir); err != nil {
		t.Fatal(err)
	}
	r.put(batch(1, 10, "x"), all)
	if o := r.p.Offsets(); o.LeaderEpoch != 4 {
		t.Errorf("leader epoch %d, want 4", o.LeaderEpoch)
	}
	if d := r.p.Describe(); d.Dir != "/data" || d.Bytes == 0 || d.ID != (uuid.UUID{1, 2, 3}) {
		t.Errorf("described as %+v", d)
	}
	if err := r.p.Open(r.dir); err == nil {
		t.Error("opening twice is no error")
	}
}

func TestStaleRolesAreIgnored(t *testing.T) {
	r := memRig(t)
	r.lead(5)
	r.become(Role{Leader: 2, LeaderEpoch: 4, PartitionEpoch: 4, Replicas: []int32{1, 2}, ISR: []int32{2}})
	r.put(batch(1, 10, "x"), all)
	if o := r.p.Offsets(); o.LeaderEpoch != 5 {
		t.Errorf("leader epoch %d, want 5", o.LeaderEpoch)
	}
}

func TestADirectoryOfAnotherTopicIsNotServed(t *testing.T) {
	r := memRig(t)
	r.put(batch(1, 10, "x"), all)
	r.stop()
	r.openDir()
	r.p = New(Options{Topic: "orders", ID: uuid.UUID{9}, Index: 3, NodeID: 1, Now: r.clock.Now, Config: r.conf})
	err := r.p.Open(r.dir)
	if !errors.Is(err, log.ErrWrongTopic) {
		t.Fatalf("got %v, want ErrWrongTopic", err)
	}
	r.lead(9)
	r.refuse(batch(1, 10, "x"), all, wire.KafkaStorageError)
	if _, err := r.p.Await(newWaiter(t), 1, -1); wire.CodeOf(err) != wire.KafkaStorageError {
		t.Errorf("await: %v, want KAFKA_STORAGE_ERROR", err)
	}
}

func TestAPartitionCanBeClosedAndOpenedAgain(t *testing.T) {
	r := memRig(t)
	r.put(batch(3, 10, "x"), all)
	if err := r.p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.p.Open(r.dir); err != nil {
		t.Fatal(err)
	}
	r.refuse(batch(1, 10, "x"), all, wire.NotLeaderOrFollower)
	r.lead(1)
	if got := r.put(batch(1, 10, "x"), all); got.BaseOffset != 3 {
		t.Errorf("offset %d, want 3", got.BaseOffset)
	}
}

func TestAReadErrorOfTheDiskIsAStorageError(t *testing.T) {
	disk := durable(t, sim.NewDisk(5))
	r := newRig(t, disk, "/data", plain())
	r.put(batch(1, 1000, "x"), all)
	r.round()
	r.restart() // nothing is trusted any more: a read checks what it gives
	disk.OnOp(func(o sim.Op) sim.Action {
		if o.Kind == sim.OpRead {
			return sim.Action{Err: fmt.Errorf("input/output error")}
		}
		return sim.Action{}
	})
	var f Fetched
	a := at(0)
	if err := r.p.Fetch(&a, &f); wire.CodeOf(err) != wire.KafkaStorageError || !strings.Contains(err.Error(), "orders-3") {
		t.Errorf("fetch: %v, want KAFKA_STORAGE_ERROR that names the partition", err)
	}
	disk.OnOp(nil)
	if _, b := r.get(at(0)); len(split(t, b)) != 1 {
		t.Errorf("once the disk reads again: %d bytes", len(b))
	}
}

func TestWritingGoesOnOnceThereIsRoom(t *testing.T) {
	disk := durable(t, sim.NewDisk(6))
	var lines bytes.Buffer
	r := newRig(t, disk, "/data", plain())
	r.stop()
	r.openDir()
	r.p = New(Options{
		Topic: "orders", ID: uuid.UUID{1, 2, 3}, Index: 3, NodeID: 1, Now: r.clock.Now, Config: r.conf,
		Logger: slog.New(slog.NewTextHandler(&lines, nil)),
	})
	if err := r.p.Open(r.dir); err != nil {
		t.Fatal(err)
	}
	r.lead(2)
	r.put(batch(1, 1000, "x"), all)
	r.round()
	disk.SetCapacity(disk.Used())
	for range 3 {
		r.refuse(batch(1, 9000, "x"), all, wire.KafkaStorageError)
	}
	disk.SetCapacity(1 << 30)
	if err := r.dir.Housekeep(); err != nil {
		t.Fatal(err)
	}
	got := r.put(batch(1, 9000, "x"), all)
	w := r.wait(got.End, -1)
	r.round()
	w.told(wire.None)
	if got.BaseOffset != 1 {
		t.Errorf("offset %d, want 1: the refused ones left nothing", got.BaseOffset)
	}
	out := lines.String()
	if strings.Count(out, "the disk is full") < 1 || strings.Count(out, "partition takes no records") != 1 || strings.Count(out, "partition takes records again") != 1 {
		t.Errorf("want one line when it fills and one when it is well again, got:\n%s", out)
	}
}

func TestABatchThatGrowsWhenCompressedAnewIsHeldToTheLimit(t *testing.T) {
	sent := batch(50, 400, "x", func(b *record.Builder) { b.Codec = record.Zstd })
	r := memRig(t, func(c *Config) {
		c.Recompress, c.Codec = true, record.None
		c.Rules.MaxBatchBytes = len(sent) + 100
	})
	r.refuse(sent, all, wire.MessageTooLarge)
}

func TestRecompressedBatchesCarryTheAppendTime(t *testing.T) {
	r := memRig(t, func(c *Config) { c.Recompress, c.Codec, c.Rules.AppendTime = true, record.LZ4, true })
	got := r.put(batch(5, 200, "x"), all)
	r.round()
	_, b := r.get(at(0))
	h := split(t, b)[0]
	if h.Codec() != record.LZ4 || !h.LogAppendTime() || h.MaxTimestamp != got.LogAppendTimeMs {
		t.Errorf("stored %+v, answered %+v", h, got)
	}
}

func TestAnAnswerSaysWhenTheISRShrankMeanwhile(t *testing.T) {
	r := memRig(t, func(c *Config) { c.MinInsync = 2 })
	three := Role{Leader: 1, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}}
	r.become(three)
	got := r.put(batch(1, 10, "x"), all)
	r.round()
	w := r.wait(got.End, -1) // synced here, not on 2
	three.ISR, three.PartitionEpoch = []int32{1}, 2
	r.become(three)
	w.silent() // one copy is fewer than was promised (KIP-966)
	three.Replicas, three.PartitionEpoch = []int32{1}, 3
	r.become(three) // an operator takes the other replicas away
	w.told(wire.None)
}
