package sns

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// build makes the topic of Kafka's that a topic needs, unless it is adopted. left:
// somebody may have made it who was killed then.
func (s *Service) build(ctx context.Context, spec *TopicSpec, left bool) error {
	if spec.Adopted {
		return nil
	}
	c, err := s.kafka()
	if err != nil {
		return err
	}
	most := strconv.Itoa(mostRecord)
	made, err := kadm.NewClient(c).CreateTopic(ctx, max(spec.Partitions, 1), -1, map[string]*string{"cleanup.policy": ptr("delete"), "max.message.bytes": &most}, spec.Topic)
	if err == nil {
		err = made.Err
	}
	if errors.Is(err, kerr.TopicAlreadyExists) {
		spec.Adopted, err = !left, nil
	}
	if err != nil {
		return fmt.Errorf("%w: make the topic %s: %w", ErrUnavailable, spec.Topic, err)
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

// mostRecord bounds a record of a topic: the largest message that any topic takes, and
// what a record has beside.
const mostRecord = MaxMessageBytes + recordOverhead

// demolish deletes the topic of Kafka's, unless it is adopted.
func (s *Service) demolish(ctx context.Context, spec *TopicSpec) error {
	if spec.Adopted {
		return nil
	}
	c, err := s.kafka()
	if err != nil {
		return err
	}
	gone, err := kadm.NewClient(c).DeleteTopic(ctx, spec.Topic)
	if err == nil {
		err = gone.Err
	}
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("%w: delete the topic %s: %w", ErrUnavailable, spec.Topic, err)
	}
	return nil
}

// ends are the ends of the partitions of Kafka's topic: what is published from now on
// is not below them.
func (s *Service) ends(ctx context.Context, topic string) ([]int64, error) {
	c, err := s.kafka()
	if err != nil {
		return nil, err
	}
	var got kadm.ListedOffsets
	for try := 1; ; try++ { // a topic that was just made may not serve yet
		if got, err = kadm.NewClient(c).ListCommittedOffsets(ctx, topic); err == nil {
			err = got.Error()
		}
		if !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(err, kerr.LeaderNotAvailable) || try == updates {
			break
		}
		rest(ctx, try)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the end of %s: %w", ErrUnavailable, topic, err)
	}
	out := make([]int64, len(got[topic]))
	for p, at := range got[topic] {
		if int(p) >= len(out) {
			return nil, fmt.Errorf("%w: the partitions of %s are not known", ErrUnavailable, topic)
		}
		out[p] = at.Offset
	}
	return out, nil
}
