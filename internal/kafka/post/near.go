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
	_, err := Append(ctx, b.p, batch)
	return err
}

// Append writes a batch, borrowed and patched until it returns, to a partition that
// this node leads, and tells its first offset when it is committed. Where that is -1
// nothing was written; with another error than none beside an offset, it was, and may
// be lost.
func Append(ctx context.Context, p *partition.Partition, batch []byte) (base int64, err error) {
	var got partition.Appended
	if err := p.Append(batch, &partition.AppendArgs{Acks: replica.AcksAll, AllowZstd: true}, &got); err != nil {
		return -1, err
	}
	done := make(committed, 1)
	ok, err := p.Await(done, got.End, replica.AcksAll)
	if ok || err != nil {
		return got.BaseOffset, err
	}
	select {
	case err := <-done:
		return got.BaseOffset, err
	case <-ctx.Done():
		return got.BaseOffset, wire.Errorf(wire.RequestTimedOut, "a batch of this node is written to %s and not committed: %w", p.Topic(), ctx.Err())
	}
}

// committed waits for the log.
type committed chan error

// Committed implements partition.Waiter.
func (c committed) Committed(err error) { c <- err }
