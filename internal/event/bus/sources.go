package bus

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
)

// sources are the plans of all buses, as this node's mirror of objects knows them. A
// change is taken up by the mirror's goroutine, and published a moment later by one of
// its own, or at once by whoever asks for it (flush): so many changes are one Source.
type sources struct {
	objects Objects
	logger  *slog.Logger
	unwatch []func()
	wake    chan struct{}
	ended   chan struct{}
	running sync.WaitGroup

	publishing sync.Mutex // held by who publishes and tells; before mu

	mu    sync.Mutex // guards all below
	buses map[string]*draft
	dirty map[string]struct{} // keys of buses
	calls map[string]*call    // by the target's key
	out   []*plan.Source      // what was published, by key
	tells map[int]func(*plan.Source)
	next  int // key of tells
}

func newSources(objects Objects, logger *slog.Logger) *sources {
	s := &sources{
		objects: objects, logger: logger, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		buses: map[string]*draft{}, dirty: map[string]struct{}{}, calls: map[string]*call{}, tells: map[int]func(*plan.Source){},
	}
	s.running.Go(s.run)
	for kind, take := range map[name.Kind]func(object.News){name.Bus: s.busNews, name.Rule: s.ruleNews, name.Replay: s.replayNews} {
		s.unwatch = append(s.unwatch, objects.Watch(name.Ref{Kind: kind}, take))
	}
	return s
}

func (s *sources) close() {
	for _, end := range s.unwatch {
		end()
	}
	close(s.ended)
	s.running.Wait()
}

// run publishes what changed.
func (s *sources) run() {
	for {
		select {
		case <-s.ended:
			return
		case <-s.wake:
			s.flush()
		}
	}
}

// draft gives what is known of a bus, and notes that it changes. mu held.
func (s *sources) draft(key string) *draft {
	d := s.buses[key]
	if d == nil {
		d = newDraft()
		s.buses[key] = d
	}
	s.dirty[key] = struct{}{}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return d
}

// busNews takes up what happened to a bus.
func (s *sources) busNews(n object.News) {
	b, err := busOf(&n.Object)
	if err != nil {
		s.logger.Error("a bus cannot be read and does not run", "bus", n.Object.Ref.Name, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.draft(n.Object.Ref.Key())
	if d.bus = nil; err == nil && !n.Deleted && b.there() {
		d.bus = &b
	}
}

// ruleNews takes up what happened to a rule.
func (s *sources) ruleNews(n object.News) {
	full := n.Object.Ref
	var c *compiled
	if !n.Deleted {
		r, err := ruleOf(&n.Object)
		if err == nil {
			c, err = compile(r)
		}
		if err != nil {
			s.logger.Error("a rule cannot be read and does not run", "rule", full.Name, "err", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.draft(RuleRefOf(full).Of().Full().Key())
	old := d.put(full.Key(), c)
	if old != nil {
		for key := range old.calls {
			delete(s.calls, key)
		}
	}
	if c != nil {
		for key, x := range c.calls {
			s.calls[key] = x
		}
	}
}

// replayNews takes up what happened to a replay.
func (s *sources) replayNews(n object.News) {
	key := n.Object.Ref.Key()
	r, err := replayOf(&n.Object)
	if err != nil {
		s.logger.Error("a replay cannot be read and does not run", "replay", n.Object.Ref.Name, "err", err)
		return
	}
	p, calls, err := r.plan()
	if err != nil {
		s.logger.Error("a replay cannot be read and does not run", "replay", n.Object.Ref.Name, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if maps.Copy(s.calls, calls); n.Deleted { // else what it gave to be called is called after its end, too
		maps.DeleteFunc(s.calls, func(key string, _ *call) bool { return strings.HasPrefix(key, r.callsBegin()) })
	}
	d := s.draft(r.Bus.Full().Key())
	if n.Deleted || p == nil {
		delete(d.replays, key)
	} else {
		d.replays[key] = p
	}
}

// flush publishes what changed, and tells who watches.
func (s *sources) flush() {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	s.mu.Lock()
	var changed []*plan.Source
	for _, key := range sortedKeys(s.dirty) {
		d := s.buses[key]
		src := d.publish(key)
		if src.Topic == "" && len(d.rules)+len(d.replays) == 0 {
			delete(s.buses, key)
		}
		changed = append(changed, src)
		s.take(src)
	}
	clear(s.dirty)
	var tells []func(*plan.Source)
	for _, id := range sortedKeys(s.tells) {
		tells = append(tells, s.tells[id])
	}
	s.mu.Unlock()
	for _, tell := range tells {
		for _, src := range changed {
			tell(src)
		}
	}
}

// take puts a Source into what was published. mu held.
func (s *sources) take(src *plan.Source) {
	at, there := slices.BinarySearchFunc(s.out, src.Ref.Key(), byKey)
	out := slices.Clone(s.out)
	switch {
	case src.Topic == "" && there:
		out = slices.Delete(out, at, at+1)
	case src.Topic == "":
	case there:
		out[at] = src
	default:
		out = slices.Insert(out, at, src)
	}
	s.out = out
}

func byKey(src *plan.Source, key string) int { return strings.Compare(src.Ref.Key(), key) }

func (s *sources) all() []*plan.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out
}

func (s *sources) get(ref name.Ref) (*plan.Source, bool) {
	out := s.all()
	at, there := slices.BinarySearchFunc(out, ref.Key(), byKey)
	if !there {
		return nil, false
	}
	return out[at], true
}

func (s *sources) watch(tell func(*plan.Source)) (stop func()) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	s.mu.Lock()
	id := s.next
	s.next++
	s.tells[id] = tell
	out := s.out
	s.mu.Unlock()
	for _, src := range out {
		tell(src)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.tells, id)
	}
}

// current returns when what was stored anywhere before is published.
func (s *sources) current(ctx context.Context) error {
	if _, _, err := s.objects.List(ctx, name.Ref{Kind: name.Bus}, "", 1); err != nil {
		return unavailable("read what buses there are", err)
	}
	s.flush()
	return nil
}

// call is what is called for a target.
func (s *sources) call(key string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[key]
}
