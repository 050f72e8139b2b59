package mapping

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
	"ottla/internal/event/queue"
	"ottla/internal/metric"
)

// Objects are where definitions are kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	Delete(ctx context.Context, ref name.Ref, version int64) error
	Get(ctx context.Context, ref name.Ref) (object.Object, error)
	Current(ctx context.Context, ref name.Ref) (object.Object, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error)
	Watch(begin name.Ref, tell func(object.News)) func()
}

// Queues are where messages are taken, and dead letters put (event/queue).
type Queues interface {
	Get(ctx context.Context, ref queue.Ref) (queue.Queue, error)
	TopicOf(ref queue.Ref) (string, bool)
	Take(ctx context.Context, ref queue.Ref, o queue.TakeOptions) ([]queue.Taken, error)
	Ack(ctx context.Context, ref queue.Ref, receipts []string) []error
	Extend(ctx context.Context, ref queue.Ref, extensions []queue.Extension) []error
	Nack(ctx context.Context, ref queue.Ref, nacks []queue.Nack) []error
	Send(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error)
}

// Functions calls what a file of the server declares (event/function).
type Functions interface {
	Has(name string) bool
	// Seats is how many calls of a function this node makes at once; Seat waits for one,
	// and gives what makes it.
	Seats(name string) int
	Seat(ctx context.Context, name string) (call func(ctx context.Context, event []byte) outbound.Answer, err error)
}

// Options make a Service.
type Options struct {
	Objects   Objects
	Queues    Queues
	Functions Functions
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Partitions tells how many partitions a topic has, 0 when there is none.
	Partitions func(topic string) int
	// Leads tells whether this node leads a partition.
	Leads func(topic string, partition int32) bool
	// Address is where Kafka clients find the cluster, told to functions.
	Address func() string
	// Now is the domain clock.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *metric.Registry
}

// Service is all mappings. Its methods may be called from any goroutine.
type Service struct {
	o       Options
	count   counters
	board   *board
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	unwatch []func()
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	known   map[string]*Mapping
	runners map[string]*runner
	closed  bool
}

// counters are what is measured.
type counters struct{ taken, filtered, calls, failed, lettered, dropped *metric.Counter }

// New makes a service; Close must follow. Nothing is made or read before there is a
// mapping.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, board: newBoard(), known: map[string]*Mapping{}, runners: map[string]*runner{}}
	s.count = counters{
		taken: o.Metrics.Counter("ottla_mapping_taken_total"), calls: o.Metrics.Counter("ottla_mapping_calls_total"),
		failed: o.Metrics.Counter("ottla_mapping_calls_failed_total"), lettered: o.Metrics.Counter("ottla_mapping_dead_letters_total"),
		dropped: o.Metrics.Counter("ottla_mapping_dropped_total"), filtered: o.Metrics.Counter("ottla_mapping_filtered_total"),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.unwatch = []func(){
		o.Objects.Watch(name.Ref{Kind: name.Mapping}, s.news), o.Objects.Watch(name.Ref{Kind: name.Queue}, s.newsOfQueue),
	}
	return s
}

// Close ends all mappings on this node, and waits. Calls that are under way are cut, and
// made again by whoever goes on.
func (s *Service) Close() {
	for _, end := range s.unwatch {
		end()
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
}

// news takes up what has become of a mapping.
func (s *Service) news(n object.News) {
	m, err := mappingOf(&n.Object)
	if err != nil {
		s.o.Logger.Error("a mapping cannot be read and is not carried out", "mapping", n.Object.Ref.Name, "err", err)
	}
	s.mu.Lock()
	if key := n.Object.Ref.Key(); n.Deleted || err != nil {
		delete(s.known, key)
	} else {
		s.known[key] = &m
	}
	s.mu.Unlock()
	s.Look()
}

// newsOfQueue takes up that a queue may have another topic.
func (s *Service) newsOfQueue(n object.News) {
	s.mu.Lock()
	wanted := false
	for _, m := range s.known {
		of, is := m.Queue()
		wanted = wanted || is && of.Full() == n.Object.Ref
	}
	s.mu.Unlock()
	if wanted {
		s.Look()
	}
}

// Look has this node carry out the mappings whose sources it leads, as they are now. It
// is called when leaders and topics have changed, and returns at once.
func (s *Service) Look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, r := range s.runners {
		switch m := s.known[key]; { // one that ends is looked at again then
		case m == nil || m.ID != r.m.ID || m.Version != r.m.Version:
			r.stop()
		case !s.mine(m):
			r.cut() // somebody else goes on
		default:
			r.ring()
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.known)) {
		m := s.known[key]
		if s.closed || s.runners[key] != nil || !s.mine(m) {
			continue
		}
		r := newRunner(s, m)
		s.runners[key] = r
		s.running.Go(func() {
			r.run()
			s.mu.Lock()
			delete(s.runners, key)
			s.mu.Unlock()
			s.Look()
		})
	}
}

// mine tells whether this node is to carry a mapping out: it leads the first partition
// of the source's topic.
func (s *Service) mine(m *Mapping) bool {
	if topic, ok := m.Topic(); ok {
		return s.o.Partitions(topic) > 0 && s.o.Leads(topic, 0)
	}
	of, _ := m.Queue()
	topic, there := s.o.Queues.TopicOf(of)
	return there && s.o.Leads(topic, 0)
}

// stands tells whether a mapping, maybe changed meanwhile, is still there.
func (s *Service) stands(m *Mapping) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.known[m.Ref.Key()]
	return now != nil && now.ID == m.ID
}
