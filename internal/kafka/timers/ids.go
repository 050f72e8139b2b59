package timers

import (
	"context"
	"sync"
	"time"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ids is a stock of producer ids, empty at first.
type ids struct {
	cluster api.Cluster
	node    int32

	mu   sync.Mutex // guards the stock; not held while the controller is asked
	next int64
	left int32
}

// idsWithin bounds the wait for the controller.
const idsWithin = 15 * time.Second

// take gives out an id that nobody has.
func (s *ids) take(ctx context.Context) (int64, error) {
	if id, ok := s.fromStock(); ok {
		return id, nil
	}
	got, err := api.Do[controller.ProducerIDs](ctx, s.cluster, idsWithin, controller.AllocateProducerIDs{BrokerID: s.node})
	if err != nil {
		return -1, err
	}
	if got.Count <= 0 {
		return -1, wire.Errorf(wire.UnknownServerError, "the controller gave %d producer ids", got.Count)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.left = got.First+1, got.Count-1 // another's block, if there is one, is lost: ids are plenty
	return got.First, nil
}

func (s *ids) fromStock() (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return -1, false
	}
	s.next++
	s.left--
	return s.next - 1, true
}
