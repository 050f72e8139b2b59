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

// asked is a proposal on its way.
type asked struct {
	partition *partition.Partition
	proposal  partition.Proposal
}

// round looks at partitions and has the controller note what they propose.
func (k *Keeper) round(parts iter.Seq[*partition.Partition]) {
	img := k.o.Image()
	me := img.Broker(k.o.NodeID)
	if me == nil {
		return
	}
	args := partition.ProposeArgs{
		MaxLagMs: k.o.MaxLag().Milliseconds(), Epoch: me.Epoch,
		MayJoin: func(node int32, epoch int64) bool { return mayJoin(img, node, epoch) },
	}
	var batch []asked
	for p := range parts {
		if x, ok := p.Propose(&args); ok {
			batch = append(batch, asked{p, x})
		}
		if len(batch) == mostAsked {
			k.ask(me.Epoch, batch)
			batch = nil
		}
	}
	if len(batch) > 0 {
		k.ask(me.Epoch, batch)
	}
}

// mayJoin tells whether a node's replicas may be in sync: it is registered, serves,
// does not stop, and is the process that the fetches came from.
func mayJoin(img *metadata.Image, node int32, epoch int64) bool {
	b := img.Broker(node)
	return b != nil && b.Live() && (epoch < 0 || epoch == b.Epoch)
}

// ask gives the controller one command and settles what it answers.
func (k *Keeper) ask(epoch int64, batch []asked) {
	cmd := controller.AlterPartition{Broker: k.o.NodeID, Epoch: epoch}
	for _, a := range batch {
		d := a.partition.Describe()
		isr := controller.NewISR{TopicID: d.ID, Index: d.Index, LeaderEpoch: a.proposal.LeaderEpoch, PartitionEpoch: a.proposal.PartitionEpoch}
		for _, m := range a.proposal.ISR {
			isr.ISR = append(isr.ISR, controller.BrokerState{Broker: m.Broker, BrokerEpoch: m.Epoch})
		}
		cmd.Partitions = append(cmd.Partitions, isr)
	}
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	reply, err := k.o.Control(ctx, cmd)
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
		k.settle(&batch[i], &rows[i])
	}
}

// settle takes a proposal back that was plainly refused.
func (k *Keeper) settle(a *asked, row *controller.AlteredPartition) {
	switch row.Code {
	case wire.None, wire.NewLeaderElected:
		return
	case wire.InvalidUpdateVersion, wire.FencedLeaderEpoch, wire.NotController, wire.StaleBrokerEpoch:
		return // the image will say what holds instead
	}
	a.partition.Withdraw(a.proposal)
	k.o.Logger.Info("the controller refused a set of replicas in sync", slog.String("topic", a.partition.Topic()),
		slog.Int("partition", int(row.Index)), slog.Int("leader_epoch", int(a.proposal.LeaderEpoch)), slog.String("err", row.Code.Name()))
}
