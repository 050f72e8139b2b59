package queue

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/kafka/queues"
)

// HoldAsReviser holds a message as one who mends it does, and as one who is killed then
// leaves it.
func (s *Service) HoldAsReviser(ctx context.Context, ref Ref, partition int, offset int64) error {
	q, err := s.open(ctx, ref)
	if err != nil {
		return err
	}
	p := q.part(partition)
	_, err = s.o.Leases.Hold(ctx, p, []int64{offset}, queues.Want{LockMs: lockMovedMs, Holder: holderOf(reviserOf(p))})
	return err
}

// With makes a service that goes by other objects, as of another node.
func (s *Service) With(change func(Objects) Objects) *Service {
	o := s.o
	o.Objects, o.Metrics = change(o.Objects), nil
	return New(o)
}

// WithLeases makes a service that takes by other leases.
func (s *Service) WithLeases(change func(Leases) Leases) *Service {
	o := s.o
	o.Leases, o.Metrics = change(o.Leases), nil
	return New(o)
}

// Asking makes a service whose client has more options.
func (s *Service) Asking(more ...kgo.Opt) *Service {
	o := s.o
	o.Client = func(opts ...kgo.Opt) (*kgo.Client, error) { return s.o.Client(append(opts, more...)...) }
	o.Metrics = nil
	return New(o)
}
