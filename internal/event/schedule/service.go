package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
	"ottla/internal/event/queue"
	"ottla/internal/event/sns"
	"ottla/internal/metric"
	"ottla/internal/timer"
)

// Topics of schedules. Both have the same partitions: a schedule is in the same
// one of each.
const (
	// StateTopic has what has happened to each schedule (compacted).
	StateTopic = "__ottla_schedules"
	// WakeTopic has the keys of schedules that are to be looked at.
	WakeTopic = "__ottla_schedule_wakes"
	// Partitions is how many both are made with.
	Partitions = 4
)

// Objects are where definitions are kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	Delete(ctx context.Context, ref name.Ref, version int64) error
	DeleteOnce(ctx context.Context, ref name.Ref, version int64, token string) error
	DeletedBy(ctx context.Context, ref name.Ref, token string) (bool, error)
	Get(ctx context.Context, ref name.Ref) (object.Object, error)
	Current(ctx context.Context, ref name.Ref) (object.Object, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error)
	Watch(begin name.Ref, tell func(object.News)) func()
}

// Timers wake schedules (kafka/timers).
type Timers interface {
	Set(ctx context.Context, timers []timer.Timer) []error
	Cancel(ctx context.Context, keys []string) []error
}

// Queues tell how messages lie in the topics of queues (event/queue).
type Queues interface {
	// Records makes messages to the records that they are in the queue's topic,
	// to be written in a transaction of the caller's. A record whose Partition
	// is below 0 goes where its key says.
	// queue.ErrDelays says that Send has to be asked.
	Records(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]*kgo.Record, error)
	// Send sends messages.
	Send(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error)
}

// Buses tell how events lie in the topics of buses (event/bus).
type Buses interface {
	// Record makes the record by which an event is put into a bus, to be written in a
	// transaction of the caller's. ErrRefused is final.
	Record(ctx context.Context, bus name.Ref, e *envelope.Event) (*kgo.Record, error)
}

// Notices tell how messages lie in the topics of SNS topics (event/sns).
type Notices interface {
	// RecordOf makes the record by which a message is published, likewise. Its id
	// follows from delivery, and group is its group where the topic is FIFO and it
	// says none.
	RecordOf(topic name.Ref, m sns.Message, delivery, group string) (*kgo.Record, error)
}

// Functions are those that the server's file declares (event/function).
type Functions interface {
	Has(name string) bool
	// Seat waits until a function may be called; what it gives is called once.
	Seat(ctx context.Context, name string) (call func(ctx context.Context, event []byte) outbound.Answer, err error)
	// Deadline is how long a call may take.
	Deadline(name string) time.Duration
}

// Caller calls addresses (event/outbound).
type Caller interface {
	Do(ctx context.Context, r outbound.Request) outbound.Answer
}

// Options make a Service.
type Options struct {
	Objects Objects
	Timers  Timers
	Queues  Queues
	HTTP    Caller
	// Buses, Notices and Functions may be nil: there are none then.
	Buses     Buses
	Notices   Notices
	Functions Functions
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Partitions tells how many partitions a topic has, 0 when there is none.
	Partitions func(topic string) int
	// MostBytes tells what a batch of a topic may have, 0 where that is not known.
	// nil: it never is.
	MostBytes func(topic string) int
	// Leads tells whether this node leads a partition.
	Leads func(topic string, partition int32) bool
	// Create makes StateTopic and WakeTopic where they are not there, and
	// returns when they serve.
	Create func(ctx context.Context) error
	// Now is the domain clock, which may be moved: see Settle.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *metric.Registry
}

// Service keeps schedules, and runs those whose partitions this node leads. Its
// methods may be called from any goroutine.
type Service struct {
	o       Options
	count   counters
	view    *view
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	unwatch func()

	mu      sync.Mutex // guards what follows
	runners map[int32]*runner
	closed  bool
	running sync.WaitGroup
}

// counters are what is measured.
type counters struct{ runs, failed, skipped, attempts *metric.Counter }

// New makes a service; Close must follow. Nothing is made or read before there is
// a schedule.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, view: newView(), runners: map[int32]*runner{}}
	s.count = counters{
		runs: o.Metrics.Counter("ottla_schedule_runs_total"), failed: o.Metrics.Counter("ottla_schedule_runs_failed_total"),
		skipped: o.Metrics.Counter("ottla_schedule_runs_skipped_total"), attempts: o.Metrics.Counter("ottla_schedule_http_attempts_total"),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.unwatch = o.Objects.Watch(name.Ref{Kind: name.Schedule}, s.news)
	s.Look()
	return s
}

// news takes up what happened to a definition, and has its runner look at it.
func (s *Service) news(n object.News) {
	key := n.Object.Ref.Key()
	if n.Deleted {
		s.view.remove(key)
	} else {
		d, err := scheduleOf(n.Object)
		if s.view.put(key, d, err); err != nil {
			s.o.Logger.Error("a schedule cannot be read and does not run", "schedule", n.Object.Ref.Name, "err", err)
		}
	}
	s.Look()
	partitions := s.o.Partitions(StateTopic)
	if partitions == 0 {
		return
	}
	s.mu.Lock()
	r := s.runners[partitionOf(key, partitions)]
	s.mu.Unlock()
	if r != nil {
		r.mark(key)
	}
}

// Look starts runners for partitions that this node has come to lead, and stops
// those of others. It is called whenever leaders change, and returns at once.
func (s *Service) Look() {
	partitions := s.o.Partitions(StateTopic)
	if partitions == 0 || s.o.Partitions(WakeTopic) != partitions {
		return
	}
	wanted := !s.view.empty()
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range int32(partitions) {
		r, leads := s.runners[p], s.o.Leads(StateTopic, p)
		switch {
		case s.closed:
		case leads && r == nil && wanted:
			r = newRunner(s, p, partitions)
			s.runners[p] = r
			s.running.Go(func() { r.run() })
		case !leads && r != nil:
			r.stop()
			delete(s.runners, p)
		}
	}
}

// Close stops all runs and waits for them. Calls that are under way are cut, and
// made again by whoever runs their schedules next.
func (s *Service) Close() {
	s.unwatch()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
}

func (s *Service) nowMs() int64 { return s.o.Now().UnixMilli() }

// unavailable is what a caller hears who may try again.
func unavailable(what string, err error) error {
	return fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
}

// objectError says of an error of the store what it means for a schedule.
func objectError(of name.Ref, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, object.ErrNotFound):
		return fmt.Errorf("%s: %w", of, ErrNotFound)
	case errors.Is(err, object.ErrConflict):
		return fmt.Errorf("%s: %w", of, ErrConflict)
	case errors.Is(err, object.ErrTooLarge):
		return because("target", err)
	}
	return unavailable(of.String(), err)
}
