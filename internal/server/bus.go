package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/connection"
	"ottla/internal/event/delivery"
	"ottla/internal/event/function"
	"ottla/internal/event/lookback"
	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
	"ottla/internal/event/seal"
	"ottla/internal/event/sns"
	"ottla/internal/event/tail"
)

// buses are the parts of the event layer that events go through: what is defined, who
// runs it, and who calls addresses.
type buses struct {
	bus      *bus.Service
	sns      *sns.Service
	run      *run.Service
	delivery *delivery.Service
	// connections are what API destinations call with.
	connections *connection.Service
	functions   *function.Service // that functions.file declares
	mappings    *mapping.Service  // has them take from queues and topics
	tail        *tail.Service
	unwatch     func()
}

// makeBuses makes buses, SNS topics and what runs them; objects, queues, schedules and
// outbound are there. Nothing is made or read before it is used.
func (s *Server) makeBuses() {
	b, e := &s.events.buses, &s.events
	b.tail = tail.New(tail.Options{Client: s.eventClient, Partitions: s.partitionsOf, Now: s.o.Now})
	box := seal.New(e.objects)
	b.connections = connection.New(connection.Options{Objects: e.objects, Sealer: box, HTTP: e.outbound, Callers: runners{s}.Callers, Now: s.o.Now, Logger: s.o.Logger})
	b.bus = bus.New(bus.Options{
		Objects: e.objects, Client: s.eventClient, Partitions: s.partitionsOf, MostBytes: s.mostBytes, Runners: runners{s}, Schedules: e.schedules, Destinations: b.connections,
		Functions: b.functions.Has, Sealer: box,
		Now: s.o.Now, Logger: s.o.Logger,
	})
	b.sns = sns.New(sns.Options{
		Objects: e.objects, Client: s.eventClient, Exists: func(topic string) bool { return s.partitionsOf(topic) > 0 }, MostBytes: s.mostBytes,
		Calls: calls{s}, Base: func() string { return "http://" + s.HTTPAddr() }, Changed: s.lookAtBuses, Applied: runners{s}.Applied,
		Called: func(key string) {
			if e.made.Load() {
				b.delivery.Changed(key)
			}
		},
		Now: s.o.Now, Logger: s.o.Logger, Metrics: s.metrics,
	})
	b.delivery = delivery.New(delivery.Options{
		Endpoints: endpoints{s}, Current: b.bus.Current, Queues: e.queues, Ill: s.illOf, HTTP: e.outbound, Functions: b.functions, Client: s.eventClient, Partitions: s.partitionsOf, Leads: s.leads,
		Now: s.o.Now, Logger: s.o.Logger, Metrics: s.metrics,
	})
	b.mappings = mapping.New(mapping.Options{
		Objects: e.objects, Queues: e.queues, Functions: b.functions, Client: s.eventClient, Partitions: s.partitionsOf, Leads: s.leads,
		Address: func() string { return strings.Join(s.ownAddresses(), ",") }, Now: s.o.Now, Logger: s.o.Logger, Metrics: s.metrics,
	})
	b.run = run.New(run.Options{
		Sources: []run.Sources{b.bus, b.sns}, Queues: e.queues, TopicOf: s.topicOfSource, Gone: s.goneTarget, Deliver: delivery.Record, Parcels: delivery.Topic,
		Publish: b.sns.Record, Client: s.eventClient, Topic: s.placeOf, Leads: s.runsBus, Create: s.makeBusTopics,
		Now: s.o.Now, Logger: s.o.Logger, Metrics: s.metrics,
	})
	known := map[string][]*plan.Rule{}
	b.unwatch = b.bus.Watch(func(src *plan.Source) { // one at a time
		s.lookAtBuses()
		for _, key := range changedCalls(known, src) {
			b.delivery.Changed(key)
		}
	})
}

// runsBus tells whether the runner of a partition of a bus is this node's.
func (s *Server) runsBus(topic string, partition int32) bool {
	return !s.o.NoBuses && s.leads(topic, partition)
}

// changedCalls are the targets that are called, of rules that were changed or are no
// more; known has the rules of each source as they were, and are now. A rule that is in
// its place is the same.
func changedCalls(known map[string][]*plan.Rule, src *plan.Source) []string {
	before := known[src.Ref.Key()]
	was, is := moved(before, src.Rules), moved(src.Rules, before)
	var keys []string
	calls := func(of, others map[*plan.Rule]bool) {
		for r := range of {
			for _, g := range r.Targets {
				if g.To.Kind == plan.Call && !others[r] {
					keys = append(keys, g.Key)
				}
			}
		}
	}
	calls(is, was)
	calls(was, is)
	if known[src.Ref.Key()] = src.Rules; src.Topic == "" {
		delete(known, src.Ref.Key())
	}
	return keys
}

// moved are the rules that are not in the same place of another list.
func moved(rules, other []*plan.Rule) map[*plan.Rule]bool {
	out := map[*plan.Rule]bool{}
	for i, r := range rules {
		if i >= len(other) || other[i] != r {
			out[r] = true
		}
	}
	return out
}

// lookAtBuses has those who run buses look at what has changed.
func (s *Server) lookAtBuses() {
	if s.events.made.Load() {
		s.events.buses.run.Look()
		s.events.buses.delivery.Look()
		s.events.buses.mappings.Look()
	}
}

// closeBuses ends what makeBuses made.
func (s *Server) closeBuses() {
	b := &s.events.buses
	if b.run == nil {
		return
	}
	b.unwatch()
	b.mappings.Close()
	b.run.Close()
	b.delivery.Close()
	b.sns.Close()
	b.bus.Close()
	b.connections.Close()
	b.tail.Close()
}

// makeFunctions reads what functions.file declares.
func (s *Server) makeFunctions() error {
	var declared []function.Function
	if path := s.view.String(nil, "functions.file"); path != "" {
		var err error
		if declared, err = function.Load(path); err != nil {
			return fmt.Errorf("functions.file: %w", err)
		}
	}
	var err error
	s.events.buses.functions, err = function.New(declared, "ottla/"+s.o.Version)
	return err
}

// illOf tells why a topic takes nothing at the moment; nil when it does, or is not known.
func (s *Server) illOf(topic string) error {
	p, _ := s.placeOf(topic)
	return p.Ill
}

// placeOf is what runners know of a topic.
func (s *Server) placeOf(topic string) (run.Place, bool) {
	img := s.image()
	t := img.TopicByName(topic)
	if t == nil {
		return run.Place{}, false
	}
	c := s.view.TopicConfig(img, topic)
	p := run.Place{ID: t.ID.String(), Partitions: len(t.Partitions), MaxBytes: c.MaxMessageBytes}
	for i := range t.Partitions {
		x := t.Partitions[i]
		switch need := min(int(c.MinInsyncReplicas), len(x.Replicas)); {
		case x.Leader < 0:
			p.Ill = fmt.Errorf("partition %d has no leader", i)
		case len(x.ISR) < need:
			p.Ill = fmt.Errorf("partition %d has %d replicas in sync, and takes records with %d", i, len(x.ISR), need)
		}
	}
	return p, true
}

// topicOfSource is the topic of a bus or an SNS topic.
func (s *Server) topicOfSource(ref name.Ref) (string, bool) {
	if ref.Kind == name.SNS {
		return s.events.buses.sns.TopicOf(ref)
	}
	src, ok := s.events.buses.bus.Source(ref)
	if !ok {
		return "", false
	}
	return src.Topic, true
}

// goneTarget tells whether an object that a rule's target names is no more.
func (s *Server) goneTarget(ctx context.Context, ref name.Ref) (bool, error) {
	if ref.Kind == name.Bus && ref.Name == bus.Default {
		return false, nil // it is there without an object
	}
	_, err := s.events.objects.Current(ctx, ref)
	if errors.Is(err, object.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// makeBusTopics makes the topics that runners need.
func (s *Server) makeBusTopics(ctx context.Context, calls bool) error {
	if s.partitionsOf(run.StateTopic) == 0 {
		if err := s.makeEventTopic(ctx, run.StateTopic, run.Partitions, map[string]string{"cleanup.policy": "compact"}); err != nil {
			return err
		}
	}
	if !calls {
		return nil
	}
	return s.makeDeliveryTopics(ctx)
}

// makeDeliveryTopics makes the topics of what is to be called.
func (s *Server) makeDeliveryTopics(ctx context.Context) error {
	most := strconv.Itoa(delivery.MostRecord)
	for _, t := range []struct {
		name     string
		settings map[string]string
	}{
		{delivery.StateTopic, map[string]string{"cleanup.policy": "compact"}},
		{delivery.AttemptsTopic, kept(delivery.AttemptsRetentionMs)},
		{delivery.Topic, kept(delivery.RetentionMs)},
	} {
		if s.partitionsOf(t.name) > 0 {
			continue
		}
		t.settings["max.message.bytes"] = most
		if err := s.makeEventTopic(ctx, t.name, delivery.Partitions, t.settings); err != nil {
			return err
		}
	}
	return nil
}

// settleBuses returns when all events that lie at this node have been given to their
// targets, and what is to be called was.
func (s *Server) settleBuses(ctx context.Context) error {
	b := &s.events.buses
	if b.mappings != nil {
		if err := b.mappings.Settle(ctx); err != nil {
			return fmt.Errorf("call the functions that are due: %w", err)
		}
	}
	if b.run == nil || s.partitionsOf(run.StateTopic) == 0 {
		return nil
	}
	if err := b.run.Settle(ctx); err != nil {
		return fmt.Errorf("give the events of buses to their targets: %w", err)
	}
	if s.partitionsOf(delivery.Topic) == 0 {
		return nil
	}
	if err := b.delivery.Settle(ctx); err != nil {
		return fmt.Errorf("deliver what is due: %w", err)
	}
	return nil
}

// runners are run.Service and bus.Service, which are made after those who ask them.
type runners struct{ s *Server }

func (r runners) Applied(ctx context.Context, src *plan.Source, rule *plan.Rule) error {
	return r.s.events.buses.run.Applied(ctx, src, rule)
}

// Callers are the rules that call an API destination.
func (r runners) Callers(ctx context.Context, destination name.Ref) ([]name.Ref, error) {
	return r.s.events.buses.bus.CallersOf(ctx, destination)
}

func (r runners) Cursors(ctx context.Context, src *plan.Source) ([]run.Cursor, error) {
	return r.s.events.buses.run.Cursors(ctx, src)
}

func (r runners) Counts(source, target string) run.Counts {
	return r.s.events.buses.run.Counts(source, target)
}

func (r runners) Trial(ctx context.Context, src *plan.Source, replay string) *run.Trial {
	return r.s.events.buses.run.Trial(ctx, src, replay)
}

// calls have something called for SNS topics.
type calls struct{ s *Server }

func (c calls) Ready(ctx context.Context) error { return c.s.makeDeliveryTopics(ctx) }

func (c calls) Record(t *plan.Target, e *plan.Event, p plan.Payload) (*kgo.Record, error) {
	return delivery.Record(t, e, p)
}

// endpoints are those of buses and of SNS topics.
type endpoints struct{ s *Server }

func (e endpoints) of(key string) plan.Endpoints {
	if sns.Mine(key) {
		return e.s.events.buses.sns
	}
	return e.s.events.buses.bus
}

func (e endpoints) Endpoint(ctx context.Context, key string) (*plan.Endpoint, error) {
	return e.of(key).Endpoint(ctx, key)
}

func (e endpoints) Disable(ctx context.Context, key, why string) error {
	return e.of(key).Disable(ctx, key, why)
}

// Buses are the cluster's buses.
func (s *Server) Buses() *bus.Service { return s.events.buses.bus }

// Mappings have functions take from the cluster's queues and topics.
func (s *Server) Mappings() *mapping.Service { return s.events.buses.mappings }

// SNS are the cluster's SNS topics.
func (s *Server) SNS() *sns.Service { return s.events.buses.sns }

// lookback tells where events went.
func (s *Server) lookback() *lookback.Service {
	b := &s.events.buses
	return lookback.New(lookback.Options{
		Buses: b.bus, Topics: b.sns, Cursors: b.run.Cursors, Attempts: b.delivery.Attempts, Browse: s.events.queues.Browse,
		Client: s.eventClient, Partitions: s.partitionsOf, Now: s.o.Now,
	})
}
