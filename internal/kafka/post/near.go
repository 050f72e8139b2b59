package post

import (
	"context"

	"ottla/internal/partition"
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// near is a Box that this node leads.
type near struct{ p *partition.Partition }

// MostBytes implements Box.
func (b near) MostBytes() int { return b.p.MaxBatch() }

// Put implements Box.
func (b near) Put(ctx context.Context, batch []byte) error {
	w, err := Write(b.p, batch)
	if err != nil {
		return err
	}
	return w.Await(ctx)
}

// Written is a batch that is in the log, and may be lost until it is committed.
type Written struct {
	Base  int64 // its first offset
	topic string
	told  committed
}

// Write writes a batch, borrowed and patched until it returns, to a partition that
// this node leads. With an error nothing was written.
//
// Whoever waits for the batch is entered here, and only if the node leads still as it
// did: a leader that was none meanwhile may have other records at these offsets.
func Write(p *partition.Partition, batch []byte) (Written, error) {
	epoch := p.Offsets().LeaderEpoch
	var got partition.Appended
	args := partition.AppendArgs{Acks: replica.AcksAll, AllowZstd: true, InEpoch: true, LeaderEpoch: epoch}
	if err := p.Append(batch, &args, &got); err != nil {
		return Written{}, err
	}
	told := make(committed, 1)
	done, err := p.Await(told, got.End, replica.AcksAll)
	if err == nil && p.Offsets().LeaderEpoch != epoch {
		told, err = make(committed, 1), wire.NotLeaderOrFollower
	}
	if done || err != nil {
		told <- err
	}
	return Written{got.BaseOffset, p.Topic(), told}, nil
}

// Await returns when the batch is committed, or nobody will tell whether it is. It is
// called once.
func (w Written) Await(ctx context.Context) error {
	select {
	case err := <-w.told:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-w.told:
		return err
	default:
		return wire.Errorf(wire.RequestTimedOut, "a batch of this node is written to %s and not committed: %w", w.topic, ctx.Err())
	}
}

// committed waits for the log.
type committed chan error

// Committed implements partition.Waiter.
func (c committed) Committed(err error) { c <- err }
