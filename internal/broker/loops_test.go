package broker

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

func read(t *testing.T, f vfs.FS, name string) string {
	t.Helper()
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if n, err := file.ReadAt(b, 0); int64(n) != size {
		t.Fatal(err)
	}
	return string(b)
}

// What Kafka's tools read after a clean stop: where each log ended, and its
// high watermark.
func TestCleanStopWritesKafkasCheckpoints(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	r.create("orders", 2)
	for range 3 {
		r.produce("orders", 1, "x")
	}
	r.stop()
	for _, name := range []string{"recovery-point-offset-checkpoint", "replication-offset-checkpoint"} {
		text := read(t, f, "/data0/"+name)
		if !strings.Contains(text, "orders 1 3\n") || !strings.Contains(text, "__cluster_metadata 0 ") {
			t.Errorf("%s is\n%s", name, text)
		}
	}
}

func TestHighWatermarkOfAStranger(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	c := r.create("orders", 1)
	r.produce("orders", 0, "x")
	for id, want := range map[log.Ident]int64{
		{Topic: "orders", Partition: 0, ID: c.ID}:        1,
		{Topic: "orders", Partition: 7, ID: c.ID}:        -1,
		{Topic: "ghost", Partition: 0, ID: uuid.UUID{9}}: -1,
	} {
		if got := r.broker.highWatermark(id); got != want {
			t.Errorf("%+v has high watermark %d, want %d", id, got, want)
		}
	}
}

// A chore is due when its interval has passed; a clock that is set back or
// jumps does not make it run twice at once.
func TestDue(t *testing.T) {
	var last time.Time
	at := func(s int64) time.Time { return time.Unix(1000+s, 0) }
	for _, step := range []struct {
		at   int64
		want bool
	}{{0, false}, {9, false}, {10, true}, {11, false}, {20, true}, {5, false}, {14, false}, {15, true}, {900, true}, {901, false}} {
		if got := due(&last, at(step.at), 10*time.Second); got != step.want {
			t.Errorf("at second %d due is %v, want %v", step.at, got, step.want)
		}
	}
}

// Look-ups beside creations and deletions see a topic whole or not at all.
func TestLookupsBesideChanges(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Appendf(nil, "t%d", (i+w)%10)
				for index := range int32(3) {
					p, code := r.broker.ByName(name, index)
					if code != wire.None && code != wire.UnknownTopicOrPartition && code != wire.NotLeaderOrFollower {
						t.Errorf("%s-%d: %v", name, index, code)
						return
					}
					if p != nil && p.Describe().Topic != string(name) {
						t.Errorf("%s-%d is a partition of %s", name, index, p.Describe().Topic)
						return
					}
				}
			}
		})
	}
	for round := range 5 {
		for n := range 10 {
			r.create(fmt.Sprint("t", n), 3)
		}
		for n := range 10 {
			if (n+round)%2 == 0 {
				r.produce(fmt.Sprint("t", n), 1, "x")
			}
			r.remove(fmt.Sprint("t", n))
		}
	}
	close(stop)
	wg.Wait()
}

// Close leaves no goroutine, whatever came before it; images that come after
// it change nothing.
func TestNothingRunsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := vfs.NewMem(0)
		r := start(t, f, 2)
		r.create("orders", 20)
		r.produce("orders", 3, "x")
		r.stop()
		r.broker.OnImage(r.quorum.Image(), &metadata.Delta{Created: []*metadata.Topic{{Name: "late", ID: uuid.UUID{8}, Partitions: make([]*metadata.Partition, 1)}}})
		if _, code := r.broker.ByName([]byte("late"), 0); code != wire.UnknownTopicOrPartition {
			t.Errorf("a topic that came after Close answers %v", code)
		}
	})
}

// The loops end with their context as well, and Close is clean after that.
func TestLoopsEndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data0"})
		if err != nil {
			t.Fatal(err)
		}
		b := New(Options{NodeID: 1, Dirs: []*log.Dir{d}})
		ctx, cancel := context.WithCancel(context.Background())
		b.Start(ctx)
		synctest.Wait()
		cancel()
		b.loops.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if len(b.Dirs()) != 1 || b.Image() == nil || b.Recovering() != 0 {
			t.Errorf("an empty broker: %v, %v, %d", b.Dirs(), b.Image(), b.Recovering())
		}
	})
}

// Settings that are altered while a log recovers hold once it is open.
func TestSettingsChangedDuringRecoveryHold(t *testing.T) {
	h := &held{}
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	r.create("orders", 1)
	c := r.broker.configOf(r.broker.Image(), "orders")
	c.Rules.MaxBatchBytes = 70
	*h = held{p: r.find("orders", 0)}
	h.at.Store(&home{0, r.dirs[0]})
	h.configure(c)
	if h.config == nil {
		t.Fatal("the settings were not kept for later")
	}
	r.produce("orders", 0, strings.Repeat("x", 100))
	if err := h.opened(); err != nil {
		t.Fatal(err)
	}
	if err := appendAndWait(h.p); wire.CodeOf(err) != wire.None {
		t.Errorf("a small batch: %v", err)
	}
	if h.config != nil || h.state.Load() != open {
		t.Errorf("after opening: config %v, state %d", h.config, h.state.Load())
	}
}
