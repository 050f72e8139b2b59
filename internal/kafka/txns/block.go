package txns

import (
	"context"
	"fmt"

	"ottla/internal/controller"
	"ottla/internal/wire"
)

// block is a stock of producer ids, empty at first.
type block struct {
	// turn is held by who takes an id, and while the controller is asked: a
	// channel, so that waiting ends with the request's context.
	turn chan struct{}
	next int64
	left int32
}

// fresh gives out one id as a request needs it: an error has the code that
// Kafka answers while it has no block, on which clients try again.
func (f *Family) fresh(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, takeUp)
	defer cancel()
	id, err := f.take(ctx)
	if err == nil {
		return id, nil
	}
	f.o.Logger.Warn("no producer id for a client", "err", err)
	if wire.CodeOf(err) == wire.UnknownServerError {
		return -1, wire.Errorf(wire.CoordinatorLoadInProgress, "no producer id at the moment: %w", err)
	}
	return -1, err
}

// take gives out one id, asking for another block when the stock is empty.
func (f *Family) take(ctx context.Context) (int64, error) {
	select {
	case f.ids.turn <- struct{}{}:
	case <-ctx.Done():
		return -1, fmt.Errorf("wait for producer ids: %w", ctx.Err())
	}
	defer func() { <-f.ids.turn }()
	if f.ids.left == 0 {
		reply, err := f.o.Cluster.Do(ctx, controller.AllocateProducerIDs{BrokerID: f.o.NodeID})
		if err != nil {
			return -1, fmt.Errorf("allocate producer ids: %w", err)
		}
		ids, ok := reply.(controller.ProducerIDs)
		if !ok || ids.Count <= 0 {
			return -1, fmt.Errorf("allocate producer ids: the controller answered %T of %d, want a block", reply, ids.Count)
		}
		f.ids.next, f.ids.left = ids.First, ids.Count
	}
	id := f.ids.next
	f.ids.next++
	f.ids.left--
	return id, nil
}

// giveBack takes an id back that was not needed, if nobody has taken another
// since and nobody does just now; else it is lost, as ids are plenty.
func (f *Family) giveBack(id int64) {
	select {
	case f.ids.turn <- struct{}{}:
	default:
		return
	}
	if f.ids.next == id+1 {
		f.ids.next--
		f.ids.left++
	}
	<-f.ids.turn
}
