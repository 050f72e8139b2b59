package liveness

import (
	"context"
	"log/slog"
	"time"

	"ottla/internal/controller"
	"ottla/internal/liveness/tracker"
	"ottla/internal/wire"
)

const (
	// commandTimeout bounds a command of ours: the quorum that does not take it
	// in this time has another leader soon.
	commandTimeout = 5 * time.Second
	// tryAgain is the pause after one that was refused.
	tryAgain = 200 * time.Millisecond
)

// run carries out what is due until ctx ends.
func (k *Keeper) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	rebalance := k.o.Now().Add(k.o.Rebalance)
	for {
		select {
		case <-timer.C:
		case <-k.kick:
		case <-ctx.Done():
			return
		}
		k.mu.Lock()
		now := k.o.Now()
		actions, again := k.tracker.Next(now)
		k.mu.Unlock()
		for _, a := range actions {
			if !k.carry(ctx, a) {
				again = soonest(again, k.o.Now().Add(tryAgain))
			}
		}
		if k.o.Rebalance > 0 {
			if !k.o.Now().Before(rebalance) {
				rebalance = k.o.Now().Add(k.rebalance(ctx))
			}
			again = soonest(again, rebalance)
		}
		if !again.IsZero() {
			timer.Reset(max(again.Sub(k.o.Now()), 0))
		}
	}
}

// soonest is the earlier of two times; the zero time is never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// carry tells the controller of one action; false asks to try again.
func (k *Keeper) carry(ctx context.Context, a tracker.Action) bool {
	var cmd any
	switch a.Kind {
	case tracker.Fence:
		cmd = controller.FenceBroker{ID: a.Node, Epoch: a.Epoch, Why: a.Why}
	case tracker.Unfence:
		cmd = controller.UnfenceBroker{ID: a.Node, Epoch: a.Epoch}
	default:
		cmd = controller.ShutdownBroker{ID: a.Node, Epoch: a.Epoch}
	}
	short, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	_, err := k.o.Do(short, cmd)
	if err == nil {
		k.o.Logger.Info("node changes its state", "broker", a.Node, "to", a.Kind.String(), "why", a.Why)
		return true
	}
	k.mu.Lock()
	k.tracker.Failed(a)
	k.mu.Unlock()
	if ctx.Err() == nil {
		// A leader that hands its leadership on takes no more; whoever comes after it
		// sees to the node.
		level := slog.LevelWarn
		if wire.CodeOf(err) == wire.NotController {
			level = slog.LevelDebug
		}
		k.o.Logger.Log(ctx, level, "node cannot change its state yet", "broker", a.Node, "to", a.Kind.String(), "why", a.Why, "err", err)
	}
	return false
}

// rebalance moves leaders back where they belong, and tells when to look again.
func (k *Keeper) rebalance(ctx context.Context) time.Duration {
	short, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	reply, err := k.o.Do(short, controller.Rebalance{})
	done, _ := reply.(controller.Rebalanced)
	switch {
	case err != nil:
		return k.o.Rebalance
	case done.Moved > 0:
		k.o.Logger.Info("leaders went back to preferred replicas", "partitions", done.Moved, "more", done.More)
	}
	if done.More {
		return tryAgain
	}
	return k.o.Rebalance
}
