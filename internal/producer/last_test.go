package producer

import (
	"reflect"
	"testing"

	"ottla/internal/record"
)

func TestLastsNamesTheBatchThatMustStay(t *testing.T) {
	s := NewState()
	apply(t, s, header(1, 0, 0, 2, 10))
	apply(t, s, header(1, 0, 2, 3, 12))
	apply(t, s, header(2, 4, 0, 1, 15))
	m := record.EndTxnMarker(2, 5, true, 0, 1)
	record.SetBaseOffset(m, 16)
	h, err := record.ParseHeader(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Apply(&h, m); err != nil {
		t.Fatal(err)
	}
	want := map[int64]Last{1: {Offset: 14, Epoch: 0}, 2: {Offset: -1, Epoch: 5}}
	if got := s.Lasts(); !reflect.DeepEqual(got, want) {
		t.Errorf("lasts %v, want %v", got, want)
	}
}

func TestAMarkerWithoutRecordsTellsTheEpochAlone(t *testing.T) {
	s := NewState()
	apply(t, s, header(1, 3, 0, 2, 10))
	m := record.EndTxnMarker(1, 4, false, 0, 7)
	h, _ := record.ParseHeader(m)
	empty := record.EmptyBatch(nil, &h)
	h, _ = record.ParseHeader(empty)
	if _, aborted, err := s.Apply(&h, empty); err != nil || aborted {
		t.Fatalf("aborted %v, %v", aborted, err)
	}
	if got := s.List(); len(got) != 1 || got[0].Epoch != 4 || got[0].LastSequence != -1 {
		t.Errorf("producers %+v, want epoch 4 and no batch", got)
	}
	h.ProducerEpoch = 2
	if _, _, err := s.Apply(&h, empty); err != nil || s.List()[0].Epoch != 4 {
		t.Errorf("an older epoch came back: %+v, %v", s.List(), err)
	}
}
