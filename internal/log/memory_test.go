package log

import (
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// inMemory answers before anything is synced, in small segments.
var inMemory = Config{SegmentBytes: 4096, IndexIntervalBytes: 256, Durability: Memory, MaxDecompressed: 1 << 20}

// sequenced appends one batch of an idempotent producer.
func sequenced(t *testing.T, l *Log, sequence int32) (record.Header, []byte) {
	t.Helper()
	bd := record.NewBuilder()
	bd.LeaderEpoch, bd.ProducerID, bd.ProducerEpoch, bd.BaseSequence = 0, 7, 0, sequence
	bd.Add(1_700_000_000_000, nil, []byte("value"))
	b := bd.Build(l.End().Offset)
	h, err := record.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(&h, b); err != nil {
		t.Fatal(err)
	}
	return h, b
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestAKillLeavesTheActiveSegmentOfAMemoryLogToWalk(t *testing.T) {
	r := newRig(t)
	l := r.log(inMemory)
	fill(t, l, 200, 1)
	if l.Durable().Offset != 0 {
		t.Fatalf("durable below %d before anything was synced", l.Durable().Offset)
	}
	r.must(r.d.FlushClosed())
	base, size := l.End().Segment, l.End().Byte
	if l.Durable() != (Position{base, base, 0}) || base == 0 {
		t.Fatalf("durable %+v, want the beginning of the active segment %d", l.Durable(), base)
	}
	r.must(r.d.Checkpoint(nil))
	end := l.End()
	r.reopen()
	l = r.log(inMemory)
	rep := l.RecoveryReport()
	if rep == nil || rep.From != base || rep.ScannedBytes != size || rep.CutBytes != 0 {
		t.Fatalf("walked %+v, want %d bytes from %d", rep, size, base)
	}
	if l.End() != end || l.Durable().Offset != base {
		t.Errorf("end %+v, durable %+v; want %+v, and what the checkpoint knew", l.End(), l.Durable(), end)
	}
	wantRun(t, readAll(t, l, 0), 200, 1)
	fill(t, l, 10, 1)
	r.must(r.d.Close(nil))
	r.reopen()
	if l = r.log(inMemory); l.RecoveryReport() != nil || l.Durable() != l.End() || l.End().Offset != 210 {
		t.Errorf("after a clean stop: %+v, end %+v, durable %+v", l.RecoveryReport(), l.End(), l.Durable())
	}
}

// The kill came before the closed segments were synced: the walk is long once,
// and what it learned serves the next start.
func TestASecondKillWalksNoMoreThanTheActiveSegment(t *testing.T) {
	r := newRig(t)
	l := r.log(inMemory)
	fill(t, l, 100, 1)
	r.must(r.d.Checkpoint(nil))
	fill(t, l, 100, 1)
	base, size := l.End().Segment, l.End().Byte
	r.reopen()
	l = r.log(inMemory)
	if rep := l.RecoveryReport(); rep == nil || rep.From != 0 || l.End().Offset != 200 || l.Durable().Offset != 0 {
		t.Fatalf("first start: %+v, end %+v, durable %+v", rep, l.End(), l.Durable())
	}
	r.must(r.d.FlushClosed())
	r.must(r.d.Checkpoint(nil))
	r.reopen()
	l = r.log(inMemory)
	if rep := l.RecoveryReport(); rep == nil || rep.From != base || rep.ScannedBytes != size {
		t.Errorf("second start walked %+v, want %d bytes from %d", rep, size, base)
	}
	wantRun(t, readAll(t, l, 0), 200, 1)
}

// Configure asks for a sync of what the restart left unsynced.
func TestALogThatBecomesDurableSyncsWhatARestartFound(t *testing.T) {
	r := newRig(t)
	l := r.log(inMemory)
	fill(t, l, 50, 1)
	r.must(r.d.Checkpoint(nil))
	r.reopen()
	l = r.log(inMemory)
	c := inMemory
	c.Durability = Fsync
	l.Configure(c)
	r.must(r.d.SyncRound())
	if l.Durable() != l.End() || l.End().Offset != 50 {
		t.Errorf("durable %+v, end %+v", l.Durable(), l.End())
	}
}

// All five batches that a producer may send again are known after a kill: from
// the mark at the roll and what follows it, and without our checkpoint from the
// log alone.
func TestTheDuplicateWindowIsWholeAfterAKill(t *testing.T) {
	for name, lose := range map[string]bool{"with the checkpoint": false, "without it": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			l := r.log(inMemory)
			var sent []record.Header
			for i := range int32(120) {
				h, _ := sequenced(t, l, i)
				sent = append(sent, h)
				if i == 117 { // two batches of the window before, three after the roll
					r.must(l.Roll())
				}
			}
			r.must(r.d.FlushClosed())
			r.must(r.d.Checkpoint(nil))
			if lose {
				r.must(r.fs.Remove("/data/ottla.checkpoint"))
			}
			r.reopen()
			l = r.log(inMemory)
			for _, h := range sent[115:] {
				if v, seen := l.Producers().Check(&h); v != producer.Duplicate || seen.BaseOffset != h.BaseOffset {
					t.Errorf("sequence %d sent again: %v at %d, want a duplicate at %d", h.BaseSequence, v, seen.BaseOffset, h.BaseOffset)
				}
			}
		})
	}
}

func TestMuchThatBecameDurableAsksForACheckpoint(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{MaxDecompressed: 1 << 20})
	asked := func() bool {
		select {
		case <-r.d.CheckpointDue():
			return true
		default:
			return false
		}
	}
	value := make([]byte, 1<<20)
	for range checkpointBytes>>20 - 1 {
		bd := record.NewBuilder()
		bd.Add(1_700_000_000_000, nil, value)
		b := bd.Build(l.End().Offset)
		h, err := record.ParseHeader(b)
		r.must(err)
		_, err = l.Append(&h, b)
		r.must(err)
		r.must(r.d.SyncRound())
	}
	if asked() {
		t.Error("a checkpoint is due before its time")
	}
	h, b := batch(l.End().Offset, 0, 1_700_000_000_000, 1)
	_, err := l.Append(&h, b)
	r.must(err)
	r.must(r.d.SyncRound())
	if asked() {
		t.Error("a checkpoint is due before its time")
	}
	bd := record.NewBuilder()
	bd.Add(1_700_000_000_000, nil, value)
	b = bd.Build(l.End().Offset)
	h, err = record.ParseHeader(b)
	r.must(err)
	_, err = l.Append(&h, b)
	r.must(err)
	r.must(r.d.SyncRound())
	if !asked() {
		t.Error("64 MiB became durable and no checkpoint is due")
	}
	r.must(r.d.Checkpoint(nil))
	fill(t, l, 1, 1)
	r.must(r.d.SyncRound())
	if asked() {
		t.Error("a checkpoint is due right after one")
	}
}

// After a clean stop a log whose checkpoint is gone is not walked whole, and the
// snapshots beside its segments hold one batch of each producer.
func TestTheDuplicateWindowIsWholeWhenOnlySnapshotsAreLeft(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	var sent []record.Header
	for i := range int32(120) {
		h, _ := sequenced(t, l, i)
		sent = append(sent, h)
		if i >= 116 && i <= 118 { // the window lies in four segments
			r.must(l.Roll())
		}
	}
	r.must(r.d.Close(nil))
	r.must(r.fs.Remove("/data/ottla.checkpoint"))
	r.reopen()
	l = r.log(small)
	for _, h := range sent[115:] {
		if v, seen := l.Producers().Check(&h); v != producer.Duplicate || seen.BaseOffset != h.BaseOffset {
			t.Errorf("sequence %d sent again: %v at %d, want a duplicate at %d", h.BaseSequence, v, seen.BaseOffset, h.BaseOffset)
		}
	}
	if rep := l.RecoveryReport(); rep != nil && rep.ScannedBytes >= l.Size() {
		t.Errorf("all %d bytes were walked for that", rep.ScannedBytes)
	}
}
