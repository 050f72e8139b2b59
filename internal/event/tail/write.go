package tail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/produce"
)

// Written is where a record lies, or why it does not.
type Written struct {
	Partition int32
	Offset    int64
	Err       error
}

// Write appends records of one topic; those whose partition is place.Anywhere go where
// their key says. A Written without an error is durable. An error says that nothing was
// written.
func (s *Service) Write(ctx context.Context, topic string, records []*kgo.Record) ([]Written, error) {
	if strings.HasPrefix(topic, "__") {
		return nil, fmt.Errorf("topic %s: %w: Ottla keeps it for itself", topic, ErrInvalid)
	}
	n, err := s.partitions(ctx, topic, true)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if int(r.Partition) >= n {
			return nil, fmt.Errorf("topic %s: %w: it has %d partitions, and none of number %d", topic, ErrInvalid, n, r.Partition)
		}
	}
	c, err := s.shared()
	if err != nil {
		return nil, err
	}
	// Not kgo's own timeout, which goes by the records' timestamps.
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	now := s.o.Now()
	out, asked := make([]Written, len(records)), make([]int32, len(records))
	for i, r := range records {
		r.Topic, asked[i] = topic, r.Partition
		if r.Timestamp.IsZero() {
			r.Timestamp = now
		}
	}
	for i, err := range produce.All(ctx, c, records) {
		r := records[i]
		out[i] = Written{r.Partition, r.Offset, writeError(topic, err)}
		if errors.Is(err, kerr.MessageTooLarge) {
			r.Partition = asked[i]
			out[i] = s.writeAlone(ctx, records[i])
		}
	}
	return out, nil
}

// writeAlone writes a record whose batch was too large, as a batch of its own: it was
// the others with it, or it is larger than what is batched.
func (s *Service) writeAlone(ctx context.Context, r *kgo.Record) Written {
	c, err := s.alone()
	if err != nil {
		return Written{Err: err}
	}
	s.single.Lock()
	defer s.single.Unlock()
	err = produce.All(ctx, c, []*kgo.Record{r})[0]
	return Written{r.Partition, r.Offset, writeError(r.Topic, err)}
}

// writeError says what an error of the log means.
func writeError(topic string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.MessageTooLarge):
		return fmt.Errorf("topic %s: %w: max.message.bytes of the topic bounds it", topic, ErrTooLarge)
	case errors.Is(err, kerr.InvalidRecord):
		return fmt.Errorf("topic %s: %w: the topic does not take this record: %w", topic, ErrInvalid, err)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return fmt.Errorf("topic %s: %w", topic, ErrNotFound)
	}
	return unavailable(topic, err)
}
