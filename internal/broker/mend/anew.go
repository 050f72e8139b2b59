package mend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"ottla/internal/controller"
	"ottla/internal/wire"
)

// errAlone: what is here may be all that there is.
var errAlone = errors.New("no other replica that is counted on says how far it goes")

// renew has a replica fetched anew, once nobody counts on it. That another is counted on
// which nobody has missed yet is not enough: it must say that it is there.
func (k *Keeper) renew(j *job, at *standing) error {
	h, err := k.hear(j, at)
	if err != nil {
		return err
	}
	if !h.sure {
		return fmt.Errorf("%s-%d is damaged: %w", at.key.Topic, at.key.Index, errAlone)
	}
	j.p.Condemn()
	if err := k.uncount(at); err != nil {
		j.p.Spare()
		return err
	}
	j.p.Release()
	k.trust(j)
	k.o.Metrics.Renewed.Inc()
	k.o.Logger.Warn("a damaged replica is fetched anew",
		slog.String("topic", at.key.Topic), slog.Int("partition", int(at.key.Index)), slog.Int64("from", at.key.Offsets.LogStart), slog.Int64("to", at.key.Offsets.LogEnd))
	return nil
}

// uncount has the controller note that the replica is not to be counted on.
func (k *Keeper) uncount(at *standing) error {
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	reply, err := k.o.Control(ctx, controller.RenewReplicas{
		ID: k.o.NodeID, Epoch: at.epoch, Partitions: []controller.TopicIDPartition{{TopicID: at.key.ID, Index: at.key.Index}},
	})
	if err != nil {
		return fmt.Errorf("tell the controller that the replica of %s-%d is damaged: %w", at.key.Topic, at.key.Index, err)
	}
	results, ok := reply.([]controller.Result)
	if !ok || len(results) != 1 {
		return fmt.Errorf("the controller answers a damaged replica with %T", reply)
	}
	if r := results[0]; r.Code != wire.None {
		return fmt.Errorf("the replica of %s-%d is damaged and stays: %w", at.key.Topic, at.key.Index, &wire.Error{Code: r.Code, Message: r.Message})
	}
	return nil
}
