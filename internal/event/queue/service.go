package queue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/produce"
	"ottla/internal/kafka/post"
	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/share"
	"ottla/internal/timer"
	"ottla/internal/uuid"
)

// Leases give out records wherever they are: kafka/queues.
type Leases interface {
	Near(p queues.Part) bool
	Take(ctx context.Context, p queues.Part, w queues.Want) (queues.Lease, error)
	Redeem(ctx context.Context, p queues.Part, words []share.Word) []error
	Survey(ctx context.Context, p queues.Part) (lead.Survey, error)
	Firsts(ctx context.Context, p queues.Part, of []lead.Written) ([]lead.First, error)
	Contents(ctx context.Context, p queues.Part, from int64, most int) (lead.Contents, error)
	Hold(ctx context.Context, p queues.Part, offsets []int64, w queues.Want) (queues.Held, error)
	Reset(ctx context.Context, p queues.Part) error
	Forget(ctx context.Context, p queues.Part) error
	Watch(ctx context.Context, parts []queues.Part)
}

// Objects are where definitions are kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	Remove(ctx context.Context, o object.Object) error
	Get(ctx context.Context, ref name.Ref) (object.Object, error)
	Current(ctx context.Context, ref name.Ref) (object.Object, error)
	Peek(ref name.Ref) (object.Object, bool)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error)
	HolderOf(ctx context.Context, topic string, but name.Ref) (name.Ref, bool, error)
	Watch(begin name.Ref, tell func(object.News)) func()
}

// Options make a Service.
type Options struct {
	Objects Objects
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	Leases Leases
	// Partitions are those that this node leads: messages go into them without a
	// detour. nil: all go by Client.
	Partitions post.Partitions
	// MostBytes is what a batch of a topic may have; nil: all take any message.
	MostBytes func(topic string) int
	// Image is the metadata that this node serves by.
	Image func() *metadata.Image
	// Timers keep delayed messages; nil: delays are refused.
	Timers timer.Timers
	// Now is the domain clock; nil is the real time.
	Now    func() time.Time
	NodeID int32
	Logger *slog.Logger
	// Metrics count what doors do, by queue; nil counts nothing.
	Metrics *metric.Registry
}

// Service is all queues. Its methods may be called from any goroutine.
type Service struct {
	o       Options
	ctx     context.Context // of moves; ended by Close
	cancel  context.CancelFunc
	working sync.WaitGroup
	taker   uint64        // the holder of what Take takes, which may be returned unseen
	turn    atomic.Uint32 // with which partition a Take begins
	sends   atomic.Uint32 // where messages without a key go
	ahead   atomic.Int64  // metadata up to here were waited for in vain, see follow

	attempts attempts
	known    known
	firsts   firsts
	counts   counters
	client   *produce.Client // asks and orders
	revising sync.Mutex      // one letter is mended at a time; held until that is durable

	mu     sync.Mutex         // guards all below
	sender *producer          // the newest; nil before there is one
	key    []byte             // receipts are made with it
	moves  map[string]*moving // that this node carries out
	tasks  map[string]task    // that are under way anywhere
	closed bool
}

// New makes a service; Close must follow. It costs nothing before it is used.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, client: produce.New(o.Client), taker: holderOf("take." + newID()), moves: map[string]*moving{}, tasks: map[string]task{}}
	s.counts = countersOf(o.Metrics)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends moves, which go on at the next start, and waits.
func (s *Service) Close() {
	s.cancel()
	s.working.Wait()
	s.mu.Lock()
	sender := s.sender
	s.closed, s.sender = true, nil
	s.mu.Unlock()
	s.client.Close()
	if sender != nil {
		sender.c.Close()
	}
}

func (s *Service) nowMs() int64 { return s.o.Now().UnixMilli() }

// kafka gives the client that asks and orders.
func (s *Service) kafka() (*kgo.Client, error) {
	c, err := s.client.Kafka()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return c, nil
}

// secret gives the key that receipts are made with, the same at every node.
func (s *Service) secret(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	key := s.key
	s.mu.Unlock()
	if key != nil {
		return key, nil
	}
	ref := name.Of(name.System, "receipts")
	o, err := s.o.Objects.Get(ctx, ref)
	if errors.Is(err, object.ErrNotFound) {
		drawn := make([]byte, keySize)
		rand.Read(drawn) // it does not fail
		spec, merr := json.Marshal(drawn)
		if merr != nil {
			return nil, fmt.Errorf("make the key of receipts: %w", merr)
		}
		if o, err = s.o.Objects.Put(ctx, object.Object{Ref: ref, Spec: spec}); errors.Is(err, object.ErrConflict) {
			o, err = s.o.Objects.Get(ctx, ref)
		}
	}
	if err == nil {
		err = json.Unmarshal(o.Spec, &key)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the key of receipts: %w", ErrUnavailable, err)
	}
	s.mu.Lock()
	s.key = key
	s.mu.Unlock()
	return key, nil
}

// open finds a queue and what it is made of.
func (s *Service) open(ctx context.Context, ref Ref) (*opened, error) {
	q, err := s.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	s.follow(ctx, &q)
	t := s.o.Image().TopicByName(q.Topic)
	if t == nil {
		return nil, fmt.Errorf("%w: %s: its topic %s is not there (any more)", ErrUnavailable, ref.Full(), q.Topic)
	}
	key, err := s.secret(ctx)
	if err != nil {
		return nil, err
	}
	return &opened{Queue: q, topic: t, key: key}, nil
}

// opened is a queue with what it is made of.
type opened struct {
	Queue
	topic *metadata.Topic
	key   []byte // of receipts
}

func (q *opened) part(i int) queues.Part {
	return queues.Part{Group: q.Group, Topic: q.topic.ID, Index: int32(i)}
}

// parts are the queue's share-partitions.
func (q *opened) parts() []queues.Part {
	out := make([]queues.Part, len(q.topic.Partitions))
	for i := range out {
		out[i] = q.part(i)
	}
	return out
}

// newID draws an identifier, which never begins as a flag does: it is an argument
// of commands.
func newID() string {
	id, _ := uuid.New(rand.Reader) // that reader does not fail
	return id.String()
}

// API is what doors need of a Service. (aws and rest may declare narrower
// interfaces of their own.)
type API interface {
	Create(ctx context.Context, ref Ref, spec Spec) (q Queue, created bool, err error)
	Get(ctx context.Context, ref Ref) (Queue, error)
	// List gives the queues whose names begin with prefix.Name, by name, after
	// the one named after; next is to go on after, "" at the end.
	List(ctx context.Context, prefix Ref, after string, most int) (queues []Queue, next string, err error)
	Update(ctx context.Context, ref Ref, change func(*Spec) error) (Queue, error)
	Delete(ctx context.Context, ref Ref) error
	Purge(ctx context.Context, ref Ref) error
	Stats(ctx context.Context, ref Ref) (Stats, error)
	// SourcesOf lists the queues whose DeadLetter a queue is, like List.
	SourcesOf(ctx context.Context, ref Ref, after string, most int) (queues []Queue, next string, err error)

	Send(ctx context.Context, ref Ref, messages []Message) ([]Sent, error)
	Take(ctx context.Context, ref Ref, o TakeOptions) ([]Taken, error)
	Ack(ctx context.Context, ref Ref, receipts []string) []error
	Nack(ctx context.Context, ref Ref, nacks []Nack) []error
	Extend(ctx context.Context, ref Ref, extensions []Extension) []error
	Reject(ctx context.Context, ref Ref, receipts []string) []error

	StartMove(ctx context.Context, from Ref, to *Ref, ratePerSecond int32) (Move, error)
	CancelMove(ctx context.Context, handle string) (Move, error)
	ListMoves(ctx context.Context, from Ref, most int) ([]Move, error)
}

var _ API = (*Service)(nil)
