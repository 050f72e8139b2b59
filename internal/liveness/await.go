package liveness

import "context"

// Await calls done once, from any goroutine, when every node that serves has
// applied the metadata up to an offset; at once where this node does not lead or
// is alone, and when it stops leading: what was committed holds all the same.
// cancel takes done back; it may still be under way.
func (k *Keeper) Await(offset int64, done func()) (cancel func()) {
	k.mu.Lock()
	if !k.several() || k.closed {
		k.mu.Unlock()
		done()
		return func() {}
	}
	k.lastID++
	id := k.lastID
	k.waiting[id] = done
	k.tracker.Await(id, offset)
	ready := k.take(k.tracker.Ready())
	k.mu.Unlock()
	call(ready)
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.waiting, id)
		k.tracker.Forget(id)
	}
}

// Wait is Await for who has nothing else to do; the error is ctx's.
func (k *Keeper) Wait(ctx context.Context, offset int64) error {
	done := make(chan struct{})
	cancel := k.Await(offset, func() { close(done) })
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		cancel()
		return ctx.Err()
	}
}

// take takes out the functions of those who have waited long enough.
func (k *Keeper) take(ids []uint64) (done []func()) {
	for _, id := range ids {
		if f := k.waiting[id]; f != nil {
			delete(k.waiting, id)
			done = append(done, f)
		}
	}
	return done
}

// call runs what was taken out, with no lock held.
func call(done []func()) {
	for _, f := range done {
		f()
	}
}
