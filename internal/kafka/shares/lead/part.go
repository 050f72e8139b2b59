package lead

import (
	"sync"
	"sync/atomic"

	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// phase of a part.
type phase int8

// cold: nothing is loaded; loading: on its way; ready: served; failed: it
// cannot be loaded, and is tried again when the timer rings.
const (
	cold phase = iota
	loading
	ready
	failed
)

// Part is one share-partition. Its methods may be called from any goroutine.
type Part struct {
	m   *Manager
	Key store.Key

	timer wheel.Timer
	tail  tally
	gone  atomic.Bool // another takes its place in the manager: it serves nobody any more

	mu     sync.Mutex // guards all below
	phase  phase
	life   uint64 // counts loads, so that what comes late is known as such
	err    error  // failed: why
	log    *partition.Partition
	epoch  int32 // the leader epoch it was loaded under
	state  int32 // the state epoch
	core   *share.Partition
	set    Settings
	window *share.Window // of deduplication ids; nil without
	seen   int64         // window has the ids of everything below
	// repeats are records that were found to repeat others before they were read
	// for anybody.
	repeats map[int64]struct{}
	gen     uint64 // counts what might be news to those who wait
	waits   []Waiter
	wake    bool          // to be told when mu is given up
	armed   int64         // the time that the timer is set for; 0 for none
	store   bool          // a write is on its way
	burial  bool          // somebody writes dead letters
	over    chan struct{} // closed when he has, or has to wait for a topic; nil else
	refused refused       // dead letters
	asked   []func(error) // wait for the next write
	flying  []func(error) // wait for the write on its way
	// learning and finding are buffers of what is read while mu is held, kept so
	// that not each take makes its own.
	learning, finding []byte
}

func newPart(m *Manager, key store.Key) *Part {
	p := &Part{m: m, Key: key}
	p.timer.Fire = func() { m.working.Go(p.tick) }
	return p
}

// nowMs is the time of locks and waits. mu held.
func (p *Part) nowMs() int64 { return p.m.nowMs(&p.set) }

// unlock gives mu up, and does what must not be done under it: wakes, writes.
func (p *Part) unlock() {
	put := p.nextWrite()
	p.arm()
	var waits []Waiter
	if p.wake {
		p.wake = false
		p.gen++
		waits, p.waits = p.waits, nil
	}
	p.mu.Unlock()
	for _, w := range waits {
		w.Wake()
	}
	if put != nil {
		put()
	}
}

// arm sets the timer for what ends next. mu held.
func (p *Part) arm() {
	at := int64(0)
	if p.phase == ready {
		at = p.dueMs()
	} else if p.phase == failed {
		at = p.armed
		if at == 0 {
			at = p.nowMs() + retryLoadMs
		}
	}
	if at == p.armed {
		return
	}
	p.m.o.Wheel.Cancel(&p.timer)
	if p.armed = at; at != 0 {
		p.m.o.Wheel.Arm(&p.timer, wait(at-p.nowMs()))
	}
}

// nextMs is when something ends by the clock that may be moved; 0 for never.
func (p *Part) nextMs() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != ready || !p.set.Queue {
		return 0
	}
	return p.dueMs()
}

// dueMs is when a lock, a wait or the pause after a refusal ends; 0 for never. mu held.
func (p *Part) dueMs() int64 {
	at := p.core.DueMs()
	if retry := p.refused.retryMs; retry != 0 && (at == 0 || retry < at) {
		at = retry
	}
	return at
}

// tick is the timer's: locks and waits that are over, or another load.
func (p *Part) tick() {
	p.mu.Lock()
	p.armed = 0
	switch p.phase {
	case ready:
		if p.core.Expire(p.nowMs()) {
			p.wake = true
		}
		p.bury()
	case failed:
		p.begin()
	}
	p.unlock()
}

// Sole tells whether no other node has the partition, so that none can lead it in
// this one's place.
func (p *Part) Sole() bool {
	log, code := p.m.o.Partitions.ByID(p.Key.TopicID, p.Key.Partition)
	return code == wire.None && log.Sole()
}

// serve makes sure that the part can be used, and is the leader's still; else
// it says why not, nil for "not yet". mu held.
func (p *Part) serve() (bool, error) {
	log, code := p.m.o.Partitions.ByID(p.Key.TopicID, p.Key.Partition)
	if code == wire.None && p.gone.Load() {
		code = wire.NotLeaderOrFollower // for a moment
	}
	if code != wire.None {
		p.discard(code)
		return false, code
	}
	if p.phase == ready && (p.log != log || p.epoch != log.Offsets().LeaderEpoch) {
		p.discard(wire.NotLeaderOrFollower)
	}
	switch p.phase {
	case ready:
		return true, nil
	case cold:
		p.begin()
	case failed:
		if !passing(p.err) {
			return false, p.err
		}
	}
	return false, nil
}

// passing tells whether an error is likely to pass by itself.
func passing(err error) bool {
	switch wire.CodeOf(err) {
	case wire.CoordinatorLoadInProgress, wire.CoordinatorNotAvailable, wire.NotCoordinator, wire.NotEnoughReplicas,
		wire.RequestTimedOut, wire.OffsetNotAvailable, wire.NotLeaderOrFollower:
		return true
	}
	return false
}

// discard throws the state away; whoever waits for a write that is not under
// way hears why. mu held.
func (p *Part) discard(why error) {
	p.life++
	p.phase, p.core, p.log, p.err = cold, nil, nil, nil
	p.window, p.repeats, p.refused = nil, nil, refused{}
	p.wake = true
	p.store = false
	told := append(p.flying, p.asked...)
	p.flying, p.asked = nil, nil
	if len(told) > 0 {
		p.m.working.Go(func() {
			for _, done := range told {
				done(why)
			}
		})
	}
}

// forget is discard for those who do not hold mu.
func (p *Part) forget() {
	p.mu.Lock()
	p.discard(wire.NotLeaderOrFollower)
	p.unlock()
}

// rest throws the state away if nothing of it is in use and all of it is
// stored.
func (p *Part) rest() bool {
	p.mu.Lock()
	defer p.unlock()
	if p.phase != ready || p.store || p.burial || len(p.asked) > 0 || len(p.waits) > 0 || p.core.HasChanges() || p.core.Stats().Locked > 0 {
		return false
	}
	p.gone.Store(true)
	p.discard(wire.NotLeaderOrFollower)
	return true
}

// Gone tells that the part serves nobody any more: the manager gives another.
func (p *Part) Gone() bool { return p.gone.Load() }

// configure takes changed settings; another key order takes another state.
func (p *Part) configure() {
	set := p.m.o.Settings(p.Key.Group)
	p.mu.Lock()
	if p.phase == ready {
		if set.remade(&p.set) {
			p.discard(wire.NotLeaderOrFollower)
		} else {
			p.set = set
			p.core.Configure(set.Settings)
			p.wake = true
		}
	}
	p.unlock()
}

// Stats tell where the part stands; false while it is not loaded.
func (p *Part) Stats() (share.Stats, bool) {
	p.mu.Lock()
	defer p.unlock()
	if p.phase != ready {
		return share.Stats{}, false
	}
	return p.core.Stats(), true
}
