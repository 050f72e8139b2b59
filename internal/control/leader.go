package control

import (
	"context"
	"sync"
	"time"

	"ottla/internal/wire"
)

// leadership is who leads the quorum as far as this node knows.
type leadership struct {
	mu      sync.Mutex // guards all below
	leader  int32      // -1 not known
	epoch   int32
	changed chan struct{} // closed when it changes; nil while nobody waits
	over    bool          // there will be none any more
}

// errOver ends who waits for a leader when the node stops.
var errOver = wire.Errorf(wire.NotController, "the node stops")

// set notes it. What is older than what is known is not news: another node's
// hint may have come before this node's own quorum knew.
func (l *leadership) set(leader, epoch int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch < l.epoch || leader == l.leader && epoch == l.epoch {
		return
	}
	l.leader, l.epoch = leader, epoch
	l.wake()
}

// end lets go who waits: nobody is waited for any more.
func (l *leadership) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.wake()
}

// wake tells who waits to look again. mu held.
func (l *leadership) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// get tells who leads.
func (l *leadership) get() (leader, epoch int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader, l.epoch
}

// after waits until it is not the one that was seen any more, or until pause
// gives something; the error is ctx's, or that the node stops.
func (l *leadership) after(ctx context.Context, leader, epoch int32, pause <-chan time.Time) error {
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return errOver
	}
	if leader != l.leader || epoch != l.epoch {
		l.mu.Unlock()
		return nil
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	changed := l.changed
	l.mu.Unlock()
	select {
	case <-changed:
		return nil
	case <-pause:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
