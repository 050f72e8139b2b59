package liveness

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ottla/internal/liveness/tracker"
	"ottla/internal/wire/own"
)

// SpeakerOptions make a Speaker.
type SpeakerOptions struct {
	NodeID int32
	// Ask gives a heartbeat to whoever leads the quorum, this node's Keeper
	// included, and returns within its context.
	Ask func(ctx context.Context, beat *own.HeartbeatRequest) (*own.HeartbeatResponse, error)
	// Register registers this node anew and returns the epoch; it is called when
	// the controller does not know the old one any more.
	Register func(ctx context.Context) (epoch int64, err error)
	// OnFenced is told, in order, whenever the answer to "is this node fenced?"
	// changes. It begins fenced. It must not wait.
	OnFenced func(fenced bool)
	// Every is the time between heartbeats when nothing happens; 0 is 500 ms.
	Every time.Duration
	// Silence is after what a Keeper fences; 0 is tracker.DefaultSilence.
	Silence time.Duration
	// Now is the clock of Trusted, time.Now where it is nil.
	Now    func() time.Time
	Logger *slog.Logger
}

const (
	defaultEvery = 500 * time.Millisecond
	// leastGap keeps steps of the metadata that follow each other closely in one
	// heartbeat.
	leastGap = 5 * time.Millisecond
	// askTimeout bounds one heartbeat: there must be time for another before
	// this node counts as silent.
	askTimeout = 900 * time.Millisecond
	// registerTimeout bounds one attempt to register again.
	registerTimeout = 5 * time.Second
)

// Speaker sends this node's heartbeats. Its methods may be called from any
// goroutine; Applied and Down never wait.
type Speaker struct {
	o     SpeakerOptions
	poke  chan struct{} // say something now
	trust trust

	mu       sync.Mutex // guards all below
	epoch    int64
	applied  int64
	ahead    answered // offset -1: none
	fenced   bool
	stopping bool  // a controlled shutdown is asked for
	mayStop  bool  // and granted
	leaveAt  int64 // the metadata by which it was granted; -1: whichever
	changed  chan struct{}
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// errSpeakerClosed ends what waits.
var errSpeakerClosed = errors.New("the node sends no heartbeats any more")

// NewSpeaker makes one that says nothing before Start.
func NewSpeaker(o SpeakerOptions) *Speaker {
	if o.Every <= 0 {
		o.Every = defaultEvery
	}
	if o.Silence <= 0 {
		o.Silence = tracker.DefaultSilence
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnFenced == nil {
		o.OnFenced = func(bool) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Speaker{o: o, poke: make(chan struct{}, 1), trust: trust{began: o.Now()}, applied: -1, leaveAt: -1, ahead: answered{offset: -1}, fenced: true, changed: make(chan struct{})}
}

// Start begins to speak as a node registered with an epoch; fenced is how the
// metadata show it. A second call does nothing.
func (s *Speaker) Start(epoch int64, fenced bool) {
	s.mu.Lock()
	if s.cancel != nil {
		s.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.epoch = cancel, epoch
	if fenced {
		s.trust.end()
	} else {
		s.trust.extend(s.o.Now(), s.o.Silence)
	}
	s.running.Go(func() { s.run(ctx, fenced) })
	s.mu.Unlock()
}

// Applied tells that the node serves by the metadata up to an offset.
func (s *Speaker) Applied(offset int64) {
	s.mu.Lock()
	more := offset > s.applied
	if more {
		s.applied = offset
		if a := s.ahead; a.offset >= 0 && offset >= a.offset {
			s.ahead.offset = -1
			s.trust.extend(a.sent, a.by)
		}
		if s.mayStop {
			s.wake()
		}
	}
	s.mu.Unlock()
	if more {
		s.now()
	}
}

// Down tells that the connection to a node was reset, or that another leads:
// whoever leads now shall hear of this node at once.
func (s *Speaker) Down() { s.now() }

// now has the goroutine say something at once.
func (s *Speaker) now() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// Fenced tells whether this node is fenced, as the last answer had it.
func (s *Speaker) Fenced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fenced
}

// Epoch is that of the registration under which it speaks.
func (s *Speaker) Epoch() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// WaitUnfenced returns when this node is not fenced; the error is ctx's, or that
// the Speaker was closed.
func (s *Speaker) WaitUnfenced(ctx context.Context) error {
	return s.wait(ctx, func() bool { return !s.fenced })
}

// ShutDown asks for a controlled shutdown and returns when it is granted: others
// lead what this node led, and know it. This node knows it too by then, unless it has
// failed (Distrust), and so has told its clients, which it answers meanwhile.
func (s *Speaker) ShutDown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	s.now()
	return s.wait(ctx, func() bool { return s.mayStop && (s.applied >= s.leaveAt || s.trust.none.Load()) })
}

// wait waits until something holds, which it looks at under the lock.
func (s *Speaker) wait(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		done, changed, closed := holds(), s.changed, s.cancel == nil
		s.mu.Unlock()
		switch {
		case done:
			return nil
		case closed:
			return errSpeakerClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wake lets who waits look again. The lock is held.
func (s *Speaker) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close says nothing more and waits for its goroutine; who waits hears an error.
// It can be started again.
func (s *Speaker) Close() {
	s.mu.Lock()
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
		s.wake()
	}
	s.mu.Unlock()
	s.running.Wait()
}
