package persist

import (
	"context"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Local is the share coordinator of this node.
type Local interface {
	PartitionFor(key string) (int32, error)
	Go(ctx context.Context, key string, cmd any, done func(any, error))
}

// Options make States.
type Options struct {
	NodeID int32
	Topic  string // where states are
	Image  func() *metadata.Image
	Local  Local
	Peers  outbox.Peers // nil: there are no other nodes
	// Timeout bounds the wait for another node.
	Timeout time.Duration
}

// States are those of all share coordinators.
type States struct {
	o   Options
	box *outbox.Box[*question]
}

// New makes States.
func New(o Options) *States {
	s := &States{o: o}
	s.box = outbox.New(outbox.Options[*question]{
		Peers: o.Peers, Timeout: o.Timeout, Make: request, Took: took,
		Kind: func(q *question) any { return q.kind() },
		Name: func(q *question) any { return spot{q.key.TopicID, q.key.Partition} },
	})
	return s
}

// question is one command on its way.
type question struct {
	key  store.Key
	cmd  any
	node int32
	done func(any, error)
}

// spot names a share-partition within its group.
type spot struct {
	topic uuid.UUID
	index int32
}

// PartitionFor tells which partition of the states' topic a key is in.
func (s *States) PartitionFor(key string) (int32, error) { return s.o.Local.PartitionFor(key) }

// Go gives a command of package share/store to the coordinator of a key, but
// for Forget. done is called once, from any goroutine, perhaps before Go
// returns.
func (s *States) Go(ctx context.Context, key string, cmd any, done func(any, error)) {
	node := s.leader(key)
	if node == s.o.NodeID || s.o.Peers == nil {
		s.o.Local.Go(ctx, key, cmd, done)
		return
	}
	q := &question{cmd: cmd, node: node, done: done}
	var ok bool
	switch q.key, ok = keyOf(cmd); {
	case !ok:
		done(nil, wire.Errorf(wire.UnknownServerError, "another node's share coordinator is not asked %T", cmd))
	case node < 0:
		done(nil, wire.Errorf(wire.CoordinatorNotAvailable, "the partition of %s that %s is in has no leader", s.o.Topic, key))
	default:
		s.box.Put(ctx, node, q)
	}
}

// Do is Go and wait.
func (s *States) Do(ctx context.Context, key string, cmd any) (any, error) {
	type said struct {
		body any
		err  error
	}
	c := make(chan said, 1)
	s.Go(ctx, key, cmd, func(body any, err error) { c <- said{body, err} })
	select {
	case x := <-c:
		return x.body, x.err
	case <-ctx.Done():
		return nil, wire.Errorf(wire.RequestTimedOut, "the share coordinator did not answer in time: %w", ctx.Err())
	}
}

// leader is the node whose share coordinator has a key, -1 when none has. Where
// there is no topic yet this node's says so.
func (s *States) leader(key string) int32 {
	return coordinator.Home(s.o.Image(), s.o.Topic, s.o.NodeID, s.o.Local.PartitionFor, key)
}
