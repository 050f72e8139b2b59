package vouch

import (
	"context"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// Local are the coordinators of this node.
type Local interface {
	PartitionFor(id string) (int32, error)
	Go(ctx context.Context, id string, cmd any, done func(any, error))
}

// Options make Coordinators.
type Options struct {
	NodeID int32
	Topic  string // where transactions are
	Image  func() *metadata.Image
	Local  Local
	Peers  outbox.Peers // nil: there are no other nodes
}

// timeout bounds the wait for another node, as Kafka's request.timeout.ms does.
const timeout = 30 * time.Second

// Coordinators are those of all nodes.
type Coordinators struct {
	o   Options
	box *outbox.Box[*question]
}

// New makes Coordinators.
func New(o Options) *Coordinators {
	c := &Coordinators{o: o}
	c.box = outbox.New(outbox.Options[*question]{
		Peers: o.Peers, Timeout: timeout, Make: request, Took: c.took,
		Kind: func(*question) any { return nil },
		Name: func(q *question) any { return q.id },
	})
	return c
}

// question is one transaction's.
type question struct {
	ctx        context.Context
	id         string
	producerID int64
	epoch      int16
	verify     bool // and add nothing
	partitions []txn.TopicPartition
	node       int32 // who is asked
	again      bool  // another node has been asked before
	done       func(any, error)
}

// Go gives a txn.Add of version V2 or a txn.Verify to the coordinator of a
// transactional id. done is called once, from any goroutine, perhaps before Go
// returns, with the reply of package txn (a txn.VerifyReply for an Add of
// another node, too); other commands are for coordinators of this node alone.
func (c *Coordinators) Go(ctx context.Context, id string, cmd any, done func(any, error)) {
	node := c.leader(id)
	if node == c.o.NodeID || c.o.Peers == nil {
		c.o.Local.Go(ctx, id, cmd, done)
		return
	}
	q := &question{ctx: ctx, id: id, node: node, done: done}
	switch x := cmd.(type) {
	case txn.Add:
		q.producerID, q.epoch, q.partitions = x.ProducerID, x.Epoch, x.Partitions
		if x.Version != txn.V2 {
			done(nil, wire.Errorf(wire.UnknownServerError, "an Add of version %d is for the coordinator's own node", x.Version))
			return
		}
	case txn.Verify:
		q.producerID, q.epoch, q.partitions, q.verify = x.ProducerID, x.Epoch, x.Partitions, true
	default:
		done(nil, wire.Errorf(wire.UnknownServerError, "another node's transaction coordinator is not asked %T", cmd))
		return
	}
	if node < 0 {
		done(nil, wire.Errorf(wire.CoordinatorNotAvailable, "the partition of %s that %q is in has no leader", c.o.Topic, id))
		return
	}
	c.box.Put(ctx, node, q)
}

// leader is the node that coordinates an id, -1 when none does. Where there is
// no topic yet this node's coordinators say so.
func (c *Coordinators) leader(id string) int32 {
	return coordinator.Home(c.o.Image(), c.o.Topic, c.o.NodeID, c.o.Local.PartitionFor, id)
}

// answer gives a question its answer, or asks the node that coordinates by now.
func (c *Coordinators) answer(q *question, codes []wire.Code, err error) {
	if code := wire.CodeOf(err); err != nil && (code == wire.NotCoordinator || code == wire.NetworkException) && !q.again && q.ctx.Err() == nil {
		switch node := c.leader(q.id); {
		case node == q.node || node < 0:
		case node == c.o.NodeID:
			c.o.Local.Go(q.ctx, q.id, q.command(), q.done)
			return
		default:
			q.node, q.again = node, true
			c.box.Put(q.ctx, node, q)
			return
		}
	}
	if err != nil {
		q.done(nil, err)
		return
	}
	q.done(txn.VerifyReply{Codes: codes}, nil)
}

// command is the question as a coordinator takes it.
func (q *question) command() any {
	if q.verify {
		return txn.Verify{ID: q.id, ProducerID: q.producerID, Epoch: q.epoch, Partitions: q.partitions}
	}
	return txn.Add{ID: q.id, ProducerID: q.producerID, Epoch: q.epoch, Version: txn.V2, Partitions: q.partitions}
}
