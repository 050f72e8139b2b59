package run

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// one is a chunk of one record, up to an offset.
func one(next int64, size int) chunk {
	return chunk{records: []*kgo.Record{{Offset: next - 1, Value: make([]byte, size)}}, next: next}
}

// Whoever waits, for the pass or because he is paused, reads no further meanwhile: all
// that lies behind would be in memory.
func TestNobodyReadsFurtherThanHeMayGo(t *testing.T) {
	w := &walk{r: &runner{}, feed: &feed{chunks: make(chan chunk, ahead)}}
	w.feed.chunks <- one(1, 1)
	if err := w.wait(t.Context(), nil); err != nil || w.seen != 1 {
		t.Fatalf("read up to %d, and %v", w.seen, err)
	}
	w.feed.chunks <- one(2, 1)
	bell := make(chan struct{}, 1)
	for range 100 {
		ring(bell)
		if err := w.wait(t.Context(), bell); err != nil || w.seen != 1 {
			t.Fatalf("while it waits it has read up to %d, and %v", w.seen, err)
		}
	}
	w.took(1)
	if err := w.wait(t.Context(), nil); err != nil || w.seen != 2 {
		t.Errorf("when it goes on it has read up to %d, and %v", w.seen, err)
	}
}

// However much lies there, a turn takes only what it can use into memory.
func TestATurnGathersNoMoreThanItTakes(t *testing.T) {
	w := &walk{r: &runner{}, feed: &feed{chunks: make(chan chunk, ahead)}}
	for n := range int64(ahead) {
		w.feed.chunks <- one(n+1, mostBytes/2)
	}
	if err := w.gather(); err != nil || len(w.left) != 2 {
		t.Errorf("it gathered %d events of half a turn each, and %v", len(w.left), err)
	}
}
