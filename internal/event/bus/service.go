package bus

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
	"ottla/internal/event/produce"
	"ottla/internal/event/schedule"
)

// Objects are where definitions are kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	PutUnder(ctx context.Context, o, owner object.Object) (object.Object, error)
	Remove(ctx context.Context, o object.Object) error
	Get(ctx context.Context, ref name.Ref) (object.Object, error)
	Current(ctx context.Context, ref name.Ref) (object.Object, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error)
	HolderOf(ctx context.Context, topic string, but name.Ref) (name.Ref, bool, error)
	Watch(begin name.Ref, tell func(object.News)) func()
}

// Destinations tell what API destinations are, with their connections
// (event/connection).
type Destinations interface {
	// Endpoint fills in the address, the method, the authorization and the rate
	// of an API destination. plan.ErrGone says that there is none any more.
	Endpoint(ctx context.Context, ref name.Ref, into *plan.Endpoint) error
}

// Schedules run the rules that have a schedule (event/schedule).
type Schedules interface {
	Put(ctx context.Context, ref schedule.Ref, spec schedule.Spec) (out schedule.Schedule, created bool, err error)
	Get(ctx context.Context, ref schedule.Ref) (schedule.Schedule, error)
	Delete(ctx context.Context, ref schedule.Ref) error
	CreateGroup(ctx context.Context, ref schedule.GroupRef, tags map[string]string) (schedule.Group, error)
}

// Options make a Service.
type Options struct {
	Objects Objects
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Partitions tells how many partitions a topic has, 0 when there is none.
	Partitions func(topic string) int
	// MostBytes is what a batch of a topic that is there may have; nil: what topics
	// may that this package makes.
	MostBytes func(topic string) int
	// Runners are waited for when a rule changes; nil: nobody is.
	Runners Runners
	// Destinations are what targets of API destinations call; nil: such targets
	// are refused.
	Destinations Destinations
	// Sealer closes the secrets of targets; nil: they are refused.
	Sealer Sealer
	// Schedules run rules that have a schedule; nil: such rules are refused.
	Schedules Schedules
	// WholeAfter is how long after a rule with a schedule was written it is looked whether
	// it has that; 0 is five seconds.
	WholeAfter time.Duration
	// Functions tells whether the server's file declares a function; nil: none is.
	Functions func(name string) bool
	// MostTargets of a rule; 0 is 100. MostRules of a bus; 0 is no bound.
	MostTargets, MostRules int
	// Now is the domain clock; nil is the real time.
	Now    func() time.Time
	Logger *slog.Logger
}

// Service is all buses with their rules. Its methods may be called from any
// goroutine.
type Service struct {
	o       Options
	sources *sources
	whole   *whole
	client  *produce.Client // sends and orders
}

// New makes a service; Close must follow. Nothing is made or read before it is
// needed.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.WholeAfter == 0 {
		o.WholeAfter = wholeAfter
	}
	if o.MostTargets == 0 {
		o.MostTargets = mostTargets
	}
	s := &Service{o: o}
	s.client = produce.New(o.Client, produce.AtOnce(s.mostBytes)...)
	s.sources = newSources(o.Objects, o.Logger)
	s.whole = newWhole(s)
	return s
}

// Close ends what the service runs, and waits.
func (s *Service) Close() {
	s.whole.close()
	s.sources.close()
	s.client.Close()
}

// kafka gives the client that orders.
func (s *Service) kafka() (*kgo.Client, error) {
	c, err := s.client.Kafka()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return c, nil
}

// mostBytes is what a batch of a topic may have. A topic that this node has not heard of
// yet was just made, for a bus.
func (s *Service) mostBytes(topic string) int {
	if topic == "" || s.o.MostBytes == nil || s.o.Partitions(topic) == 0 {
		return MaxEventBytes + overhead
	}
	return s.o.MostBytes(topic)
}

// Source is what runners read of a bus; false when there is no such bus, or none
// that is at its end of being made.
func (s *Service) Source(ref name.Ref) (*plan.Source, bool) { return s.sources.get(ref) }

// Sources are those of all buses, as this node knows them now.
func (s *Service) Sources() []*plan.Source { return s.sources.all() }

// Current returns when what was stored anywhere before is in Sources.
func (s *Service) Current(ctx context.Context) error { return s.sources.current(ctx) }

// Watch has tell called with the Source of each bus that there is, before it returns
// for those that are known, and with another one whenever something of it changed;
// with one that has no Topic when the bus is no more. tell must be quick, and must not
// call the Service.
func (s *Service) Watch(tell func(*plan.Source)) (stop func()) { return s.sources.watch(tell) }

// appliedTimeout bounds how long a call waits for the runners of its rule: the first
// one of a cluster waits for topics that are made for it. SDKs wait for a minute.
const appliedTimeout = 30 * time.Second

// applied returns when a change of a rule is known to its runners.
func (s *Service) applied(ctx context.Context, rule RuleRef) error {
	s.sources.flush()
	src, there := s.Source(rule.Of().Full())
	if s.o.Runners == nil || !there {
		return nil
	}
	full := rule.Full()
	for _, r := range slices.Backward(src.Rules) { // a new one is among the last
		if r.Ref != full {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, appliedTimeout)
		defer cancel()
		if err := s.o.Runners.Applied(ctx, src, r); err != nil {
			return unavailable("the rule "+rule.Name+" is written, but not all of its runners go by it yet", err)
		}
		return nil
	}
	return nil
}
