package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrDelays says that messages do not go into the queue's topic at once: Send
// them.
var ErrDelays = errors.New("the queue delays its messages")

// Records makes messages to the records that they are in the queue's topic, for
// who writes them in a transaction of his own, as schedules do. A deduplication
// id that a standard queue has no use for is left out. Records have no partition
// of their own (-1): their key says which. ErrDelays says that the messages are to
// be delayed, which Send alone can do; a DelayMs of 0 is none in any queue.
func (s *Service) Records(ctx context.Context, ref Ref, messages []Message) ([]*kgo.Record, error) {
	q, err := s.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	var out []*kgo.Record
	for _, m := range messages {
		if !q.FIFO {
			m.DedupID = ""
		}
		atOnce := m.DelayMs == 0
		delay, err := q.prepare(&m)
		if err != nil {
			return nil, err
		}
		if delay > 0 && !atOnce {
			return nil, fmt.Errorf("queue %s: %w", ref.Name, ErrDelays)
		}
		out = append(out, &kgo.Record{Topic: q.Topic, Partition: -1, Key: m.key(), Value: m.Body, Headers: m.headers(), Timestamp: s.o.Now()})
	}
	return out, nil
}
