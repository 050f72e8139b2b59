package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/metric"
)

// Topics of deliveries. All have the same partitions: what belongs to a target is in
// the same one of each. Their max.message.bytes must be MostRecord.
const (
	// Topic has what is to be delivered: a record for each event and target, in the
	// partition that the target's key hashes to (delete, five days).
	Topic = "__ottla_deliveries"
	// StateTopic has what is not finished, by target (compact).
	StateTopic = "__ottla_delivery_state"
	// AttemptsTopic has what was called and what came of it (delete, seven days).
	AttemptsTopic = "__ottla_attempts"
	// Partitions is how many they are made with.
	Partitions = 8
	// RetentionMs and AttemptsRetentionMs are how long Topic and AttemptsTopic keep.
	RetentionMs         = 5 * 24 * 3600_000
	AttemptsRetentionMs = 7 * 24 * 3600_000
)

// Queues tell how messages lie in the topics of queues (event/queue).
type Queues interface {
	// Records makes messages to the records that they are in the queue's topic, to
	// be written in a transaction of the caller's.
	Records(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]*kgo.Record, error)
}

// Caller calls addresses (event/outbound).
type Caller interface {
	Do(ctx context.Context, r outbound.Request) outbound.Answer
}

// Functions calls what a file of the server declares (event/function).
type Functions interface {
	// Seats is how many calls of a function this node makes at once, 0 when there is
	// none. Seat waits for one, and gives what has the function take an event: its answer
	// is an HTTP server's, 200 with a body, or an error. That must be called once.
	Seats(name string) int
	Seat(ctx context.Context, name string) (call func(ctx context.Context, event []byte) outbound.Answer, err error)
}

// Options make a Service.
type Options struct {
	// Endpoints know the targets, and tell at once. What they call plan.ErrGone is
	// dropped, if they still do when Current has returned: then they know everything
	// that was defined before it was called. nil: they always do.
	Endpoints plan.Endpoints
	Current   func(ctx context.Context) error
	Queues    Queues
	// Ill tells why a queue's topic takes no records at the moment; nil for all do.
	Ill       func(topic string) error
	HTTP      Caller
	Functions Functions // nil: there are none
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Partitions tells how many partitions a topic has, 0 when there is none.
	Partitions func(topic string) int
	// Leads tells whether this node leads a partition.
	Leads func(topic string, partition int32) bool
	// Now is the domain clock, which may be moved: see Settle and NextMs.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *metric.Registry
}

// Service delivers what lies in the partitions of Topic that this node leads. Its
// methods may be called from any goroutine.
type Service struct {
	o      Options
	count  counters
	ctx    context.Context // ended by Close
	cancel context.CancelFunc

	mu      sync.Mutex // guards what follows
	runners map[int32]*runner
	closed  bool
	running sync.WaitGroup
}

// counters are what is measured.
type counters struct{ delivered, attempts, failed, lettered, dropped *metric.Counter }

// New makes a service; Close must follow. Nothing is made or read before Topic is
// there: whoever has something delivered makes the three topics first.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, runners: map[int32]*runner{}}
	s.count = counters{
		delivered: o.Metrics.Counter("ottla_delivery_delivered_total"), attempts: o.Metrics.Counter("ottla_delivery_attempts_total"),
		failed: o.Metrics.Counter("ottla_delivery_attempts_failed_total"), lettered: o.Metrics.Counter("ottla_delivery_dead_letters_total"),
		dropped: o.Metrics.Counter("ottla_delivery_dropped_total"),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.Look()
	return s
}

// Look starts runners for partitions that this node has come to lead, and stops
// those of others. It is called whenever leaders change, and returns at once.
func (s *Service) Look() {
	partitions := s.o.Partitions(Topic)
	if partitions == 0 || s.o.Partitions(StateTopic) != partitions || s.o.Partitions(AttemptsTopic) != partitions {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range int32(partitions) {
		r, leads := s.runners[p], s.o.Leads(Topic, p)
		switch {
		case s.closed:
		case leads && r == nil:
			r = newRunner(s, p)
			s.runners[p] = r
			s.running.Go(r.run)
		case !leads && r != nil:
			r.stop()
			delete(s.runners, p)
		}
	}
}

// Changed has a target looked at again whose endpoint has changed, or is no more.
func (s *Service) Changed(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runners { // one of them has it
		r.mark(key)
	}
}

// Close stops all deliveries and waits. Calls that are under way are cut, and made
// again by whoever leads next.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
}

func (s *Service) nowMs() int64 { return s.o.Now().UnixMilli() }

// errStopped is what those hear who wait for a runner that stops.
var errStopped = errors.New("the deliveries of this node are stopped")
