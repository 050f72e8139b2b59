package lookback

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/delivery"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run"
	"ottla/internal/event/sns"
)

// ErrNotFound says that no event of that id is among those that were looked at.
var ErrNotFound = errors.New("no such event was found")

// Buses are what is defined (event/bus).
type Buses interface {
	Current(ctx context.Context) error
	Source(ref name.Ref) (*plan.Source, bool)
	Get(ctx context.Context, ref bus.Ref) (bus.Bus, error)
	List(ctx context.Context, prefix bus.Ref, after string, most int) (out []bus.Bus, next string, err error)
	Rules(ctx context.Context, of bus.Ref, prefix, after string, most int) (out []bus.Rule, next string, err error)
}

// Topics are SNS topics and who subscribes to them (event/sns).
type Topics interface {
	Current(ctx context.Context) error
	Sources() []*plan.Source
	TopicOf(ref name.Ref) (string, bool)
	List(ctx context.Context, begin name.Ref, after string, most int) (out []sns.Topic, next string, err error)
	Subscriptions(ctx context.Context, of name.Ref, topic bool, after string, most int) (out []sns.Subscription, next string, err error)
}

// Options make a Service.
type Options struct {
	Buses  Buses
	Topics Topics // nil for none
	// Cursors tells, at any node, how far a source's partitions are (event/run).
	Cursors func(ctx context.Context, src *plan.Source) ([]run.Cursor, error)
	// Attempts finds calls that were made (event/delivery).
	Attempts func(ctx context.Context, q delivery.Query) ([]delivery.Attempt, error)
	// Browse lists what lies in a queue (event/queue).
	Browse func(ctx context.Context, ref queue.Ref, o queue.BrowseOptions) (found []queue.Lying, next string, err error)
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Partitions tells how many partitions a topic has, 0 when there is none.
	Partitions func(topic string) int
	// Now is the domain clock.
	Now func() time.Time
}

// Service looks back.
type Service struct{ o Options }

// New makes a Service.
func New(o Options) *Service { return &Service{o} }

// DefaultLast is how many events of each partition are looked at, unless it is said.
const (
	DefaultLast = 10_000
	MostLast    = 1_000_000
)

// last checks how many events are to be looked at.
func last(n int) (int, error) {
	switch {
	case n == 0:
		return DefaultLast, nil
	case n < 1 || n > MostLast:
		return 0, &bus.InvalidError{Field: "last", Why: fmt.Sprintf("%d is outside 1 to %d", n, MostLast)}
	}
	return n, nil
}

func unavailable(what string, err error) error {
	return fmt.Errorf("%s: %w: %w", what, bus.ErrUnavailable, err)
}

// pageOfBuses is how many are listed at once.
const pageOfBuses = 1000

// buses are those of a place.
func (s *Service) buses(ctx context.Context, at bus.Ref) (all []bus.Ref, err error) {
	for after := ""; ; {
		page, next, err := s.o.Buses.List(ctx, bus.Ref{Account: at.Account, Region: at.Region}, after, pageOfBuses)
		if err != nil {
			return nil, err
		}
		for i := range page {
			all = append(all, page[i].Ref)
		}
		if after = next; next == "" {
			return all, nil
		}
	}
}

// rulesOf are the rules of a bus.
func (s *Service) rulesOf(ctx context.Context, of bus.Ref) ([]bus.Rule, error) {
	rules, _, err := s.o.Buses.Rules(ctx, of, "", "", 1<<30)
	return rules, err
}

// from is the offset of a partition.
func from(offsets []int64, partition int32) int64 {
	if int(partition) < len(offsets) {
		return offsets[partition]
	}
	return 0
}
