package data

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// What is produced on the connection of a long poll stands behind it.
func TestANodeThatStopsAnswersAFetchThatWaitsAndWhatStandsBehindIt(t *testing.T) {
	r := newRig(t)
	c := r.dial()
	fetch := fetchRequest(11, map[int32]int64{0: 0})
	produce := produceRequest(9, -1, map[int32][]byte{1: batch("a")})
	c.send(fetch)
	c.send(produce)
	p, _ := r.ByName([]byte("orders"), 1)
	c2 := r.dial()
	if got := rows(t, c2.ask(fetchRequest(11, map[int32]int64{1: 0})).(*kmsg.FetchResponse)); p.Offsets().HighWatermark != 1 {
		t.Fatalf("what was produced is not there: %s", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, r.door.Close(ctx))
	for _, part := range c.receive(fetch, 1).(*kmsg.FetchResponse).Topics[0].Partitions {
		if part.ErrorCode != 0 || len(part.RecordBatches) != 0 {
			t.Errorf("the fetch was answered with code %d and %d bytes", part.ErrorCode, len(part.RecordBatches))
		}
	}
	if got := c.receive(produce, 2).(*kmsg.ProduceResponse).Topics[0].Partitions[0]; got.ErrorCode != 0 || got.BaseOffset != 0 {
		t.Errorf("the producer was answered with code %d and offset %d", got.ErrorCode, got.BaseOffset)
	}
}
