package lead

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Partitions finds a partition that this node leads, or says with a code why
// there is none.
type Partitions interface {
	ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code)
}

// Store keeps states: the runtime of `__share_group_state`. done is called
// once, from any goroutine, perhaps before Go returns.
type Store interface {
	Go(ctx context.Context, key string, cmd any, done func(any, error))
}

// Options make a Manager.
type Options struct {
	Partitions Partitions
	Store      Store
	// Settings tells what holds for a group at this moment.
	Settings func(group string) Settings
	Now      func() time.Time // of locks and waits
	Wall     func() time.Time // of what is stored
	Wheel    *wheel.Wheel
	// Patience is how long a write may wait to be taken up.
	Patience time.Duration
	// Dead writes the dead letters of a range of records and returns when they
	// are committed. An error that passes (see passing) has it called again
	// later; after another the records are archived without letters.
	Dead   func(ctx context.Context, d *Dying) error
	Logger *slog.Logger
}

// Manager holds the share-partitions. Its methods may be called from any
// goroutine.
type Manager struct {
	o       Options
	working sync.WaitGroup
	ctx     context.Context // of what Dead does; ended by Close
	cancel  context.CancelFunc

	mu     sync.Mutex // guards all below
	groups map[string]map[place]*Part
	closed bool
}

// place is a partition in a group.
type place struct {
	topic uuid.UUID
	index int32
}

// New makes a manager; Close must follow.
func New(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wall == nil {
		o.Wall = o.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Manager{o: o, groups: map[string]map[place]*Part{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// nowMs is the time of locks and waits under settings.
func (m *Manager) nowMs(s *Settings) int64 {
	if s.Queue {
		return m.o.Wall().UnixMilli()
	}
	return m.o.Now().UnixMilli()
}

// Settle ends the locks and waits that are over by a clock that was moved, and returns
// when that is stored and what was given up by it has its letters: whoever takes then
// finds what the clock made free. A letter that cannot be written at the moment is
// not waited for.
func (m *Manager) Settle(ctx context.Context) error {
	all := m.parts("")
	for _, p := range all {
		p.tick()
	}
	for _, p := range all {
		if err := p.calm(ctx); err != nil {
			return err
		}
	}
	return nil
}

// NextMs is when the first lock or wait of a queue's message is over, by the clock
// that may be moved; 0 for never.
func (m *Manager) NextMs() int64 {
	first := int64(0)
	for _, p := range m.parts("") {
		if ms := p.nextMs(); ms > 0 && (first == 0 || ms < first) {
			first = ms
		}
	}
	return first
}

// Part gives a share-partition, which begins to load when it is first used.
// nil once the manager is closed.
func (m *Manager) Part(key store.Key) *Part {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	g := m.groups[key.Group]
	if g == nil {
		g = map[place]*Part{}
		m.groups[key.Group] = g
	}
	at := place{key.TopicID, key.Partition}
	p := g[at]
	if p == nil || p.Gone() {
		p = newPart(m, key)
		g[at] = p
	}
	return p
}

// parts lists those of a group, or all for "".
func (m *Manager) parts(group string) []*Part {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*Part
	for id, g := range m.groups {
		if group == "" || id == group {
			for _, p := range g {
				out = append(out, p)
			}
		}
	}
	return out
}

// Leave gives back everything that a member of a group holds.
func (m *Manager) Leave(group, member string) {
	for _, p := range m.parts(group) {
		p.Leave(member)
	}
}

// Rest lets go of the parts of a group that nobody uses: whoever comes next
// loads them again.
func (m *Manager) Rest(group string) {
	for _, p := range m.parts(group) {
		if !p.rest() {
			continue
		}
		m.mu.Lock()
		if g, at := m.groups[group], (place{p.Key.TopicID, p.Key.Partition}); g[at] == p {
			delete(g, at)
			if len(g) == 0 {
				delete(m.groups, group)
			}
		}
		m.mu.Unlock()
	}
}

// Configure makes all parts of a group heed its settings anew.
func (m *Manager) Configure(group string) {
	for _, p := range m.parts(group) {
		p.configure()
	}
}

// Forget throws states away that were changed in the store by others: the
// parts load them again when they are next used. With no keys, all of the
// group are forgotten for good.
func (m *Manager) Forget(group string, keys ...store.Key) {
	gone := m.parts(group)
	if len(keys) > 0 {
		gone = gone[:0]
		for _, k := range keys {
			m.mu.Lock()
			if p := m.groups[group][place{k.TopicID, k.Partition}]; p != nil {
				gone = append(gone, p)
			}
			m.mu.Unlock()
		}
	} else {
		m.mu.Lock()
		delete(m.groups, group)
		m.mu.Unlock()
		for _, p := range gone {
			p.gone.Store(true)
		}
	}
	for _, p := range gone {
		p.forget()
	}
}

// ForgetTopics drops the parts of topics that are gone.
func (m *Manager) ForgetTopics(gone func(uuid.UUID) bool) {
	var out []*Part
	m.mu.Lock()
	for group, g := range m.groups {
		for at, p := range g {
			if gone(at.topic) {
				delete(g, at)
				p.gone.Store(true)
				out = append(out, p)
			}
		}
		if len(g) == 0 {
			delete(m.groups, group)
		}
	}
	m.mu.Unlock()
	for _, p := range out {
		p.forget()
	}
}

// Close throws everything away and waits for what is on its way; the store
// answers everything by then. Whoever waits is told.
func (m *Manager) Close() {
	gone := m.parts("")
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	for _, p := range gone {
		p.forget()
	}
	m.working.Wait()
}
