package compact

import (
	"slices"
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
)

func data(id, base int64, txn bool) *record.Header {
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = id, 0, 0, txn
	b.Add(1, []byte("k"), []byte("v"))
	h, err := record.ParseHeader(b.Build(base))
	if err != nil {
		panic(err)
	}
	return &h
}

func mark(t *testing.T, x *Transactions, id, base int64, commit bool) bool {
	t.Helper()
	raw := record.EndTxnMarker(id, 0, commit, 0, 1)
	record.SetBaseOffset(raw, base)
	h, err := record.ParseHeader(raw)
	if err != nil {
		t.Fatal(err)
	}
	spent, err := x.Marker(&h, raw)
	if err != nil {
		t.Fatal(err)
	}
	return spent
}

func TestAMarkerIsSpentOnceNothingOfItsTransactionIsLeft(t *testing.T) {
	x := NewTransactions(nil)
	if x.Batch(data(1, 0, true)) || x.Batch(data(2, 1, false)) {
		t.Error("a committed and a plain batch are called aborted")
	}
	if mark(t, &x, 1, 2, true) {
		t.Error("the marker of a batch that is there is called spent")
	}
	if !mark(t, &x, 1, 3, true) || !mark(t, &x, 2, 4, true) {
		t.Error("markers of nothing are not called spent")
	}
}

func TestAnAbortedTransactionIsHiddenFromItsFirstOffsetToItsMarker(t *testing.T) {
	entries := []producer.Aborted{
		{ProducerID: 1, FirstOffset: 0, LastOffset: 3}, {ProducerID: 2, FirstOffset: 1, LastOffset: 8},
		{ProducerID: 1, FirstOffset: 5, LastOffset: 7}, {ProducerID: 3, FirstOffset: 6, LastOffset: 9},
	}
	x := NewTransactions(entries)
	if !x.Batch(data(1, 0, true)) || !x.Batch(data(2, 1, true)) || x.Batch(data(2, 2, false)) {
		t.Error("batches 0, 1 are aborted, 2 is not")
	}
	if mark(t, &x, 1, 3, false) {
		t.Error("marker 3 hides a batch and is called spent")
	}
	if x.Batch(data(1, 4, true)) {
		t.Error("batch 4 lies between two aborted transactions")
	}
	if mark(t, &x, 1, 7, false) != true {
		t.Error("marker 7: its batches are gone, so it is spent")
	}
	if mark(t, &x, 2, 8, false) || !mark(t, &x, 3, 9, false) {
		t.Error("marker 8 hides a batch, marker 9 nothing")
	}
	if got := x.TakeKept(); !slices.Equal(got, entries[:2]) {
		t.Errorf("entries that stay: %v, want %v", got, entries[:2])
	}
	if x.TakeKept() != nil {
		t.Error("they are handed over twice")
	}
}

func TestAnEntryThatEndedBeforeTheFirstBatchHidesNothing(t *testing.T) {
	x := NewTransactions([]producer.Aborted{{ProducerID: 1, FirstOffset: 0, LastOffset: 3}})
	if x.Batch(data(1, 10, true)) {
		t.Error("a later transaction of the producer is called aborted")
	}
}

func TestOtherControlBatchesAreNeverSpent(t *testing.T) {
	b := record.NewBuilder()
	b.Control = true
	b.Add(1, record.ControlKey(record.ControlLeaderChange), []byte{0, 0})
	raw := b.Build(0)
	h, _ := record.ParseHeader(raw)
	x := NewTransactions(nil)
	if spent, err := x.Marker(&h, raw); spent || err != nil {
		t.Errorf("spent %v, %v", spent, err)
	}
	empty := record.EmptyBatch(nil, &h)
	h, _ = record.ParseHeader(empty)
	if spent, err := x.Marker(&h, empty); !spent || err != nil {
		t.Errorf("an empty control batch: spent %v, %v", spent, err)
	}
}
