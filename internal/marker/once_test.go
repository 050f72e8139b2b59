package marker

import (
	"context"
	"slices"
	"testing"

	"ottla/internal/txn"
	"ottla/internal/wire"
)

// cutting are group coordinators at whose question the time is over.
type cutting struct {
	cut   func()
	early func() bool // the try has ended already
	t     *testing.T
}

func (g *cutting) GoAt(ctx context.Context, _ int32, _ any, _ func(any, error)) {
	g.cut()
	<-ctx.Done()
	if g.early() {
		g.t.Error("the try is over while partitions are still being asked")
	}
}

// When a try is over nothing of it comes later: who waits for that may begin
// anew.
func TestWhenATryIsOverNothingIsWrittenAnyMore(t *testing.T) {
	for range 50 {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan []wire.Code, 1)
		r.w.o.Groups = &cutting{cut: cancel, early: func() bool { return len(answers) > 0 }, t: t}
		m := marker(append(orders(0), txn.TopicPartition{Topic: "__consumer_offsets", Partition: 1}, orders(1)[0])...)
		r.w.Once(ctx, &m, func(codes []wire.Code) { answers <- codes })
		over := wire.RequestTimedOut
		if got := <-answers; !slices.Equal(got, []wire.Code{over, over, over}) {
			t.Errorf("codes %v, want only %v", got, over)
		}
		if first, second := r.parts[0].Offsets().LogEnd, r.parts[1].Offsets().LogEnd; first != 1 || second != 0 {
			t.Errorf("%d and %d records, want 1 and 0", first, second)
		}
	}
}
