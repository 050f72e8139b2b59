package insync

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// mostAsked bounds one command.
const mostAsked = 1000

// patience is how long the controller may take for one.
const patience = 10 * time.Second

// Asked is a proposal on its way.
type Asked struct {
	Partition *partition.Partition
	Proposal  partition.Proposal
}

// Propose asks partitions what they propose by a node's image, in their order and
// in batches of at most most; nothing where the node is not registered.
func Propose(img *metadata.Image, node int32, maxLag time.Duration, parts iter.Seq[*partition.Partition], most int) (batches [][]Asked) {
	me := img.Broker(node)
	if me == nil {
		return nil
	}
	args := partition.ProposeArgs{
		MaxLagMs: maxLag.Milliseconds(), Epoch: me.Epoch,
		MayJoin: func(node int32, epoch int64) bool { return mayJoin(img, node, epoch) },
	}
	var batch []Asked
	for p := range parts {
		if x, ok := p.Propose(&args); ok {
			batch = append(batch, Asked{p, x})
		}
		if len(batch) == most {
			batches, batch = append(batches, batch), nil
		}
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// round looks at partitions and has the controller note what they propose.
func (k *Keeper) round(parts iter.Seq[*partition.Partition]) {
	img := k.o.Image()
	for _, batch := range Propose(img, k.o.NodeID, k.o.MaxLag(), parts, mostAsked) {
		k.ask(img.Broker(k.o.NodeID).Epoch, batch)
	}
	k.yield(img, parts)
}

// yield gives the lead of partitions away that this node has no room for.
func (k *Keeper) yield(img *metadata.Image, parts iter.Seq[*partition.Partition]) {
	me := img.Broker(k.o.NodeID)
	if me == nil {
		return
	}
	cmd := controller.YieldLeads{ID: me.ID, Epoch: me.Epoch}
	for p := range parts {
		if len(cmd.Partitions) < mostAsked && p.MayYield() {
			d := p.Describe()
			cmd.Partitions = append(cmd.Partitions, controller.TopicIDPartition{TopicID: d.ID, Index: d.Index})
		}
	}
	if len(cmd.Partitions) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	if _, err := k.o.Control(ctx, cmd); err != nil { // said again at the next tick
		if k.ctx.Err() == nil {
			k.o.Logger.Warn("the controller does not know yet that there is no room for what this node leads", slog.Int("count", len(cmd.Partitions)), slog.Any("err", err))
		}
		return
	}
	k.o.Logger.Warn("the disk is full: others are to lead what this node leads, where enough are in sync", slog.Int("count", len(cmd.Partitions)))
}

// mayJoin tells whether a node's replicas may be in sync: it is registered, serves,
// does not stop, and is the process that the fetches came from.
func mayJoin(img *metadata.Image, node int32, epoch int64) bool {
	b := img.Broker(node)
	return b != nil && b.Live() && (epoch < 0 || epoch == b.Epoch)
}

// Command is what the controller is told of proposals by a node of that epoch.
func Command(node int32, epoch int64, batch []Asked) controller.AlterPartition {
	cmd := controller.AlterPartition{Broker: node, Epoch: epoch}
	for _, a := range batch {
		d := a.Partition.Describe()
		isr := controller.NewISR{TopicID: d.ID, Index: d.Index, LeaderEpoch: a.Proposal.LeaderEpoch, PartitionEpoch: a.Proposal.PartitionEpoch}
		for _, m := range a.Proposal.ISR {
			isr.ISR = append(isr.ISR, controller.BrokerState{Broker: m.Broker, BrokerEpoch: m.Epoch})
		}
		cmd.Partitions = append(cmd.Partitions, isr)
	}
	return cmd
}

// Settle takes a proposal back that was plainly refused, and tells whether it was:
// any other may have been taken, and the image will say what holds.
func (a *Asked) Settle(row *controller.AlteredPartition) (withdrawn bool) {
	switch row.Code {
	case wire.None, wire.NewLeaderElected, wire.InvalidUpdateVersion, wire.FencedLeaderEpoch, wire.NotController, wire.StaleBrokerEpoch:
		return false
	}
	a.Partition.Withdraw(a.Proposal)
	return true
}

// ask gives the controller one command and settles what it answers.
func (k *Keeper) ask(epoch int64, batch []Asked) {
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	reply, err := k.o.Control(ctx, Command(k.o.NodeID, epoch, batch))
	if err != nil {
		if k.ctx.Err() == nil {
			k.o.Logger.Warn("the controller does not know yet which replicas are in sync", slog.Int("count", len(batch)), slog.Any("err", err))
		}
		return // made again at the next tick, as it is
	}
	rows, ok := reply.([]controller.AlteredPartition)
	if !ok || len(rows) != len(batch) {
		k.o.Logger.Error("the controller's answer about replicas in sync is none", slog.Int("count", len(batch)))
		return
	}
	for i := range rows {
		if a := &batch[i]; a.Settle(&rows[i]) {
			k.o.Logger.Info("the controller refused a set of replicas in sync", slog.String("topic", a.Partition.Topic()),
				slog.Int("partition", int(rows[i].Index)), slog.Int("leader_epoch", int(a.Proposal.LeaderEpoch)), slog.String("err", rows[i].Code.Name()))
		}
	}
}
