package queues

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/partition"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// part gives a share-partition of this node, loaded.
func (l *Leases) part(ctx context.Context, p Part) (*lead.Part, error) {
	at, _, err := l.find(ctx, p)
	return at, err
}

// find is part with the partition.
func (l *Leases) find(ctx context.Context, p Part) (*lead.Part, *partition.Partition, error) {
	log, code := l.o.Partitions.ByID(p.Topic, p.Index)
	if code != wire.None {
		return nil, nil, code
	}
	m := l.o.Lead()
	if m == nil {
		return nil, nil, wire.NotLeaderOrFollower
	}
	at := m.Part(p.key())
	if at == nil {
		return nil, nil, wire.NotLeaderOrFollower
	}
	return at, log, at.Await(ctx)
}

// takeHere is Take at this node. Once records are locked it waits until that is
// stored, whatever ctx says: whoever cannot wait gets an error, and they come
// back when their time is over.
func (l *Leases) takeHere(ctx context.Context, p Part, w Want) (Lease, error) {
	at, log, err := l.find(ctx, p)
	if err != nil {
		return Lease{}, err
	}
	stored := make(chan error, 1)
	var g lead.Given
	want := lead.Want{MaxRecords: w.Max, Strict: true, MaxBytes: w.MaxBytes, MinOne: true, LockMs: w.LockMs, Holder: w.Holder}
	err = at.Lease(&want, &g, func(err error) { stored <- err })
	if err != nil || g.Records == 0 {
		return Lease{}, cmp.Or(err, l.nothing(log))
	}
	out := Lease{Epoch: g.Epoch, Acquired: slices.Clone(g.Acquired), Batches: g.Bytes}
	if g.Slice.Len > 0 {
		out.Batches = make([]byte, g.Slice.Len)
		_, err = g.Slice.ReadAt(out.Batches, 0)
		g.Slice.Release()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if lost := <-stored; lost != nil {
		return Lease{}, lost
	}
	if err != nil {
		return Lease{}, fmt.Errorf("read what was taken: %w", err)
	}
	return out, nil
}

func (l *Leases) redeemHere(ctx context.Context, p Part, words []share.Word) []error {
	at, log, err := l.find(ctx, p)
	if err != nil {
		return all(len(words), err)
	}
	said := make(chan []error, 1)
	at.Redeem(words, func(errs []error) { said <- errs })
	select {
	case errs := <-said:
		return l.sure(log, errs)
	case <-ctx.Done():
		return all(len(words), wire.Errorf(wire.RequestTimedOut, "what was said of the messages may count or not: %w", ctx.Err()))
	}
}

func (l *Leases) surveyHere(ctx context.Context, p Part) (lead.Survey, error) {
	at, err := l.part(ctx, p)
	if err != nil {
		return lead.Survey{}, err
	}
	return at.Survey()
}

func (l *Leases) contentsHere(ctx context.Context, p Part, from int64, most int) (lead.Contents, error) {
	at, err := l.part(ctx, p)
	if err != nil {
		return lead.Contents{}, err
	}
	return at.Contents(from, most)
}

// holdHere is Hold at this node. Once records are locked it waits until that is
// stored, as takeHere does.
func (l *Leases) holdHere(ctx context.Context, p Part, offsets []int64, w Want) (Held, error) {
	at, err := l.part(ctx, p)
	if err != nil {
		return Held{}, err
	}
	stored := make(chan error, 1)
	epoch, held, err := at.Hold(&lead.Want{LockMs: w.LockMs, Holder: w.Holder}, offsets, func(err error) { stored <- err })
	if err != nil || len(held) == 0 {
		return Held{}, err
	}
	if lost := <-stored; lost != nil {
		return Held{}, lost
	}
	return Held{epoch, held}, nil
}

// resetHere is Reset, or with forget Forget, at this node.
func (l *Leases) resetHere(ctx context.Context, p Part, forget bool) error {
	log, code := l.o.Partitions.ByID(p.Topic, p.Index)
	if code != wire.None {
		return code
	}
	if forget {
		return l.o.Reset(ctx, p.key(), -1)
	}
	return l.o.Reset(ctx, p.key(), log.Offsets().LogEnd)
}
