package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"ottla/internal/vfs"
)

// No tick comes in this test: what happens, happens because Settle asks.
func TestSettleDoesAllChoresNow(t *testing.T) {
	r := start(t, vfs.NewMem(0), 2)
	defer r.stop()
	r.create("short", 1, set("retention.ms", "1000"), set("segment.bytes", "1048576"))
	r.produce("short", 0, "old")
	settle := func(want int64) {
		t.Helper()
		if err := r.broker.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if o := r.find("short", 0).Offsets(); o.LogStart != want {
			t.Errorf("the log starts at %d, want %d", o.LogStart, want)
		}
	}
	settle(0)
	r.clock.Add((2 * time.Second).Milliseconds())
	settle(1)
}

func TestSettleCompacts(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	hour := time.Hour.Milliseconds()
	r.create("accounts", 1, set("cleanup.policy", "compact"), set("min.compaction.lag.ms", "3600000"), set("segment.ms", "60000"),
		set("min.cleanable.dirty.ratio", "0.01"))
	for range 5 {
		r.keyed("accounts", "key", "v")
	}
	r.clock.Add(hour / 2)
	r.keyed("accounts", "other", "v") // rolls
	before := r.find("accounts", 0).Describe().Bytes
	if err := r.broker.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.find("accounts", 0).Describe().Bytes; now != before {
		t.Errorf("before its lag the log went from %d to %d bytes", before, now)
	}
	r.clock.Add(hour)
	if err := r.broker.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.find("accounts", 0).Describe().Bytes; now >= before {
		t.Errorf("after its lag the log still has %d bytes of %d", now, before)
	}
}

func TestSettleEndsWithItsContextAndWithTheBroker(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // either may win a race, but it always returns
		if err := r.broker.Settle(ended); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
	r.stop()
	if err := r.broker.Settle(t.Context()); !errors.Is(err, errStopping) {
		t.Errorf("after Close: got %v, want %v", err, errStopping)
	}
}
