package controller

import (
	"fmt"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Controller is the cluster's state machine (design: decided by pure state
// machines replayed from a log). Step decides and changes nothing; what it
// returns is applied, record by record, when it was accepted into the log. It
// belongs to one goroutine.
type Controller struct {
	options Options
	state   *metadata.Draft
	// names finds topics whose names collide as metric names.
	names collisions
	// next is a lower bound of the next record's offset: see doc.go on epochs.
	next int64
	// broken is why the state can no longer be trusted: a record from the log
	// did not fit. Every Step refuses then; only Reset mends it.
	broken error
	// reasons are soft: no decision rests on them.
	reasons reasons
}

// Options are what the pure machine needs from outside.
type Options struct {
	// NewID draws topic ids; seeded in simulations.
	NewID func() uuid.UUID
	// NodeID is who decides, for the texts of refusals.
	NodeID int32
	// ClusterID is what a registering broker must name; "" asks for nothing.
	ClusterID string
	// Features are the levels of each feature that this node understands, the
	// bounds of UpdateFeatures and Bootstrap. Nil means metadata.version alone,
	// as far as the controller itself needs it.
	Features map[string][2]int16
	// Fixed are levels that no record of ours sets and no command changes:
	// kraft.version, which is the quorum's.
	Fixed map[string]int16
	// MinInsync is min.insync.replicas as this node was started with; 0 is 1.
	// It becomes the cluster's when eligible leader replicas are switched on.
	MinInsync int32
	// Unclean is unclean.leader.election.enable as this node was started with,
	// Durability its durability; "" is fsync.
	Unclean    bool
	Durability string
	// OnReason, where set, is told of every change of a partition as Apply makes
	// it, on its goroutine: for a log, never for a decision.
	OnReason func(Reason)
}

// defaultFeatures is what the controller itself understands: the record formats
// of Kafka 4.4.
var defaultFeatures = map[string][2]int16{metadata.MetadataVersion: {33, 33}}

// New makes a controller with an empty state.
func New(o Options) *Controller {
	if o.Features == nil {
		o.Features = defaultFeatures
	}
	c := &Controller{options: o}
	c.Reset(metadata.Empty())
	return c
}

// Step decides one command. records are accepted as one atomic batch; reply is
// given once they are committed. An error is a refusal of the whole command
// (a wire.Code or *wire.Error); refusals of single items stand in the reply.
func (c *Controller) Step(now time.Time, cmd any) (records []metadata.Record, reply any, err error) {
	if c.broken != nil {
		return nil, nil, fmt.Errorf("the controller's state is broken: %w", c.broken)
	}
	c.reasons.begin(now)
	switch cmd := cmd.(type) {
	case CreateTopics:
		return c.createTopics(cmd)
	case DeleteTopics:
		return c.deleteTopics(cmd)
	case CreatePartitions:
		return c.createPartitions(cmd)
	case AlterConfigs:
		return c.alterConfigs(cmd)
	case AllocateProducerIDs:
		return c.allocateProducerIDs(cmd)
	case RegisterBroker:
		return c.registerBroker(cmd)
	case AdmitNode:
		return c.admitNode(cmd)
	case UnregisterBroker:
		return c.unregisterBroker(cmd)
	case UnregisterController:
		return c.unregisterController(cmd)
	case UnfenceBroker:
		return c.unfenceBroker(cmd)
	case FenceBroker:
		return c.fenceBroker(cmd)
	case ShutdownBroker:
		return c.shutdownBroker(cmd)
	case FailDirectories:
		return c.failDirectories(cmd)
	case CordonDirectories:
		return c.cordonDirectories(cmd)
	case AssignDirectories:
		return c.assignDirectories(cmd)
	case AlterPartition:
		return c.alterPartition(cmd)
	case RenewReplicas:
		return c.renewReplicas(cmd)
	case YieldLeads:
		return c.yieldLeads(cmd)
	case SettleEnd:
		return c.settleEnd(cmd)
	case ElectLeaders:
		return c.electLeaders(cmd)
	case Rebalance:
		return c.rebalance(cmd)
	case ReassignPartitions:
		return c.reassignPartitions(cmd)
	case Bootstrap:
		return c.bootstrap(cmd)
	case UpdateFeatures:
		return c.updateFeatures(cmd)
	case ExplainPartition:
		return c.explainPartition(cmd)
	case ExplainLosses:
		return nil, c.explainLosses(), nil
	}
	return nil, nil, fmt.Errorf("the controller has no command %T", cmd)
}

// Apply changes the state by one accepted record.
func (c *Controller) Apply(r metadata.Record) {
	c.next++
	if remove, ok := r.(*metadata.RemoveTopicRecord); ok {
		if t := c.image().TopicByID(remove.TopicID); t != nil {
			c.names.remove(t.Name)
		}
	}
	before := c.partitionOf(r)
	if err := c.state.Apply(r); err != nil {
		if c.broken == nil {
			c.broken = err
		}
		return
	}
	if before != nil {
		c.note(before)
	}
	if topic, ok := r.(*metadata.TopicRecord); ok {
		c.names.add(topic.Name)
	}
}

// Reset replaces the state, at start and when accepted records were lost.
func (c *Controller) Reset(img *metadata.Image) {
	c.state = img.Draft()
	c.next = img.Offset + 1
	c.broken = nil
	c.reasons.since = time.Time{}
	c.names = collisions{}
	for t := range img.Topics() {
		c.names.add(t.Name)
	}
}

// image is the present state, to read within one Step.
func (c *Controller) image() *metadata.Image { return c.state.Image() }

// live tells whether a broker takes part: registered, neither fenced nor on
// its way out.
func (c *Controller) live(id int32) bool {
	b := c.image().Broker(id)
	return b != nil && b.Live()
}

// alone tells whether no other node is registered.
func (c *Controller) alone(id int32) bool {
	n := c.image().BrokerCount()
	return n == 0 || n == 1 && c.image().Broker(id) != nil
}

// keeps tells whether a partition keeps a broker that goes as its leader: its
// only replica is there, and no other node could ever take it. So a node alone
// need not write two records for each partition at every stop and start; that
// it does not serve meanwhile is told by its being fenced.
func (c *Controller) keeps(p *metadata.Partition, id int32) bool {
	return len(p.Replicas) == 1 && c.alone(id)
}

// Result is one item's outcome: Code None is success.
type Result struct {
	Code    wire.Code
	Message string
}

// resultOf turns a refusal into a result; nil is success.
func resultOf(err error) Result {
	return Result{Code: wire.CodeOf(err), Message: wire.MessageOf(err)}
}

// maxPartitionsPerStep bounds the partitions that one command makes: the batch
// of records must stay small enough to be written, replicated and applied at
// once. It is Kafka's bound.
const maxPartitionsPerStep = 10_000
