package coordinator

import "sync"

const (
	// mailboxSize bounds the commands that wait for a shard. It is more than
	// all members of a large group send when they join at once; beyond it a
	// client is told to come again, which all of them can.
	mailboxSize = 8192
	// turnSize bounds the commands that share a write, so that replies do not
	// wait for an endless turn.
	turnSize = 512
	// maxReplies bounds what waits for the disk; then the mailbox fills.
	maxReplies = 8192
	// maxWaiting bounds the commands whose reply the machine puts off.
	maxWaiting = 1 << 17
)

// inbox is what goes into a shard from other goroutines. All but calls is
// bounded by what the shard itself has begun.
type inbox struct {
	mu      sync.Mutex // guards all below; held for moments
	calls   []*call    // at most mailboxSize
	flights []*flight  // that have ended
	results []result
	role    *role // a leadership to begin or (with a nil tail) to end; the newest counts
	closed  bool

	// wake has something in it when the owner shall look.
	wake chan struct{}
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// ring wakes the owner.
func (b *inbox) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// put adds a call, or tells why not.
func (b *inbox) put(x *call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errClosed
	case len(b.calls) >= mailboxSize:
		return errFull
	}
	b.calls = append(b.calls, x)
	b.ring()
	return nil
}

func (b *inbox) synced(f *flight) {
	b.mu.Lock()
	b.flights = append(b.flights, f)
	b.mu.Unlock()
	b.ring()
}

func (b *inbox) worked(r result) {
	b.mu.Lock()
	b.results = append(b.results, r)
	b.mu.Unlock()
	b.ring()
}

func (b *inbox) roleOf(r *role) {
	b.mu.Lock()
	b.role = r
	b.mu.Unlock()
	b.ring()
}

func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.ring()
}

// taken is what the owner found.
type taken struct {
	calls   []*call
	flights []*flight
	results []result
	role    *role
	closed  bool
}

// take empties the inbox into t, whose slices are used again; of calls it
// takes at most most (all with a change of role, for they belong to the old
// one), and the rest wakes the owner again.
func (b *inbox) take(t *taken, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.flights, b.flights = b.flights, t.flights[:0]
	t.results, b.results = b.results, t.results[:0]
	t.role, b.role = b.role, nil
	t.closed = b.closed
	if t.role != nil || t.closed {
		most = len(b.calls)
	}
	n := min(most, len(b.calls))
	t.calls = append(t.calls[:0], b.calls[:n]...)
	rest := copy(b.calls, b.calls[n:])
	clear(b.calls[rest:])
	b.calls = b.calls[:rest]
	if rest == 0 && cap(b.calls) > turnSize {
		b.calls = nil
	}
	if rest > 0 && most > 0 {
		b.ring()
	}
}

// clean lets go of what was handled.
func (t *taken) clean() {
	clear(t.calls)
	clear(t.flights)
	clear(t.results)
}
