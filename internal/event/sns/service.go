package sns

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
	"ottla/internal/event/produce"
	"ottla/internal/event/seal"
	"ottla/internal/metric"
)

// Objects are where definitions are kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	PutUnder(ctx context.Context, o, owner object.Object) (object.Object, error)
	Remove(ctx context.Context, o object.Object) error
	Get(ctx context.Context, ref name.Ref) (object.Object, error)
	Current(ctx context.Context, ref name.Ref) (object.Object, error)
	Peek(ref name.Ref) (object.Object, bool)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error)
	HolderOf(ctx context.Context, topic string, but name.Ref) (name.Ref, bool, error)
	Watch(begin name.Ref, tell func(object.News)) func()
}

// Calls are where deliveries over HTTP are put down (event/delivery).
type Calls interface {
	// Ready makes what that needs, and returns when it serves.
	Ready(ctx context.Context) error
	// Record makes the record that has an event delivered, to be dated by the domain
	// clock.
	Record(t *plan.Target, e *plan.Event, p plan.Payload) (*kgo.Record, error)
}

// Options make a Service.
type Options struct {
	Objects Objects
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Exists tells whether there is a topic of Kafka's.
	Exists func(topic string) bool
	// MostBytes is what a batch of a topic of Kafka's that is there may have; nil: what
	// those may that this package makes.
	MostBytes func(topic string) int
	// Calls bring requests to confirm to their addresses; nil: there are no
	// subscriptions of addresses and functions.
	Calls Calls
	// Base is where this node's HTTP port is, for subscriptions of which nobody knows
	// by what address the cluster was reached.
	Base func() string
	// Applied returns when who runs a source goes by a rule of it, at its version or a later
	// one; nil: nobody is waited for.
	Applied func(ctx context.Context, src *plan.Source, rule *plan.Rule) error
	// Changed is told, from goroutines of the store, that Sources are others now; nil
	// for nobody. It must be quick.
	Changed func()
	// Called is told likewise of the key of a target that is called, whose endpoint has
	// changed or is no more.
	Called func(key string)
	// Now is the domain clock; nil is the real time.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *metric.Registry
}

// Service is all topics. Its methods may be called from any goroutine.
type Service struct {
	o       Options
	ctx     context.Context // of what is done in the background; ended by Close
	cancel  context.CancelFunc
	working sync.WaitGroup
	client  *produce.Client // writes and makes topics
	signer  signer
	view    *view
	unwatch []func()
	// published and refused count messages, by topic.
	published, refused *metric.Counters
}

// New makes a service; Close must follow. Nothing is made or read before it is used.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Base == nil {
		o.Base = func() string { return "http://localhost:8080" }
	}
	s := &Service{o: o, published: o.Metrics.Counters("ottla_sns_published_total", 200), refused: o.Metrics.Counters("ottla_sns_published_failed_total", 200)}
	s.client = produce.New(o.Client, produce.AtOnce(s.mostBytes)...)
	s.view, s.signer.o, s.signer.box = newView(s), &s.o, seal.New(o.Objects)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, begin := range []name.Ref{{Kind: name.SNS}, {Kind: name.Subscription}} {
		s.unwatch = append(s.unwatch, o.Objects.Watch(begin, s.view.news))
	}
	return s
}

// Close stops the service.
func (s *Service) Close() {
	for _, end := range s.unwatch {
		end()
	}
	s.cancel()
	s.working.Wait()
	s.client.Close()
}

func (s *Service) nowMs() int64 { return s.o.Now().UnixMilli() }

// recordOverhead is what a record may have beside what counts of a message: names of
// headers, their lengths, ids.
const recordOverhead = 64 << 10

// kafka gives the client that makes topics.
func (s *Service) kafka() (*kgo.Client, error) {
	c, err := s.client.Kafka()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return c, nil
}

// mostBytes is what a batch of a topic of Kafka's may have. One that this node has not
// heard of yet was just made, for a topic.
func (s *Service) mostBytes(topic string) int {
	if topic == "" || s.o.MostBytes == nil || !s.o.Exists(topic) {
		return mostRecord
	}
	return s.o.MostBytes(topic)
}
