package broker

import (
	"context"
	"errors"
	"fmt"

	"ottla/internal/coordinator"
	"ottla/internal/partition"
	"ottla/internal/partition/replica"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// tail is a partition as a coordinator writes to it, for one leader epoch. It
// implements coordinator.Tail.
type tail struct {
	p     *partition.Partition
	epoch int32
}

func (t *tail) LeaderEpoch() int32 { return t.epoch }

func (t *tail) End() int64 { return t.p.Offsets().LogEnd }

func (t *tail) MaxBatchBytes() int { return t.p.MaxBatch() }

func (t *tail) Check() error { return t.p.MayAppend(t.epoch) }

func (t *tail) Append(batch []byte, version int16) (base, end int64, err error) {
	var got partition.Appended
	err = t.p.Append(batch, &partition.AppendArgs{
		Acks: replica.AcksAll, Internal: true, TransactionVersion: version,
		InEpoch: true, LeaderEpoch: t.epoch,
	}, &got)
	if err != nil {
		return 0, 0, err
	}
	return got.BaseOffset, got.End, nil
}

func (t *tail) Await(w coordinator.Waiter, end int64) (bool, error) {
	done, err := t.p.Await(shrunkToo{w}, end, replica.AcksAll)
	if isCommitted(err) {
		done, err = true, nil
	}
	if done && t.p.Offsets().LeaderEpoch != t.epoch {
		// What stands below end may be another leader's.
		return false, wire.FencedLeaderEpoch
	}
	return done, err
}

// shrunkToo passes on what a waiter is told. That the ISR has shrunk since is
// no concern of a coordinator: its records are committed.
type shrunkToo struct{ w coordinator.Waiter }

func (c shrunkToo) Committed(err error) {
	if isCommitted(err) {
		err = nil
	}
	c.w.Committed(err)
}

func isCommitted(err error) bool {
	return err != nil && wire.CodeOf(err) == wire.NotEnoughReplicasAfterAppend
}

// replayBytes is how much of the log a replay reads at a time; a larger batch
// comes whole.
const replayBytes = 1 << 20

func (t *tail) Replay(ctx context.Context, from, to int64, fn func([]byte) error) error {
	var buf []byte
	at := max(from, t.p.Offsets().LogStart)
	for at < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		next, err := t.replaySome(at, to, &buf, fn)
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// replaySome gives fn the batches of one read and tells where the next one
// begins.
func (t *tail) replaySome(at, to int64, buf *[]byte, fn func([]byte) error) (int64, error) {
	a := partition.FetchArgs{Offset: at, MaxBytes: replayBytes, MinOne: true, CurrentLeaderEpoch: t.epoch, LastFetchedEpoch: -1}
	var f partition.Fetched
	if err := t.p.Fetch(&a, &f); err != nil {
		return at, err
	}
	if f.Slice.Len == 0 {
		if f.HighWatermark >= to {
			return to, nil // compaction left nothing up there
		}
		return at, fmt.Errorf("offsets %d to %d cannot be read: the high watermark is %d", at, to, f.HighWatermark)
	}
	b := append((*buf)[:0], make([]byte, f.Slice.Len)...)
	*buf = b
	_, err := f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	if err != nil {
		return at, fmt.Errorf("read from offset %d: %w", at, err)
	}
	for at < to {
		h, batch, rest, err := record.Next(b)
		if errors.Is(err, record.ErrShort) {
			return at, nil // the rest of it comes with the next read
		}
		if err != nil {
			return at, fmt.Errorf("the log at offset %d: %w", at, err)
		}
		if !record.VerifyCRC(batch) {
			return at, wire.Errorf(wire.CorruptMessage, "the batch at offset %d does not match its checksum", h.BaseOffset)
		}
		if err := fn(batch); err != nil {
			return at, err
		}
		b, at = rest, h.NextOffset()
	}
	return at, nil
}
