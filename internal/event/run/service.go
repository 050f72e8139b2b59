package run

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run/course"
	"ottla/internal/metric"
)

const (
	// StateTopic has what runners remember (compacted).
	StateTopic = "__ottla_bus_state"
	// Partitions is how many it is made with.
	Partitions = 4
)

// Sources publish what runners read (event/bus, event/sns).
type Sources interface {
	// Sources are those that have rules or replays, as this node knows them now.
	Sources() []*plan.Source
	// Current returns when what was stored anywhere before is in Sources.
	Current(ctx context.Context) error
}

// Queues tell how messages lie in the topics of queues (event/queue).
type Queues interface {
	Records(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]*kgo.Record, error)
	// Send is asked where Records says queue.ErrDelays.
	Send(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error)
}

// Place is what is known of a topic.
type Place struct {
	ID         string
	Partitions int
	// MaxBytes is max.message.bytes.
	MaxBytes int32
	// Ill is why nothing can be written there now, nil when it can: a partition
	// without a leader, or with fewer replicas in sync than it asks for.
	Ill error
}

// Options make a Service.
type Options struct {
	Sources []Sources
	Queues  Queues
	// TopicOf is the topic of a bus or an SNS topic; false where there is none.
	TopicOf func(ref name.Ref) (string, bool)
	// Gone tells whether there is no such queue, bus or SNS topic, by all that was
	// stored anywhere before; nil takes what is not there for what this node has not
	// heard of yet.
	Gone func(ctx context.Context, ref name.Ref) (bool, error)
	// Deliver makes the parcel of an event for an address or a function
	// (event/delivery); nil refuses such targets.
	Deliver func(t *plan.Target, e *plan.Event, p plan.Payload) (*kgo.Record, error)
	// Publish makes the record of an event for an SNS topic (event/sns), whose Topic
	// is set; nil refuses such targets.
	Publish func(t *plan.Target, e *plan.Event, p plan.Payload) (*kgo.Record, error)
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Topic tells of a topic; false when there is none.
	Topic func(name string) (Place, bool)
	// Leads tells whether this node leads a partition.
	Leads func(topic string, partition int32) bool
	// Parcels is the topic that Deliver's records go to.
	Parcels string
	// Create makes StateTopic, and where something is to be called what that needs,
	// as far as they are not there, and returns when they serve. It is asked once a
	// source has rules, or targets of Kind Call.
	Create func(ctx context.Context, calls bool) error
	// Now is the domain clock, which may be moved: see Settle.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *metric.Registry
	// Patience is how long the pass waits for a target's topic; 0 is a second.
	Patience time.Duration
}

// Service runs the sources whose partitions this node leads. Its methods may be called
// from any goroutine.
type Service struct {
	o       Options
	count   counters
	mirror  *mirror
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	running sync.WaitGroup
	bell    chan struct{} // leaders or sources have changed

	mu      sync.Mutex // guards what follows
	runners map[course.Seat]*runner
	swept   map[int32]bool // partitions of StateTopic; see sweep
	making  bool           // StateTopic is being made
	closed  bool
}

// New makes a service; Close must follow. Nothing is made or read before a source has
// rules.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Patience == 0 {
		o.Patience = time.Second
	}
	s := &Service{o: o, count: countersOf(o.Metrics), runners: map[course.Seat]*runner{}, swept: map[int32]bool{}, bell: make(chan struct{}, 1)}
	s.mirror = newMirror(&s.o)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.running.Go(func() {
		for {
			select {
			case <-s.ctx.Done():
				return
			case <-s.bell:
				s.look()
			}
		}
	})
	return s
}

// Look has the runners go by leaders and sources as they are now: it is called whenever
// these change, from anywhere, and returns at once.
func (s *Service) Look() { ring(s.bell) }

// look starts runners for partitions that this node has come to lead, gives those that
// run the sources as they are, and stops those of others.
func (s *Service) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	there := map[course.Seat]bool{}
	for _, from := range s.o.Sources {
		for _, src := range from.Sources() {
			if len(src.Rules)+len(src.Replays) > 0 {
				s.lookAt(src, there)
			}
		}
	}
	for seat, r := range s.runners {
		if !there[seat] {
			r.gone.Store(s.published(seat.Source) == nil)
			r.stop()
			delete(s.runners, seat)
		}
	}
	s.sweepSome()
}

// lookAt is Look for one source. mu held.
func (s *Service) lookAt(src *plan.Source, there map[course.Seat]bool) {
	topic, ok := s.o.Topic(src.Topic)
	if !ok {
		return
	}
	calls := s.o.Parcels != "" && !s.made(true) && callsSome(src) // all rules are looked at as long as it matters
	if !s.made(calls) {
		for seat := range s.runners { // who runs it goes on as it is until then
			there[seat] = there[seat] || seat.Source == src.ID && s.o.Leads(src.Topic, seat.Partition)
		}
		s.make(calls)
		return
	}
	state, _ := s.o.Topic(StateTopic)
	for p := range int32(topic.Partitions) {
		if !s.o.Leads(src.Topic, p) {
			continue
		}
		seat := course.Seat{Source: src.ID, Partition: p}
		there[seat] = true
		r := s.runners[seat]
		if r != nil && r.topic != src.Topic {
			r.stop()
			r = nil
		}
		if r == nil {
			r = newRunner(s, seat, src, seatPartition(seat.Key(), state.Partitions))
			s.runners[seat] = r
			s.running.Go(r.run)
		}
		r.publish(src)
	}
}

// makePause is how long it is waited before StateTopic is made again.
const makePause = 250 * time.Millisecond

// callsSome tells whether a source has targets that are called.
func callsSome(src *plan.Source) bool {
	for _, r := range src.Rules {
		if slices.ContainsFunc(r.Targets, isCall) {
			return true
		}
	}
	return slices.ContainsFunc(src.Replays, func(r *plan.Replay) bool { return r.Only != nil && slices.ContainsFunc(r.Only.Targets, isCall) })
}

func isCall(g *plan.Target) bool { return g.To.Kind == plan.Call }

// made tells whether the topics are there that runners need.
func (s *Service) made(calls bool) bool {
	_, state := s.o.Topic(StateTopic)
	if !calls {
		return state
	}
	_, parcels := s.o.Topic(s.o.Parcels)
	return state && parcels
}

// make has topics made, then looked again. mu held.
func (s *Service) make(calls bool) {
	if s.making {
		return
	}
	s.making = true
	s.running.Go(func() {
		for s.ctx.Err() == nil {
			err := s.o.Create(s.ctx, calls)
			if err == nil && s.made(calls) {
				break
			}
			if err != nil {
				s.o.Logger.Warn("buses do not run yet; it is tried again", "topic", StateTopic, "err", err)
			}
			select {
			case <-s.ctx.Done():
			case <-time.After(makePause):
			}
		}
		s.mu.Lock()
		s.making = false
		s.mu.Unlock()
		s.Look()
	})
}

// current returns when this node knows all sources that were stored before.
func (s *Service) current(ctx context.Context) error {
	for _, from := range s.o.Sources {
		if err := from.Current(ctx); err != nil {
			return err
		}
	}
	return nil
}

// published finds a source by its id, nil when it is not there any more.
func (s *Service) published(id string) *plan.Source {
	for _, from := range s.o.Sources {
		for _, src := range from.Sources() {
			if src.ID == id {
				return src
			}
		}
	}
	return nil
}

// named finds a source, nil when it is not there.
func (s *Service) named(ref name.Ref) *plan.Source {
	for _, from := range s.o.Sources {
		for _, src := range from.Sources() {
			if src.Ref == ref {
				return src
			}
		}
	}
	return nil
}

// Close stops all runners and waits for them.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	s.mirror.close()
}

func (s *Service) nowMs() int64 { return s.o.Now().UnixMilli() }

// errStopped is what those hear who wait for a runner that stops.
var errStopped = errors.New("the buses of this node are stopped")

// counters are what is measured.
type counters struct{ matched, delivered, letters, dropped, missed *metric.Counter }

func countersOf(m *metric.Registry) counters {
	return counters{
		matched: m.Counter("ottla_bus_events_matched_total"), delivered: m.Counter("ottla_bus_events_delivered_total"),
		letters: m.Counter("ottla_bus_dead_letters_total"), dropped: m.Counter("ottla_bus_events_dropped_total"),
		missed: m.Counter("ottla_bus_offsets_missed_total"),
	}
}
