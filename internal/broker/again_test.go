package broker

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/sim"
	"ottla/internal/wire"
)

// A log that cannot be opened for want of room is opened when there is some, with
// the role and the settings that it was given meanwhile, and tried less and less
// often until then.
func TestALogThatHasNoRoomToOpenIsOpenedLater(t *testing.T) {
	d := sim.NewDisk(1)
	r := start(t, d, 1)
	r.create("orders", 1)
	r.create("other", 1)
	r.produce("orders", 0, "x")
	r.stop()
	if err := d.Delete("/data0/orders-0/partition.metadata"); err != nil { // it is written again
		t.Fatal(err)
	}
	var full atomic.Bool
	var tries atomic.Int32
	full.Store(true)
	d.OnOp(func(op sim.Op) sim.Action {
		if full.Load() && op.Kind == sim.OpCreate && strings.Contains(op.Name, "orders-0/") {
			tries.Add(1)
			return sim.Action{Err: syscall.ENOSPC}
		}
		return sim.Action{}
	})
	r = start(t, d, 1)
	defer r.stop()
	r.awaitRecovery()
	r.produce("other", 0, "x")
	began := r.now()
	for _, step := range []struct {
		after time.Duration
		tries int32
	}{
		{0, 1}, {999 * time.Millisecond, 1}, {time.Second, 2}, {2 * time.Second, 2}, {3 * time.Second, 3}, {6 * time.Second, 3}, {7 * time.Second, 4},
		{15 * time.Second, 5}, {31 * time.Second, 6}, {63 * time.Second, 7}, {122 * time.Second, 7}, {123 * time.Second, 8}, {183 * time.Second, 9}, // not less often than each minute
		{time.Second, 10}, // the clock was set back
	} {
		r.clock.Store(began.Add(step.after).UnixMilli())
		r.broker.OpenAgain(r.now())
		if got := tries.Load(); got != step.tries {
			t.Errorf("after %v it was tried %d times, want %d", step.after, got, step.tries)
		}
		if _, code := r.broker.ByName([]byte("orders"), 0); code != wire.KafkaStorageError {
			t.Errorf("after %v it answers %v, want KAFKA_STORAGE_ERROR", step.after, code)
		}
	}
	c := r.broker.Closed()
	if len(c) != 1 || c[0].Topic != "orders" || c[0].Index != 0 || c[0].Dir != "/data0" || !strings.Contains(c[0].Why.Error(), "the disk is full") {
		t.Errorf("closed is %v, want orders-0 because the disk is full", c)
	}
	small := "70"
	r.do(controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{Type: metadata.ResourceTopic, Name: "orders",
		Entries: []controller.AlterEntry{{Name: "max.message.bytes", Op: controller.OpSet, Value: &small}}}}})
	full.Store(false)
	r.broker.openNowAgain(r.now())
	if c := r.broker.Closed(); len(c) != 0 {
		t.Errorf("still closed: %v", c)
	}
	if a := r.produce("orders", 0, "y"); a.BaseOffset != 1 {
		t.Errorf("it goes on at %d, want 1", a.BaseOffset)
	}
	if err := appendTo(r.find("orders", 0), strings.Repeat("x", 100)); wire.CodeOf(err) != wire.MessageTooLarge {
		t.Errorf("a batch that is too large by settings of meanwhile: %v", err)
	}
}

// What cannot be opened is not in the way of its topic's end.
func TestATopicWhoseLogCannotBeOpenedIsDeletedOnceItCan(t *testing.T) {
	d := sim.NewDisk(1)
	r := start(t, d, 1)
	r.create("orders", 1)
	r.produce("orders", 0, "x")
	r.stop()
	if err := d.Delete("/data0/orders-0/partition.metadata"); err != nil {
		t.Fatal(err)
	}
	var full atomic.Bool
	full.Store(true)
	d.OnOp(func(op sim.Op) sim.Action {
		if full.Load() && op.Kind == sim.OpCreate && strings.Contains(op.Name, "orders-0/") {
			return sim.Action{Err: syscall.EMFILE}
		}
		return sim.Action{}
	})
	r = start(t, d, 1)
	defer r.stop()
	r.awaitRecovery()
	if len(r.broker.Closed()) != 1 {
		t.Fatalf("closed is %v, want one", r.broker.Closed())
	}
	full.Store(false)
	r.remove("orders")
	if r.dirs[0].Holds("orders", 0) || len(r.broker.Closed()) != 0 {
		t.Errorf("its log stays (%v), or it counts as closed: %v", r.dirs[0].Holds("orders", 0), r.broker.Closed())
	}
}
