package replica

import (
	"math/rand/v2"
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// TestTxnsAgreeWithTheProducerState runs random transactions through both
// keepers of the first unstable offset: the log's producer state, which is the
// truth, and Txns, which must say the same at every high watermark.
func TestTxnsAgreeWithTheProducerState(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		truth := producer.NewState()
		var txns Txns
		end, high := int64(0), int64(0)
		producers := 1 + rnd.Int64N(60)
		for step := range 3000 {
			id := rnd.Int64N(producers)
			switch n := rnd.IntN(10); {
			case n < 4:
				h := record.Header{BaseOffset: end, ProducerID: id, BaseSequence: -1, LastOffsetDelta: rnd.Int32N(5), Attributes: 1 << 4}
				txns.Begin(id, end)
				if rnd.IntN(10) == 0 { // the append fails
					if !openIn(truth, id) {
						txns.Undo(id)
					}
					break
				}
				if _, _, err := truth.Apply(&h, nil); err != nil {
					t.Fatal(err)
				}
				end = h.NextOffset()
			case n < 8:
				b := record.EndTxnMarker(id, 0, rnd.IntN(2) == 0, 1, 1)
				record.SetBaseOffset(b, end)
				h, err := record.ParseHeader(b)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := truth.Apply(&h, b); err != nil {
					t.Fatal(err)
				}
				txns.End(id, end)
				end++
			default:
				high += rnd.Int64N(end - high + 1)
			}
			want, wantOK := truth.FirstUnstable(high)
			got, ok := txns.FirstUnstable(high)
			if ok != wantOK || ok && got != want {
				t.Fatalf("seed %d, step %d, high %d of %d: got %d %v, want %d %v", seed, step, high, end, got, ok, want, wantOK)
			}
		}
		if n := txns.Len(); n > 4*int(producers)+100 {
			t.Errorf("seed %d: %d transactions are kept for %d producers", seed, n, producers)
		}
	}
}

func openIn(s *producer.State, id int64) bool { return s.HasOpenTxn(id, 0) }

// TestSettledTransactionsBehindAHangingOneAreForgotten: one producer hangs, and
// another goes on for ever.
func TestSettledTransactionsBehindAHangingOneAreForgotten(t *testing.T) {
	var txns Txns
	txns.Begin(1, 0)
	for i := int64(1); i < 100_000; i += 2 {
		txns.Begin(2, i)
		txns.End(2, i+1)
		if first, ok := txns.FirstUnstable(i + 2); !ok || first != 0 {
			t.Fatalf("at %d: %d %v, want 0", i, first, ok)
		}
	}
	if n := txns.Len(); n > 100 {
		t.Errorf("%d transactions are kept, want few", n)
	}
	txns.End(1, 100_001)
	if _, ok := txns.FirstUnstable(100_002); ok || txns.Len() != 0 {
		t.Errorf("all are decided, and %d are kept", txns.Len())
	}
}
