package tail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
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
	for i, err := range s.client.All(ctx, records) {
		r := records[i]
		out[i] = Written{r.Partition, r.Offset, writeError(topic, err)}
		if refusesBatch(err) {
			r.Partition = asked[i]
			out[i] = s.writeAlone(ctx, records[i])
		}
	}
	return out, nil
}

// refusesBatch tells of errors that may be due to others of a record's batch, or to its
// size.
func refusesBatch(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidTimestamp) || errors.Is(err, kerr.InvalidRecord)
}

// writeAlone writes a record whose batch was refused, as a batch of its own: it was one
// of the others with it, or it is larger than what is batched.
func (s *Service) writeAlone(ctx context.Context, r *kgo.Record) Written {
	end, err := s.single.take(ctx, r.Topic)
	if err != nil {
		return Written{Err: unavailable(r.Topic, err)}
	}
	defer end()
	err = s.large.All(ctx, []*kgo.Record{r})[0]
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
	case errors.Is(err, kerr.InvalidTimestamp):
		return fmt.Errorf("topic %s: %w: the record's time is further from the node's clock than the topic takes (message.timestamp.before.max.ms, message.timestamp.after.max.ms)", topic, ErrInvalid)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return fmt.Errorf("topic %s: %w", topic, ErrNotFound)
	}
	return unavailable(topic, err)
}
