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
	var got partition.Appended
	if err := b.p.Append(batch, &partition.AppendArgs{Acks: replica.AcksAll, AllowZstd: true}, &got); err != nil {
		return err
	}
	done := make(committed, 1)
	ok, err := b.p.Await(done, got.End, replica.AcksAll)
	if ok || err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return wire.Errorf(wire.RequestTimedOut, "a batch of this node is written to %s and not committed: %w", b.p.Topic(), ctx.Err())
	}
}

// committed waits for the log.
type committed chan error

// Committed implements partition.Waiter.
func (c committed) Committed(err error) { c <- err }
