package broker

import (
	"errors"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/metric"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/uuid"
)

func appendOne(t *testing.T, l *log.Log) {
	t.Helper()
	b := record.NewBuilder()
	b.Add(1, nil, []byte("x"))
	batch := b.Build(l.End().Offset)
	h, err := record.ParseHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(&h, batch); err != nil {
		t.Fatal(err)
	}
}

// A failed round is counted once and takes the directory offline; what comes
// after that is no round.
func TestSyncRoundsAreMeasured(t *testing.T) {
	disk := sim.NewDisk(1)
	clock := time.UnixMilli(1_700_000_000_000)
	now := func() time.Time { clock = clock.Add(time.Millisecond); return clock }
	d, err := log.OpenDir(log.DirOptions{FS: disk, Path: "/data", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Open(log.Ident{Topic: "orders", ID: uuid.UUID{1}}, log.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	reg := metric.New()
	m := Metrics{
		SyncDuration: reg.Histogram("ottla_log_sync_duration_seconds"),
		Syncs:        reg.Counter("ottla_log_syncs_total"), SyncsFailed: reg.Counter("ottla_log_syncs_failed_total"),
	}
	b := New(Options{NodeID: 1, Dirs: []*log.Dir{d}, Now: now, Metrics: m})
	counted := func(what string, syncs, failed int64) {
		t.Helper()
		if m.Syncs.Value() != syncs || m.SyncsFailed.Value() != failed {
			t.Errorf("%s: %d rounds and %d failed, want %d and %d", what, m.Syncs.Value(), m.SyncsFailed.Value(), syncs, failed)
		}
	}
	appendOne(t, l)
	b.syncRound(d)
	counted("a good round", 1, 0)
	disk.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpSync {
			return sim.Action{Err: errIO}
		}
		return sim.Action{}
	})
	appendOne(t, l)
	b.syncRound(d)
	counted("a failed round", 2, 1)
	if !errors.Is(d.Err(), log.ErrOffline) {
		t.Fatalf("the directory says %v, want it offline", d.Err())
	}
	b.syncRound(d)
	counted("an offline directory", 2, 1)
}
