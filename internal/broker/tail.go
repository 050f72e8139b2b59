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

// LeaderEpoch is the epoch in which the coordinator leads the partition.
func (t *tail) LeaderEpoch() int32 { return t.epoch }

// End is the log end offset, committed or not.
func (t *tail) End() int64 { return t.p.Offsets().LogEnd }

// Sole tells whether no other node has the partition.
func (t *tail) Sole() bool { return t.p.Sole() }

// MaxBatchBytes is the most that one batch may have.
func (t *tail) MaxBatchBytes() int { return t.p.MaxBatch() }

// Check tells why an append would be refused now, or nil.
func (t *tail) Check() error { return t.p.MayAppend(t.epoch) }

// Append writes one batch of the coordinator's records. It answers with the
// batch's first offset and the end after it; committed they are when Await
// says so.
func (t *tail) Append(batch []byte, txn *coordinator.Txn) (base, end int64, err error) {
	args := partition.AppendArgs{Acks: replica.AcksAll, Internal: true, InEpoch: true, LeaderEpoch: t.epoch}
	if txn != nil {
		args.TransactionVersion, args.Guard = txn.Version, txn.Guard
	}
	var got partition.Appended
	err = t.p.Append(batch, &args, &got)
	if err != nil {
		return 0, 0, err
	}
	return got.BaseOffset, got.End, nil
}

// Await has w told when everything below end is committed. True means that it
// is already, and w will not be told.
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

// Committed passes the news on, with the reason when the append is lost.
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

// Replay calls fn with every batch that has records in [from, to), in order.
// It ends with the first error, or with that of ctx.
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
