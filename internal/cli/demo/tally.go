package demo

import (
	"context"
	"fmt"
	"maps"
	"sync"
)

// Part is something that moves in the shop.
type Part string

// The parts, each counted when it was seen to have happened.
const (
	Placed    Part = "placed"    // an order was put
	Late      Part = "late"      // one was put later than those that came after it
	Poison    Part = "poison"    // an order that nobody can charge was taken from the queue
	Paid      Part = "paid"      // the billing worker charged one
	Packed    Part = "packed"    // the warehouse took one from the FIFO queue
	Shipped   Part = "shipped"   // and sent it
	Waiting   Part = "waiting"   // a deadline was set for one
	Cancelled Part = "cancelled" // its deadline came first
	Refunded  Part = "refunded"  // the money went back
	Called    Part = "called"    // the carrier was called, and took it
	Failed    Part = "failed"    // the carrier was called, and failed
	Refused   Part = "refused"   // the carrier was called, and will never take it
	Gift      Part = "gift"      // the SNS subscription gave one that its filter lets through
	Scheduled Part = "scheduled" // a schedule's message came
	Read      Part = "read"      // the consumer group read one of the bus's records
)

// tally counts what was seen. It is safe for concurrent use.
type tally struct {
	mu      sync.Mutex // guards all
	counts  map[Part]int
	changed chan struct{} // closed at the next change
}

func newTally() *tally { return &tally{counts: map[Part]int{}, changed: make(chan struct{})} }

func (t *tally) add(p Part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[p]++
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tally) now() (map[Part]int, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.counts), t.changed
}

// await waits until each part was seen.
func (t *tally) await(ctx context.Context, parts ...Part) error {
	for {
		counts, changed := t.now()
		missing := Part("")
		for _, p := range parts {
			if counts[p] == 0 {
				missing = p
			}
		}
		if missing == "" {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%q was not seen: %w (seen: %v)", missing, ctx.Err(), counts)
		}
	}
}

// widest is how wide a status is at most: one that is wrapped cannot be written over.
const widest = 79

// line is the short line that tells how the shop does.
func (t *tally) line() string {
	c, _ := t.now()
	line := fmt.Sprintf("  demo  orders %d  paid %d  shipped %d  cancelled %d  carrier %d+%d failed",
		c[Placed], c[Paid], c[Shipped], c[Cancelled], c[Called], c[Failed]+c[Refused])
	return line[:min(len(line), widest)]
}
