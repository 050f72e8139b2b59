package broker

import (
	"context"
	"errors"
	"slices"
	"sync"

	"ottla/internal/log"
	"ottla/internal/log/layout"
	"ottla/internal/wire"
)

// moveRate bounds the copying between log directories, as Kafka's throttle of
// kafka-reassign-partitions sets it.
const moveRate = "replica.alter.log.dirs.io.max.bytes.per.second"

// moves are the partitions on their way between log directories, one copied at
// a time, in the order they were asked for. mu guards the list and the fields
// of its members that are not the mover's own; it is held for moments.
type moves struct {
	mu       sync.Mutex
	list     []*moving
	wake     chan struct{} // has something in it when the list may have work
	done     sync.Cond     // on mu: a move has left the list
	throttle throttle
}

// moving is one partition on its way.
type moving struct {
	h         *held
	to        int // index of the directory
	cancelled bool
	copied    int64 // bytes over there so far
}

// Moving describes a partition on its way, for DescribeLogDirs.
type Moving struct {
	Topic string
	Index int32
	Dir   string // where it goes
	Bytes int64  // of it there
	Lag   int64  // offsets that are not there yet
}

// Move brings a partition of this node into the log directory at path: in the
// background; Moves tells how far it is. Where it lies there already nothing
// happens, but that a move elsewhere is taken back. The error is a wire.Code or
// *wire.Error, as Kafka's ReplicaManager has them.
func (b *Broker) Move(topic string, index int32, path string) error {
	if !layout.FutureFits(topic, index) {
		return wire.Errorf(wire.InvalidTopic, "the name of topic %s is too long for a move between log directories", topic)
	}
	to := slices.IndexFunc(b.dirs, func(d *log.Dir) bool { return d.Path() == path })
	if to < 0 {
		return wire.Errorf(wire.LogDirNotFound, "log directory %s is none of this node's", path)
	}
	if err := b.dirs[to].Err(); err != nil {
		return wire.Errorf(wire.KafkaStorageError, "log directory %s is offline: %w", path, err)
	}
	t := b.table.byName([]byte(topic))
	switch {
	case t == nil || index < 0 || int(index) >= len(t.parts):
		return wire.UnknownTopicOrPartition
	case t.parts[index] == nil || t.parts[index].early():
		return wire.ReplicaNotAvailable
	}
	h := t.parts[index]
	if h.dir().Err() != nil || h.state.Load() == broken {
		return wire.Errorf(wire.KafkaStorageError, "partition %s-%d is offline", topic, index)
	}
	if b.Cordoned(b.dirs[to]) {
		return wire.Errorf(wire.InvalidReplicaAssignment, "log directory %s is cordoned: it takes no new replicas", path)
	}
	b.direct(h, to)
	return nil
}

// direct notes where a partition shall go; what it was told before is taken
// back.
func (b *Broker) direct(h *held, to int) {
	m := &b.moves
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, x := range m.list {
		if x.h == h && !x.cancelled {
			if x.to == to {
				return
			}
			x.cancelled = true
		}
	}
	if h.dir() != b.dirs[to] {
		m.list = append(m.list, &moving{h: h, to: to})
	}
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Moves lists the partitions on their way.
func (b *Broker) Moves() []Moving {
	m := &b.moves
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Moving
	for _, x := range m.list {
		if x.cancelled || x.h.state.Load() == gone {
			continue
		}
		d := x.h.p.Describe()
		one := Moving{Topic: d.Topic, Index: d.Index, Dir: b.dirs[x.to].Path(), Bytes: x.copied}
		if d.Bytes > 0 && x.copied < d.Bytes {
			// Bytes are what is copied; as offsets they are a share of the log's.
			left := float64(d.Bytes-x.copied) / float64(d.Bytes)
			one.Lag = max(int64(left*float64(d.Offsets.LogEnd-d.Offsets.LogStart)), 1)
		}
		out = append(out, one)
	}
	return out
}

// moveLoop moves what is asked for until the broker stops. What is under way
// then is taken up by the next start.
func (b *Broker) moveLoop(ctx context.Context) {
	for {
		select {
		case <-b.moves.wake:
			for b.moveNext(ctx) {
			}
		case <-b.stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// moveNext does the first move of the list and tells whether there was one.
func (b *Broker) moveNext(ctx context.Context) bool {
	m := &b.moves
	m.mu.Lock()
	var x *moving
	if len(m.list) > 0 {
		x = m.list[0]
	}
	m.mu.Unlock()
	if x == nil || b.stopped.Load() {
		return false
	}
	err := b.carry(ctx, x)
	if errors.Is(err, errStopping) {
		return false
	}
	m.mu.Lock()
	m.list = slices.DeleteFunc(m.list, func(o *moving) bool { return o == x })
	m.done.Broadcast()
	m.mu.Unlock()
	says := b.o.Logger.With("topic", x.h.id.Topic, "partition", x.h.id.Partition, "to", b.dirs[x.to].Path())
	switch {
	case err == nil:
		says.Info("partition moved to another log directory")
	case errors.Is(err, errTakenBack), errors.Is(err, log.ErrClosed):
		says.Info("move of a partition is taken back", "err", err)
	default:
		says.Error("partition cannot be moved and stays where it is", "err", err)
	}
	return true
}

var errTakenBack = errors.New("it was asked for otherwise")

// carry moves one partition from begin to end.
func (b *Broker) carry(ctx context.Context, x *moving) error {
	b.opening.Wait() // what lies in -future may belong to a log that is still recovering
	if b.moves.isCancelled(x) || x.h.state.Load() == gone {
		return errors.Join(errTakenBack, b.dirs[x.to].DropFuture(x.h.id))
	}
	m, err := x.h.p.BeginMove(b.dirs[x.to])
	if err != nil {
		return err
	}
	if err = b.copyAll(x, m); err == nil {
		err = b.finish(ctx, x, m)
	}
	switch {
	case errors.Is(err, errStopping):
		m.Leave()
	case err != nil:
		err = errors.Join(err, m.Drop())
	}
	return err
}

func (m *moves) isCancelled(x *moving) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return x.cancelled
}

// lastBytes is how much may be left to copy while the writers stand still.
const lastBytes = 1 << 20

// copyAll copies until little is left, at the pace that the throttle allows.
func (b *Broker) copyAll(x *moving, m *log.Move) error {
	for {
		n, err := m.Advance()
		if err != nil {
			return err
		}
		b.moves.mu.Lock()
		x.copied = m.Copied()
		cancelled := x.cancelled
		b.moves.mu.Unlock()
		if cancelled {
			return errTakenBack
		}
		if n == 0 || m.Behind() < lastBytes {
			return nil
		}
		if err := b.paceMove(int(n)); err != nil {
			return err
		}
	}
}

// paceMove waits as the throttle wants it.
func (b *Broker) paceMove(bytes int) error {
	b.moves.throttle.set(float64(max(b.o.View.Int(b.Image(), moveRate), 1)))
	for wait := b.moves.throttle.take(bytes, b.o.Now()); wait > 0; wait -= longestWait {
		ticks, end := b.o.Tick(min(wait, longestWait))
		select {
		case <-ticks:
			end()
		case <-b.stop:
			end()
			return errStopping
		}
	}
	if b.stopped.Load() {
		return errStopping
	}
	return nil
}

// finish puts the copy in the log's place, and tells the controller.
func (b *Broker) finish(ctx context.Context, x *moving, m *log.Move) error {
	was := x.h.at.Load().index
	moved, err := x.h.relocate(&home{x.to, b.dirs[x.to]}, m)
	if !moved {
		return err
	}
	b.homes.counts[was].Add(-1)
	b.homes.counts[x.to].Add(1)
	if err != nil {
		b.o.Logger.Error("the old copy of a moved partition stays", "topic", x.h.id.Topic, "partition", x.h.id.Partition, "err", err)
	}
	b.tellHomes(ctx, []*held{x.h})
	return nil
}

// resumeMoves takes up the moves that an earlier process left under way, and
// removes what has no more use.
func (b *Broker) resumeMoves() {
	for to, d := range b.dirs {
		if d.Err() != nil {
			continue
		}
		for _, id := range d.Futures() {
			t := b.table.byID(id.ID)
			if t != nil && t.name == id.Topic && int(id.Partition) < len(t.parts) {
				if h := t.parts[id.Partition]; h != nil && h.dir() != d && h.dir().Err() == nil {
					b.direct(h, to)
					continue
				}
			}
			if err := d.DropFuture(id); err != nil {
				b.o.Logger.Warn("an unfinished copy of a partition stays", "topic", id.Topic, "partition", id.Partition, "err", err)
			}
		}
	}
}
