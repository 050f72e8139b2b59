package broker

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// keyed produces a record of 40 KB under a key and waits until it is committed.
func (r *rig) keyed(name string, key, value string) {
	r.t.Helper()
	p := r.find(name, 0)
	b := record.NewBuilder()
	b.Add(r.clock.Load(), []byte(key), append([]byte(value), bytes.Repeat([]byte{'.'}, 40_000)...))
	var a partition.Appended
	if err := p.Append(b.Build(0), &partition.AppendArgs{Acks: -1, AllowZstd: true}, &a); err != nil {
		r.t.Fatal(err)
	}
	w := make(committed, 1)
	if done, err := p.Await(w, a.End, -1); err != nil {
		r.t.Fatal(err)
	} else if !done {
		if err := <-w; err != nil {
			r.t.Fatal(err)
		}
	}
}

// tidy lets the cleaner look once more after its pause, and waits for it.
func (r *rig) tidy() {
	for range 2 { // the first step of all only begins to count
		r.clock.Add(16_000)
		r.cleans <- r.now()
		r.cleans <- r.now() // taken once the step before is over
	}
}

// values reads a partition: the last value of each key, and how many records.
func (r *rig) values(name string) (map[string]string, int) {
	r.t.Helper()
	p := r.find(name, 0)
	out, n := map[string]string{}, 0
	for at := p.Offsets().LogStart; ; {
		var f partition.Fetched
		err := p.Fetch(&partition.FetchArgs{Offset: at, MaxBytes: 1 << 20, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
		if err != nil {
			r.t.Fatal(err)
		}
		if f.Slice.Len == 0 {
			return out, n
		}
		b := make([]byte, f.Slice.Len)
		if _, err := f.Slice.ReadAt(b, 0); err != nil {
			r.t.Fatal(err)
		}
		f.Slice.Release()
		for {
			h, batch, rest, err := record.Next(b)
			if err != nil {
				break
			}
			b, at = rest, h.NextOffset()
			err = record.Walk(batch, 0, func(rec *record.Record) bool {
				out[string(rec.Key)], n = strings.TrimRight(string(rec.Value), "."), n+1
				return true
			})
			if err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

func TestCompactedTopicsAreCleaned(t *testing.T) {
	reg := metric.New()
	r := start(t, vfs.NewMem(0), 1, func(_ *rig, o *Options) {
		o.Metrics.Cleanings = reg.Counter("ottla_log_cleanings_total")
		o.Metrics.CleanerDropped = reg.Counter("ottla_log_cleaner_dropped_records_total")
		o.Metrics.CleanerRead = reg.Counter("ottla_log_cleaner_read_bytes_total")
		o.Metrics.CleanerWritten = reg.Counter("ottla_log_cleaner_written_bytes_total")
	})
	defer r.stop()
	compact := []controller.ConfigEntry{set("cleanup.policy", "compact"), set("segment.bytes", "1048576")}
	r.create("accounts", 1, compact...)
	r.create("audit", 1, set("segment.bytes", "1048576"))
	for i := range 120 {
		r.keyed("accounts", fmt.Sprint("key", i%7), fmt.Sprint("v", i))
		r.keyed("audit", fmt.Sprint("key", i%7), fmt.Sprint("v", i))
	}
	r.tidy()
	got, n := r.values("accounts")
	if n > 60 || n < 7 {
		t.Errorf("%d records are left of 120", n)
	}
	for i := range 7 {
		if want := fmt.Sprint("v", 119-(119-i)%7); got[fmt.Sprint("key", i)] != want {
			t.Errorf("key%d is %q, want %q", i, got[fmt.Sprint("key", i)], want)
		}
	}
	if _, n := r.values("audit"); n != 120 {
		t.Errorf("a topic that is not compacted has %d records, want 120", n)
	}
	m := r.broker.o.Metrics
	if m.Cleanings.Value() != 1 || m.CleanerDropped.Value() == 0 || m.CleanerRead.Value() < 4_000_000 || m.CleanerWritten.Value() == 0 {
		t.Errorf("measured %d cleanings, %d dropped, %d read, %d written", m.Cleanings.Value(), m.CleanerDropped.Value(), m.CleanerRead.Value(), m.CleanerWritten.Value())
	}
	r.tidy()
	if m.Cleanings.Value() != 1 {
		t.Error("a clean log was cleaned again")
	}
}

func TestALogThatCanNotBeReadIsSetAsideOnce(t *testing.T) {
	f := vfs.NewMem(0)
	var said bytes.Buffer
	reg := metric.New()
	r := start(t, f, 1, func(_ *rig, o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&said, nil))
		o.Metrics.CleaningsFailed = reg.Counter("ottla_log_cleanings_failed_total")
	})
	defer r.stop()
	for _, name := range []string{"good", "rotten"} {
		r.create(name, 1, set("cleanup.policy", "compact"), set("segment.bytes", "1048576"))
		for i := range 60 {
			r.keyed(name, fmt.Sprint("key", i%7), fmt.Sprint("v", i))
		}
	}
	file, err := f.OpenFile("/data0/rotten-0/00000000000000000000.log", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{0xff}, 60_000); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.tidy()
	}
	if n := strings.Count(said.String(), "log is not cleaned any more"); n != 1 || !strings.Contains(said.String(), "topic=rotten") {
		t.Errorf("said %d times:\n%s", n, said.String())
	}
	if got := r.broker.Uncleanable(); got != 1 || r.broker.o.Metrics.CleaningsFailed.Value() != 1 {
		t.Errorf("%d partitions are shown as uncleanable after %d failures, want 1 and 1", got, r.broker.o.Metrics.CleaningsFailed.Value())
	}
	if _, n := r.values("good"); n > 40 {
		t.Errorf("the good log has %d records left of 60", n)
	}
}

func TestTheCleanerIsSwitchedOffAndOn(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	c := cleaners{b: r.broker}
	r.create("accounts", 1, set("cleanup.policy", "compact"), set("segment.bytes", "1048576"))
	for i := range 60 {
		r.keyed("accounts", fmt.Sprint("key", i%7), "v")
	}
	if got := c.next(0, nil); len(got) != 0 {
		t.Errorf("no threads clean %d logs", len(got))
	}
	got := c.next(3, nil)
	if len(got) != 1 || len(c.next(3, map[*partition.Partition]bool{got[0]: true})) != 0 {
		t.Errorf("%d logs are due, want 1, and none once it was tried", len(got))
	}
	c.prepare(1)
	if w := c.pool[0]; w.KeyBytes != 128<<20 || w.LoadFactor != 0.9 || w.BufferBytes != 256<<10 {
		t.Errorf("Kafka's defaults give %+v", w)
	}
	if !c.clean(got[0], c.pool[0]) || c.clean(got[0], c.pool[0]) {
		t.Error("the first cleaning brings it forward, the second does not")
	}
}

func TestTheThrottleKeepsItsRate(t *testing.T) {
	var th throttle
	now := time.UnixMilli(1_700_000_000_000)
	if w := th.take(1<<30, now); w != 0 {
		t.Errorf("without a limit it waits %v", w)
	}
	th.set(1000)
	if w := th.take(500, now); w != 500*time.Millisecond {
		t.Errorf("500 bytes at 1000 a second: %v, want 500ms", w)
	}
	if w := th.take(100, now.Add(200*time.Millisecond)); w != 400*time.Millisecond {
		t.Errorf("what is owed is forgotten: %v, want 400ms", w)
	}
	if w := th.take(10, now.Add(time.Hour)); w != 10*time.Millisecond {
		t.Errorf("idle time is saved up: %v, want 10ms", w)
	}
	th.set(1.7976931348623157e308)
	if w := th.take(1<<30, now.Add(2*time.Hour)); w > time.Millisecond {
		t.Errorf("Kafka's default waits %v", w)
	}
}

func TestAStoppingNodeEndsACleaning(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	c := cleaners{b: r.broker}
	if err := c.pace(1); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if err := c.pace(1); !errors.Is(err, errStopping) {
		t.Errorf("got %v, want %v", err, errStopping)
	}
	c.throttle.set(1)
	if err := c.pace(1 << 20); !errors.Is(err, errStopping) {
		t.Errorf("while it waits: %v, want %v", err, errStopping)
	}
	if _, err := (&partition.Partition{}).Clean(nil); !errors.Is(err, log.ErrClosed) {
		t.Errorf("a partition that is not open: %v", err)
	}
}
