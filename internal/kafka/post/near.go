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
	Base int64 // its first offset
	p    *partition.Partition
	end  int64
}

// Write writes a batch, borrowed and patched until it returns, to a partition that
// this node leads. With an error nothing was written.
func Write(p *partition.Partition, batch []byte) (Written, error) {
	var got partition.Appended
	if err := p.Append(batch, &partition.AppendArgs{Acks: replica.AcksAll, AllowZstd: true}, &got); err != nil {
		return Written{}, err
	}
	return Written{got.BaseOffset, p, got.End}, nil
}

// Await returns when the batch is committed.
func (w Written) Await(ctx context.Context) error {
	done := make(committed, 1)
	ok, err := w.p.Await(done, w.end, replica.AcksAll)
	if ok || err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return wire.Errorf(wire.RequestTimedOut, "a batch of this node is written to %s and not committed: %w", w.p.Topic(), ctx.Err())
	}
}

// committed waits for the log.
type committed chan error

// Committed implements partition.Waiter.
func (c committed) Committed(err error) { c <- err }
