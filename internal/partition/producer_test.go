package partition

import (
	"testing"
	"time"

	"ottla/internal/record"
	"ottla/internal/wire"
)

func TestIdempotenceOverARestart(t *testing.T) {
	for _, how := range []struct {
		name string
		do   func(r *rig)
	}{
		{"live", func(*rig) {}},
		{"restarted", (*rig).restart},
	} {
		t.Run(how.name, func(t *testing.T) {
			r := memRig(t)
			send := func(seq int32) Appended {
				t.Helper()
				return r.put(batch(2, 50, "x", from(9, 3, seq)), all)
			}
			for seq := int32(0); seq < 12; seq += 2 {
				if got := send(seq); got.Duplicate || got.BaseOffset != int64(seq) {
					t.Fatalf("sequence %d: got %+v", seq, got)
				}
			}
			r.round()
			how.do(r)
			// The last five batches are remembered, the sixth last is not.
			for seq := int32(2); seq < 12; seq += 2 {
				got := send(seq)
				if !got.Duplicate || got.BaseOffset != int64(seq) || got.End != int64(seq)+2 || got.LogAppendTimeMs != epochOfTests.UnixMilli()+1 {
					t.Errorf("sequence %d again: got %+v, want a duplicate at its first offset and time", seq, got)
				}
			}
			r.refuse(batch(2, 50, "x", from(9, 3, 0)), all, wire.OutOfOrderSequenceNumber)
			r.refuse(batch(2, 50, "x", from(9, 3, 14)), all, wire.OutOfOrderSequenceNumber)
			r.refuse(batch(2, 50, "x", from(9, 2, 12)), all, wire.InvalidProducerEpoch)
			r.refuse(batch(2, 50, "x", from(9, 4, 1)), all, wire.OutOfOrderSequenceNumber)
			if got := send(12); got.Duplicate || got.BaseOffset != 12 {
				t.Errorf("the next: got %+v, want offset 12", got)
			}
			if got := r.put(batch(1, 50, "x", from(9, 4, 0)), all); got.BaseOffset != 14 {
				t.Errorf("a new epoch: got %+v, want offset 14", got)
			}
			if got := r.put(batch(1, 50, "x", from(10, 0, 77)), all); got.BaseOffset != 15 {
				t.Errorf("an unknown producer may begin anywhere: got %+v", got)
			}
			infos, err := r.p.Producers()
			if err != nil || len(infos) != 2 || infos[0].ProducerID != 9 || infos[0].Epoch != 4 || infos[1].LastSequence != 77 {
				t.Errorf("producers %+v %v", infos, err)
			}
		})
	}
}

func TestSilentProducersExpire(t *testing.T) {
	r := memRig(t)
	r.put(batch(1, 50, "x", from(1, 0, 0)), all)
	r.put(batch(1, 50, "x", from(2, 0, 0), transactional), ours)
	r.p.Expire(epochOfTests.Add(23 * time.Hour))
	if infos, _ := r.p.Producers(); len(infos) != 2 {
		t.Errorf("%d producers after 23 hours, want 2", len(infos))
	}
	r.p.Expire(epochOfTests.Add(25 * time.Hour))
	if infos, _ := r.p.Producers(); len(infos) != 1 || infos[0].ProducerID != 2 {
		t.Errorf("producers %+v after 25 hours, want the one with an open transaction", infos)
	}
}

func TestTransactionsHoldTheLastStableOffset(t *testing.T) {
	r := memRig(t)
	r.put(batch(2, 50, "plain"), all)                                     // 0, 1
	r.put(batch(2, 50, "one", from(1, 0, 0), transactional), ours)        // 2, 3
	r.put(batch(1, 50, "two", from(2, 0, 0), transactional), ours)        // 4
	r.refuse(batch(1, 50, "p", from(1, 0, 2)), all, wire.InvalidTxnState) // plain inside a transaction
	r.put(batch(1, 50, "one", from(1, 0, 2), transactional), ours)        // 5
	stable := func(want int64) {
		t.Helper()
		o := r.p.Offsets()
		if first, ok := r.p.log.Load().Producers().FirstUnstable(o.HighWatermark); ok && min(first, o.HighWatermark) != o.LastStable || !ok && o.LastStable != o.HighWatermark {
			t.Errorf("last stable offset %d, high watermark %d; the producer state says %d %v", o.LastStable, o.HighWatermark, first, ok)
		}
		if o.LastStable != want {
			t.Errorf("last stable offset %d, want %d", o.LastStable, want)
		}
	}
	stable(0)
	r.round()
	stable(2)
	r.put(marker(2, 0, false), ours) // 6: two aborts
	r.round()
	stable(2)
	if f, b := r.get(committed(0)); len(split(t, b)) != 1 || f.LastStable != 2 {
		t.Errorf("read_committed: %d batches, %+v; want only what is decided", len(split(t, b)), f)
	}
	r.restart()
	stable(2)
	end := r.put(marker(1, 0, true), ours) // 7: one commits
	stable(2)
	w := r.wait(end.End, -1)
	r.round()
	w.told(wire.None)
	stable(8)
	f, b := r.get(committed(2))
	if hs := split(t, b); len(hs) != 5 || !hs[4].Control() {
		t.Errorf("read_committed: %d batches, want 5 with the markers", len(hs))
	}
	if len(f.Aborted) != 1 || f.Aborted[0].ProducerID != 2 || f.Aborted[0].FirstOffset != 4 {
		t.Errorf("aborted %+v, want producer 2 from offset 4", f.Aborted)
	}
	if f, _ := r.get(at(2)); f.Aborted != nil {
		t.Errorf("read_uncommitted carries aborted %+v, want none", f.Aborted)
	}
	r.restart()
	if f, _ := r.get(committed(4)); len(f.Aborted) != 1 {
		t.Errorf("aborted %+v after a restart, want one", f.Aborted)
	}
	if f, _ := r.get(committed(7)); len(f.Aborted) != 0 {
		t.Errorf("aborted %+v from offset 7 on, want none", f.Aborted)
	}
}

func TestMarkersOfFencedCoordinatorsAreRefused(t *testing.T) {
	r := memRig(t)
	r.put(batch(1, 50, "one", from(1, 5, 0), transactional), ours)
	r.refuse(marker(1, 4, true), ours, wire.InvalidProducerEpoch)
	strict := ours
	strict.TransactionVersion = 2
	r.refuse(marker(1, 5, true), strict, wire.InvalidProducerEpoch)
	r.put(record.EndTxnMarker(1, 6, true, 9, epochOfTests.UnixMilli()), strict)
	r.refuse(record.EndTxnMarker(1, 6, true, 8, epochOfTests.UnixMilli()), ours, wire.TransactionCoordinatorFenced)
}
