package lookback

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
)

// Query says which event is looked for.
type Query struct {
	ID string
	// Bus is where it is looked for, and in buses that it was forwarded to from
	// there; without a Name in all buses of the place.
	Bus bus.Ref
	// Last is how many events of each partition are looked at; 0 is DefaultLast.
	// WithinMs is how long ago the event was put at most; 0 is no bound.
	Last     int
	WithinMs int64
}

// mostFound bounds the places of an event that are told.
const mostFound = 50

// mostID bounds an id.
const mostID = 1024

// trace is a Trace as it is made.
type trace struct {
	s *Service
	q Query
	w window

	waiting []bus.Ref                       // buses to look into
	topics  map[name.Ref]map[string]*target // what rules published, by SNS topic and id
	seen    map[name.Ref]bool
	found   []*found
	links   links
	out     Trace
}

// found is a Found as it is made.
type found struct {
	Found
	bus   bus.Ref
	at    place
	event *envelope.Event
	// what Targets are made of, in the order of Rules and their Targets
	targets []*target
	letters []string // conditions that dead letters of it fit
	// publisher is the target that published it, of what lies in an SNS topic.
	publisher *target
}

// target is a Target as it is made.
type target struct {
	plan *plan.Target
	told *Target
	of   *plan.Event
	dlq  name.Ref
	from *found
}

// Trace tells where an event went. ErrNotFound when it is not among the events that are
// looked at.
func (s *Service) Trace(ctx context.Context, q Query) (Trace, error) {
	most, err := last(q.Last)
	if err != nil {
		return Trace{}, err
	}
	if q.ID == "" || len(q.ID) > mostID {
		return Trace{}, &bus.InvalidError{Field: "id", Why: fmt.Sprintf("an id has 1 to %d bytes", mostID)}
	}
	if err := s.o.Buses.Current(ctx); err != nil {
		return Trace{}, err
	}
	t := &trace{s: s, q: q, w: window{last: most}, topics: map[name.Ref]map[string]*target{}, seen: map[name.Ref]bool{}, links: newLinks(q.ID)}
	t.out = Trace{ID: q.ID, Found: []Found{}, Caused: []Caused{}}
	if q.WithinMs > 0 {
		t.w.sinceMs = s.o.Now().UnixMilli() - q.WithinMs
	}
	if err := t.begin(ctx); err != nil {
		return Trace{}, err
	}
	for len(t.waiting) > 0 {
		next := t.waiting[0]
		t.waiting = t.waiting[1:]
		if err := t.look(ctx, next); err != nil {
			return Trace{}, err
		}
	}
	if err := t.published(ctx); err != nil {
		return Trace{}, err
	}
	if len(t.found) == 0 && len(t.out.Unread) > 0 {
		return Trace{}, fmt.Errorf("%s is not found, and not all could be read: %s: %w", q.ID, t.out.Unread[0], bus.ErrUnavailable)
	}
	if len(t.found) == 0 {
		return Trace{}, fmt.Errorf("%s: %w among the last %d of %d buses", q.ID, ErrNotFound, t.out.Read, len(t.seen))
	}
	if err := t.beside(ctx); err != nil {
		return Trace{}, err
	}
	return t.finish(), nil
}

// begin says which buses are looked into first.
func (t *trace) begin(ctx context.Context) error {
	if t.q.Bus.Name == "" {
		all, err := t.s.buses(ctx, t.q.Bus)
		for _, b := range all {
			t.enter(b)
		}
		return err
	}
	b, err := t.s.o.Buses.Get(ctx, t.q.Bus)
	if err == nil {
		t.enter(b.Ref)
	}
	return err
}

// enter has a bus looked into, once.
func (t *trace) enter(b bus.Ref) {
	if b = b.Filled(); !t.seen[b.Full()] {
		t.seen[b.Full()] = true
		t.waiting = append(t.waiting, b)
	}
}

// look looks into a bus.
func (t *trace) look(ctx context.Context, b bus.Ref) error {
	src, there := t.s.o.Buses.Source(b.Full())
	if !there {
		return nil
	}
	var here []*found
	err := t.s.scan(ctx, src.Topic, t.w, func(at place, e *envelope.Event) {
		t.out.Read++
		t.out.Cut = !t.links.take(b.Name, at, e) || t.out.Cut
		switch {
		case e.ID != t.q.ID:
		case len(t.found)+len(here) >= mostFound:
			t.out.Cut = true
		default:
			here = append(here, newFound(b, at, e))
		}
	})
	if err := t.unread(ctx, "bus "+b.Name, err); err != nil || len(here) == 0 {
		return err
	}
	rules, err := t.s.rulesOf(ctx, b)
	if err != nil {
		return err
	}
	var cursors []run.Cursor
	if t.s.o.Cursors != nil {
		if cursors, err = t.s.o.Cursors(ctx, src); err != nil {
			return unavailable("how far "+b.Full().String()+" is", err)
		}
	}
	at := indexes(src)
	for _, f := range here {
		t.judge(f, src, at, rules, cursors)
	}
	t.found = append(t.found, here...)
	return nil
}

// unread notes what cannot be read at the moment: the rest is told.
func (t *trace) unread(ctx context.Context, what string, err error) error {
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	t.out.Unread = append(t.out.Unread, what+": "+err.Error())
	return nil
}

func newFound(b bus.Ref, at place, e *envelope.Event) *found {
	hops, _ := strconv.Atoi(e.Extension(run.Hops))
	return &found{bus: b, at: at, event: e, letters: []string{"body.id=" + e.ID}, Found: Found{
		Bus: b.Name, Topic: at.topic, Partition: at.partition, Offset: at.offset, PutMs: at.putMs, Hops: max(hops, 0),
		Causation: e.Extension(causation), Correlation: e.Extension(correlation), Event: e.AppendCloudEvent(nil), Rules: []Rule{},
	}}
}

// finish puts what was found in its order.
func (t *trace) finish() Trace {
	slices.SortStableFunc(t.found, func(a, b *found) int { return cmp.Or(cmp.Compare(a.Hops, b.Hops), cmp.Compare(a.PutMs, b.PutMs)) })
	for i, f := range t.found {
		if f.SNS == "" {
			f.From = t.cameFrom(f, t.found[:i])
		}
	}
	for _, f := range t.found {
		t.missed(f)
		t.out.Found = append(t.out.Found, f.Found)
	}
	t.out.Caused = t.links.caused()
	return t.out
}

// cameFrom is the bus that forwarded an event, of those where it was before.
func (t *trace) cameFrom(f *found, before []*found) string {
	for _, b := range slices.Backward(before) {
		if b.Hops == f.Hops-1 && slices.ContainsFunc(b.targets, func(x *target) bool {
			return x.plan.To.Kind == plan.Bus && x.plan.To.Ref == f.bus.Full()
		}) {
			return b.Bus
		}
	}
	return ""
}

// missed says of buses and SNS topics that an event was sent to where it is not to be
// seen.
func (t *trace) missed(f *found) {
	for _, x := range f.targets {
		switch to := x.plan.To; {
		case x.told.State != Sent:
		case to.Kind == plan.Bus && !slices.ContainsFunc(t.found, func(o *found) bool { return o.SNS == "" && o.Hops == f.Hops+1 && o.bus.Full() == to.Ref }):
			x.told.Why = "it is not among the events of that bus that were looked at"
		case to.Kind == plan.SNS && t.topics[to.Ref] != nil && !slices.ContainsFunc(t.found, func(o *found) bool { return o.publisher == x }):
			x.told.Why = "it is not among the messages of that topic that were looked at"
		}
	}
}
