package liveness

import (
	"context"
	"maps"
	"slices"
	"time"
)

const (
	// probeTimeout bounds a probe: what does not answer in this time is as good
	// as silent.
	probeTimeout = time.Second
	// recently is how long a reset connection says something about a new
	// leadership: longer than an election takes.
	recently = 5 * time.Second
	// doubtFor bounds how long anybody waits for what becomes of a node. A node
	// that has ended is fenced within a small part of it.
	doubtFor = time.Second
)

// ConnectionDown tells that the connection to a node was reset, which is then
// probed. Where it cannot be reached, the node that leads has it fenced at once,
// and if it led itself, the others are told.
func (k *Keeper) ConnectionDown(node int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.img.Broker(node)
	if k.closed || node == k.o.NodeID || b == nil {
		return
	}
	if !b.Fenced {
		k.doubts[node] = k.o.Now()
		k.doubtful.Store(true)
	}
	if k.leading {
		if k.tracker.Down(node) {
			k.probe(node)
		}
		return
	}
	k.downs[node] = k.o.Now()
	k.probe(node)
}

// suspect looks, at the begin of a leadership, at those who may be gone: the
// leader before, who was silent for as long as an election takes, and those whose
// connection was reset meanwhile. The lock is held.
func (k *Keeper) suspect() {
	if k.led >= 0 && k.led != k.o.NodeID {
		k.tracker.Suspect(k.led)
	}
	now := k.o.Now()
	for _, node := range slices.Sorted(maps.Keys(k.downs)) {
		if now.Sub(k.downs[node]) < recently && k.tracker.Down(node) {
			k.probe(node)
		}
	}
	clear(k.downs)
}

// probe asks whether a node can be reached; where that is being asked, once more
// after that. The lock is held.
func (k *Keeper) probe(node int32) {
	if k.o.Probe == nil || k.closed {
		return
	}
	if _, running := k.probes[node]; running {
		k.probes[node] = true
		return
	}
	k.probes[node] = false
	k.running.Go(func() {
		for k.probed(node) {
		}
	})
}

// probed is one probe and what comes of it; true asks for another one.
func (k *Keeper) probed(node int32) (again bool) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	err := k.o.Probe(ctx, node)
	k.mu.Lock()
	again = err == nil && k.probes[node] && !k.closed
	if k.probes[node] = false; !again {
		delete(k.probes, node)
	}
	ledQuorum := false
	switch {
	case k.closed:
	case err == nil && !again:
		delete(k.doubts, node)
		k.certain()
	case err == nil:
	case k.leading:
		k.tracker.Gone(node, "closed its connection and cannot be reached")
		k.look()
	default:
		ledQuorum = node == k.leader && k.o.Lost != nil
	}
	k.mu.Unlock()
	if ledQuorum {
		k.o.Logger.Info("the node that leads the metadata quorum is gone", "leader", node, "err", err)
		k.o.Lost(ctx, node)
	}
	return again
}

// decided ends the doubt about nodes that the metadata have as fenced, or not any
// more. The lock is held.
func (k *Keeper) decided() {
	if len(k.doubts) == 0 {
		return
	}
	maps.DeleteFunc(k.doubts, func(node int32, _ time.Time) bool {
		b := k.img.Broker(node)
		return b == nil || b.Fenced
	})
	k.certain()
}

// certain lets those who wait look again. The lock is held.
func (k *Keeper) certain() {
	k.doubtful.Store(len(k.doubts) > 0)
	close(k.settled)
	k.settled = make(chan struct{})
}

// Settled returns when no node is in doubt: one whose connection was reset is
// reached again, or fenced, so that the metadata say who leads in its place. It
// waits a second at most, and not at all when all is well: then it costs one look.
// So a client that lost its connection to a node and asks who leads now is not
// told the old story, which it would believe for long.
func (k *Keeper) Settled(ctx context.Context) {
	if !k.doubtful.Load() {
		return
	}
	limit := time.NewTimer(doubtFor)
	defer limit.Stop()
	for {
		k.mu.Lock()
		now := k.o.Now()
		maps.DeleteFunc(k.doubts, func(_ int32, since time.Time) bool { return now.Sub(since) >= doubtFor })
		open, settled := len(k.doubts) > 0, k.settled
		k.doubtful.Store(open)
		k.mu.Unlock()
		if !open {
			return
		}
		select {
		case <-settled:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
