package controller

import (
	"slices"

	"ottla/internal/controller/election"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// AlterPartition is what leaders tell of their followers (KIP-497): which
// replicas are in sync. Broker leads all the partitions named, under the epoch
// of its registration; the reply is []AlteredPartition, one per partition, in
// order.
type AlterPartition struct {
	Broker     int32
	Epoch      int64
	Partitions []NewISR
}

// NewISR is one partition's.
type NewISR struct {
	TopicID uuid.UUID
	Index   int32
	// LeaderEpoch and PartitionEpoch are those that the leader knows: another
	// change in between makes it look again.
	LeaderEpoch, PartitionEpoch int32
	// ISR are the replicas in sync, the leader among them.
	ISR []BrokerState
	// LeaderRecovery is 1 as long as a leader that was elected uncleanly
	// recovers (KIP-704), 0 otherwise.
	LeaderRecovery int8
}

// BrokerState is a replica with the epoch of its broker's registration as the
// leader saw it in its fetches; -1 is not compared (KIP-903).
type BrokerState struct {
	Broker      int32
	BrokerEpoch int64
}

// AlteredPartition is the outcome for one partition. The state is the one after
// the command; it is set where Code is None, or NEW_LEADER_ELECTED: then the
// change was made too, it ended a reassignment that took the leader away.
type AlteredPartition struct {
	Result
	TopicID        uuid.UUID
	Index          int32
	Leader         int32
	LeaderEpoch    int32
	ISR            []int32
	LeaderRecovery int8
	PartitionEpoch int32
}

func (c *Controller) alterPartition(cmd AlterPartition) ([]metadata.Record, any, error) {
	if _, err := c.registered(cmd.Broker, cmd.Epoch); err != nil {
		return nil, nil, err
	}
	if len(cmd.Partitions) > maxPartitionsPerStep {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "%d partitions are altered at once; the most is %d", len(cmd.Partitions), maxPartitionsPerStep)
	}
	c.because("its leader, node %d, told who is in sync", cmd.Broker)
	var records []metadata.Record
	reply := make([]AlteredPartition, 0, len(cmd.Partitions))
	changed := make(map[TopicIDPartition]bool, len(cmd.Partitions))
	for i := range cmd.Partitions {
		n := &cmd.Partitions[i]
		key := TopicIDPartition{n.TopicID, n.Index}
		if changed[key] {
			reply = append(reply, AlteredPartition{TopicID: n.TopicID, Index: n.Index,
				Result: resultOf(wire.Errorf(wire.InvalidRequest, "the partition is altered twice"))})
			continue
		}
		record, altered := c.alterISR(cmd.Broker, n)
		if record != nil {
			changed[key] = true
			records = append(records, record)
		}
		reply = append(reply, altered)
	}
	return records, reply, nil
}

// TopicIDPartition names a partition by its topic's id.
type TopicIDPartition struct {
	TopicID uuid.UUID
	Index   int32
}

// alterISR decides one partition.
func (c *Controller) alterISR(broker int32, n *NewISR) (metadata.Record, AlteredPartition) {
	out := AlteredPartition{TopicID: n.TopicID, Index: n.Index}
	t := c.image().TopicByID(n.TopicID)
	if t == nil {
		out.Result = resultOf(wire.UnknownTopicID)
		return nil, out
	}
	if n.Index < 0 || int(n.Index) >= len(t.Partitions) {
		out.Result = resultOf(wire.UnknownTopicOrPartition)
		return nil, out
	}
	p := t.Partitions[n.Index]
	if err := c.checkISR(broker, p, n); err != nil {
		out.Result = resultOf(err)
		return nil, out
	}
	isr := make([]int32, len(n.ISR))
	for i, s := range n.ISR {
		isr[i] = s.Broker
	}
	change := election.Decide(p, election.Change{ISR: isr, Recovered: n.LeaderRecovery == 0}, c.rules(t.Name))
	out.Leader, out.LeaderEpoch, out.PartitionEpoch = p.Leader, p.LeaderEpoch, p.PartitionEpoch
	out.ISR, out.LeaderRecovery = slices.Clone(p.ISR), 0
	if p.Recovering {
		out.LeaderRecovery = 1
	}
	if change == nil {
		return nil, out
	}
	out.PartitionEpoch++
	if change.Leader != metadata.LeaderUnchanged {
		out.Leader = change.Leader
		out.LeaderEpoch++
	}
	if change.ISR != nil {
		out.ISR = slices.Clone(change.ISR)
	}
	if change.LeaderRecoveryState != metadata.RecoveryUnchanged {
		out.LeaderRecovery = change.LeaderRecoveryState
	}
	if out.Leader != broker {
		out.Result = resultOf(wire.NewLeaderElected)
	}
	return change, out
}

// checkISR refuses what rests on an older, or a newer, state than ours, and what
// no leader may ask for. One who knows more than we do has met a newer
// controller.
func (c *Controller) checkISR(broker int32, p *metadata.Partition, n *NewISR) error {
	switch {
	case n.LeaderEpoch > p.LeaderEpoch || n.PartitionEpoch > p.PartitionEpoch:
		return wire.NotController
	case n.LeaderEpoch < p.LeaderEpoch:
		return wire.FencedLeaderEpoch
	case broker != p.Leader:
		return wire.Errorf(wire.InvalidRequest, "node %d does not lead the partition", broker)
	case n.PartitionEpoch < p.PartitionEpoch:
		return wire.InvalidUpdateVersion
	case n.LeaderRecovery < 0 || n.LeaderRecovery > 1:
		return wire.Errorf(wire.InvalidRequest, "there is no leader recovery state %d", n.LeaderRecovery)
	case n.LeaderRecovery == 1 && len(n.ISR) > 1:
		return wire.Errorf(wire.InvalidRequest, "others are in sync with a leader that recovers")
	case n.LeaderRecovery == 1 && !p.Recovering:
		return wire.Errorf(wire.InvalidRequest, "a leader that has recovered recovers again")
	}
	leads := false
	for i, s := range n.ISR {
		leads = leads || s.Broker == broker
		twice := slices.ContainsFunc(n.ISR[:i], func(o BrokerState) bool { return o.Broker == s.Broker })
		if twice || !slices.Contains(p.Replicas, s.Broker) {
			return wire.Errorf(wire.InvalidRequest, "node %d is no replica, or named twice", s.Broker)
		}
	}
	if !leads {
		return wire.Errorf(wire.InvalidRequest, "the leader is not among those in sync")
	}
	for _, s := range n.ISR {
		if why := c.ineligible(p, s); why != "" {
			return wire.Errorf(wire.IneligibleReplica, "node %d %s", s.Broker, why)
		}
	}
	return nil
}

// ineligible tells why a replica cannot be in sync, "" when it can (KIP-841,
// KIP-903).
func (c *Controller) ineligible(p *metadata.Partition, s BrokerState) string {
	b := c.image().Broker(s.Broker)
	switch {
	case b == nil:
		return "is not registered"
	case b.Fenced:
		return "is fenced"
	case b.InControlledShutdown:
		return "is shutting down"
	case s.BrokerEpoch != -1 && s.BrokerEpoch != b.Epoch:
		return "has another epoch by now"
	case lostWith(p, b.ID, b.Directories):
		return "keeps it in a directory that does not work"
	}
	return ""
}
