package tail

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/place"
	"ottla/internal/event/produce"
)

// What can be wrong, for errors.Is.
var (
	// ErrNotFound: there is no such topic, and none is made.
	ErrNotFound = errors.New("there is no such topic")
	// ErrInvalid: it cannot be so, whoever asks.
	ErrInvalid = errors.New("it cannot be")
	// ErrTooLarge: a record is larger than the topic takes.
	ErrTooLarge = errors.New("the record is too large")
	// ErrBusy: as many wait for records as may.
	ErrBusy = errors.New("too many wait for records already")
	// ErrUnavailable: not now; try again.
	ErrUnavailable = errors.New("the topic cannot be reached at the moment")
)

// MaxRecord bounds a record's value, whatever its topic takes.
const MaxRecord = 8 << 20

// deliverWithin is how long a record is tried to be written.
const deliverWithin = 30 * time.Second

// Options make a Service.
type Options struct {
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Partitions tells how many partitions a topic has, 0 when there is none.
	Partitions func(topic string) int
	// MostStreams bounds the readers that wait for records at once; 0 is 1,000. Each
	// has connections of its own, for a fetch that waits holds up others behind it.
	MostStreams int
	Now         func() time.Time // nil is the real time
}

// Service writes and reads. Its methods may be called from any goroutine. Nothing is
// made before it is needed.
type Service struct {
	o       Options
	streams atomic.Int64

	client *produce.Client // writes, and reads what does not wait
	large  *produce.Client // writes records that fill a batch each, and may be as large as the topic takes
	single turns           // of topics that large writes to
}

// New makes a service; Close must follow.
func New(o Options) *Service {
	if o.MostStreams <= 0 {
		o.MostStreams = 1000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	where := kgo.RecordPartitioner(place.Partitioner())
	return &Service{o: o, client: produce.New(o.Client, where), large: produce.New(o.Client, where, kgo.ProducerBatchMaxBytes(MaxRecord+(1<<20)))}
}

// Close ends what is written and read; streams are closed by who has them.
func (s *Service) Close() {
	s.client.Close()
	s.large.Close()
}

// shared is the client that reads what does not wait.
func (s *Service) shared() (*kgo.Client, error) {
	c, err := s.client.Kafka()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return c, nil
}

// Now is what places in time go by.
func (s *Service) Now() time.Time { return s.o.Now() }

// There tells whether a topic is there, and makes none: ErrNotFound where it is not.
func (s *Service) There(ctx context.Context, topic string) error {
	_, err := s.partitions(ctx, topic, false)
	return err
}

// partitions tells how many partitions a topic has. A topic that is to be written to
// is made, where the cluster makes topics by itself.
func (s *Service) partitions(ctx context.Context, topic string, write bool) (int, error) {
	if n := s.o.Partitions(topic); n > 0 {
		return n, nil
	}
	c, err := s.shared()
	if err != nil {
		return 0, err
	}
	for {
		req := kmsg.NewPtrMetadataRequest()
		row := kmsg.NewMetadataRequestTopic()
		row.Topic = &topic
		req.Topics, req.AllowAutoTopicCreation = append(req.Topics, row), write
		resp, err := req.RequestWith(ctx, c)
		if err != nil {
			return 0, unavailable(topic, err)
		}
		var refused error
		for _, t := range resp.Topics {
			if refused = kerr.ErrorForCode(t.ErrorCode); refused == nil && len(t.Partitions) > 0 {
				return len(t.Partitions), nil
			}
		}
		switch {
		case errors.Is(refused, kerr.LeaderNotAvailable): // it is being made
		case errors.Is(refused, kerr.UnknownTopicOrPartition):
			return 0, fmt.Errorf("topic %s: %w", topic, ErrNotFound)
		case errors.Is(refused, kerr.InvalidTopicException):
			return 0, fmt.Errorf("topic %.80q: %w: topics are called with letters, digits, . _ and -, at most 249", topic, ErrInvalid)
		case refused != nil:
			return 0, unavailable(topic, refused)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return 0, unavailable(topic, ctx.Err())
		}
	}
}

func unavailable(topic string, err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("topic %s: %w: %w", topic, ErrUnavailable, err)
}

// resolve turns a From into a cursor, within what the topic has.
func (s *Service) resolve(ctx context.Context, c *kgo.Client, topic string, from From) (begin Cursor, ends map[int32]int64, err error) {
	n, err := s.partitions(ctx, topic, false)
	if err != nil {
		return nil, nil, err
	}
	a := kadm.NewClient(c)
	last, err := listed(a.ListCommittedOffsets(ctx, topic))
	if err != nil {
		return nil, nil, unavailable(topic, err)
	}
	first, err := listed(a.ListStartOffsets(ctx, topic))
	if err != nil {
		return nil, nil, unavailable(topic, err)
	}
	var times kadm.ListedOffsets
	if from.Kind == At {
		if times, err = listed(a.ListOffsetsAfterMilli(ctx, from.Time.UnixMilli(), topic)); err != nil {
			return nil, nil, unavailable(topic, err)
		}
	}
	begin, ends = Cursor{}, map[int32]int64{}
	for p := range int32(n) {
		end, ok := last.Lookup(topic, p)
		start, _ := first.Lookup(topic, p)
		if !ok {
			return nil, nil, unavailable(topic, fmt.Errorf("nobody tells of partition %d", p))
		}
		at, _ := times.Lookup(topic, p)
		begin[p], ends[p] = from.in(p, start.Offset, end.Offset, at.Offset), end.Offset
	}
	return begin, ends, nil
}

func listed(all kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
	if err == nil {
		err = all.Error()
	}
	return all, err
}

// in is the offset in a partition that has records from start to end, and from a time
// on those at at.
func (f From) in(p int32, start, end, at int64) int64 {
	n := start
	switch f.Kind {
	case Start:
	case End:
		n = end
	case Offset:
		n = f.N
	case Before:
		n = end - f.N
	case At:
		if n = end; at >= 0 {
			n = at
		}
	case Exact:
		n = f.Cursor[p]
	}
	return min(max(n, start), end)
}
