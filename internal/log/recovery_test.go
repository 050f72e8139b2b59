package log

import (
	"errors"
	"os"
	"strings"
	"testing"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/record"
)

// write puts bytes into a file of the log's directory, as a crash or a bad disk
// may leave them.
func (r *rig) write(name string, b []byte) {
	r.t.Helper()
	if err := r.fs.MkdirAll("/data/orders-0", 0o755); err != nil {
		r.t.Fatal(err)
	}
	f, err := r.fs.OpenFile("/data/orders-0/"+name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		r.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(name string) []byte {
	r.t.Helper()
	b, err := checkpoint.Read(r.fs, "/data/orders-0/"+name)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

// batches concatenates batches of one record at the given offsets and epochs.
func batches(at ...[2]int64) []byte {
	var out []byte
	for _, a := range at {
		_, b := batch(a[0], int32(a[1]), 1_700_000_000_000, 1)
		out = append(out, b...)
	}
	return out
}

func TestRecoveryCutsTheTailAtTheFirstBatchThatIsNotSound(t *testing.T) {
	one := len(batches([2]int64{0, 0}))
	good := batches([2]int64{0, 1}, [2]int64{1, 1})
	third := func(change func(b []byte)) []byte {
		b := batches([2]int64{2, 1}, [2]int64{3, 1})
		change(b)
		return append(append([]byte{}, good...), b...)
	}
	for name, c := range map[string]struct {
		bytes  []byte
		end    int64
		reason string
	}{
		"whole":               {third(func([]byte) {}), 4, ""},
		"torn in the header":  {third(func([]byte) {})[:2*one+20], 2, "less than a batch header"},
		"torn in the records": {third(func([]byte) {})[:3*one-1], 2, "where"},
		"zeros at the end":    {append(append([]byte{}, good...), make([]byte, 4096)...), 2, "magic"},
		"a flipped bit":       {third(func(b []byte) { b[one-1] ^= 1 }), 2, "checksum"},
		"an old batch":        {append(append([]byte{}, good...), batches([2]int64{1, 1})...), 2, "where 2 is next"},
		"a batch too far on":  {append(append([]byte{}, good...), batches([2]int64{7, 1})...), 2, "where 2 is next"},
		"an older epoch":      {append(append([]byte{}, good...), batches([2]int64{2, 0})...), 2, "epoch"},
		"another's file":      {batches([2]int64{5, 1}), 0, "where 0 is next"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.write(layout.FileName(0, layout.Log), c.bytes)
			r.reopen()
			l := r.log(Config{})
			if l.Doubted() != (c.reason != "") {
				t.Errorf("its end is in doubt: %v", l.Doubted())
			}
			rep := l.RecoveryReport()
			if l.End().Offset != c.end || l.Durable() != l.End() || rep == nil {
				t.Fatalf("end %v, durable %v, %+v; want %d", l.End(), l.Durable(), rep, c.end)
			}
			wantRun(t, readAll(t, l, 0), int(c.end), 1)
			if c.reason == "" {
				if rep.CutBytes != 0 {
					t.Errorf("%d bytes were cut of a sound log: %s", rep.CutBytes, rep.Reason)
				}
				return
			}
			if !strings.Contains(rep.Reason, c.reason) {
				t.Errorf("reason %q, want one with %q", rep.Reason, c.reason)
			}
			kept := r.read(rep.SavedTo[strings.LastIndexByte(rep.SavedTo, '/')+1:])
			if want := c.bytes[int(c.end)*one:]; string(kept) != string(want) || rep.CutBytes != int64(len(want)) {
				t.Errorf("%d bytes kept, %d reported, want %d", len(kept), rep.CutBytes, len(want))
			}
			fill(t, l, 3, 1)
			wantRun(t, readAll(t, l, 0), int(c.end)+3, 1)
		})
	}
}

func TestBelowTheRecoveryPointNothingIsCut(t *testing.T) {
	r := newRig(t)
	l := r.log(big)
	fill(t, l, 10, 1)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	fill(t, l, 10, 1) // takes the mark that the checkpoint asked for
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	name := layout.FileName(0, layout.Log)
	b := r.read(name)
	at := 0
	for range 15 { // the 16th batch, between state and recovery point
		h, err := record.ParseHeader(b[at:])
		if err != nil {
			t.Fatal(err)
		}
		at += h.Size()
	}
	b[at+70] ^= 1
	r.write(name, b)
	r.reopen()
	l = r.log(big)
	if l.End().Offset != 20 || l.RecoveryReport() == nil || l.RecoveryReport().CutBytes != 0 {
		t.Fatalf("end %v, %+v; want 20 and nothing cut", l.End(), l.RecoveryReport())
	}
	_, err := l.Read(15, l.End(), 1000, true)
	rot := (*CorruptError)(nil)
	if !errors.As(err, &rot) || rot.Offset != 15 || rot.NextOffset != 16 || rot.Byte != int64(at) {
		t.Errorf("read of the rotten batch: %+v %v, want a *CorruptError for [15, 16) at byte %d", rot, err, at)
	}
	for _, o := range []int64{0, 14, 16, 19} {
		s, err := l.Read(o, l.End(), 1, true)
		if err != nil || s.Len == 0 {
			t.Errorf("read at %d beside the rot: %d bytes %v", o, s.Len, err)
		}
		s.Release()
	}
	fill(t, l, 2, 1)
	if l.End().Offset != 22 {
		t.Errorf("appends go on to %d, want 22", l.End().Offset)
	}
}

func TestALogRobbedOfItsFilesIsNoNewLog(t *testing.T) {
	for _, what := range []string{"/data/orders-0/" + layout.FileName(0, layout.Log), "/data/orders-0"} {
		r := newRig(t)
		l := r.log(big)
		fill(t, l, 10, 1)
		if err := r.d.SyncRound(); err != nil {
			t.Fatal(err)
		}
		if err := r.d.Checkpoint(nil); err != nil {
			t.Fatal(err)
		}
		if err := r.fs.RemoveAll(what); err != nil {
			t.Fatal(err)
		}
		r.reopen()
		other := ident(0)
		other.ID[0]++
		if missed := r.d.Misses(ident(0)); missed == r.d.Holds("orders", 0) || r.d.Misses(ident(1)) || r.d.Misses(other) {
			t.Errorf("without %s it is missed: %v", what, missed)
		}
		l = r.log(big)
		if !l.Doubted() || !l.Lost() {
			t.Errorf("without %s: in doubt %v, lost %v", what, l.Doubted(), l.Lost())
		}
		if l.End().Offset != 10 || l.RecoveryReport() == nil || l.RecoveryReport().Reason == "" {
			t.Errorf("without %s: end %v, %+v; want 10 and a reason", what, l.End(), l.RecoveryReport())
		}
		fill(t, l, 1, 1)
		if got := l.End().Offset; got != 11 {
			t.Errorf("without %s: the next batch ends at %d, want 11", what, got)
		}
	}
}

// FuzzRecovery opens arbitrary bytes as the last segment, with and without a
// checkpoint: whatever they are, what is served is sound and in order, and
// nothing of it changes with the next start.
func FuzzRecovery(f *testing.F) {
	f.Add(batches([2]int64{0, 0}, [2]int64{1, 0}), false)
	f.Add(batches([2]int64{0, 0}, [2]int64{1, 0})[:100], true)
	f.Add(append(batches([2]int64{0, 3}), make([]byte, 100)...), false)
	f.Add(batches([2]int64{0, 2}, [2]int64{5, 1}), true)
	f.Fuzz(func(t *testing.T, b []byte, foreign bool) {
		r := newRig(t)
		r.write(layout.FileName(0, layout.Log), b)
		if foreign {
			if err := r.fs.Remove("/data/" + checkpoint.Name); err != nil {
				t.Fatal(err)
			}
		}
		r.reopen()
		served := func() (out []int64) {
			l := r.log(Config{MaxDecompressed: 1 << 20})
			next := int64(0)
			err := l.Scan(l.Start(), func(h *record.Header, raw []byte) error {
				if h.BaseOffset < next || !record.VerifyCRC(raw) {
					t.Fatalf("serves a batch at %d where %d is next", h.BaseOffset, next)
				}
				next = h.NextOffset()
				out = append(out, h.BaseOffset)
				return nil
			})
			if rot := (*CorruptError)(nil); err != nil && !errors.As(err, &rot) {
				t.Fatalf("scan: %v", err)
			}
			if l.End().Offset < next {
				t.Fatalf("serves up to %d, ends at %d", next, l.End().Offset)
			}
			_, _, _ = l.LookupTime(5, l.End())
			_, _, _ = l.MaxTime()
			return out
		}
		first := served()
		if err := r.d.Close(nil); err != nil {
			t.Fatal(err)
		}
		r.reopen()
		if again := served(); len(again) != len(first) {
			t.Fatalf("serves %v, after another start %v", first, again)
		}
	})
}
