package sns

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/event/material"
)

// build makes the topic of Kafka's that a topic needs, unless it is adopted, and gives
// what to note of it. left: somebody may have made it who was killed then.
func (s *Service) build(ctx context.Context, spec TopicSpec, left bool) (noteOf, error) {
	if spec.Adopted {
		return noteOf{TopicSpec: spec}, nil
	}
	c, err := s.kafka()
	if err != nil {
		return noteOf{}, err
	}
	partitions := max(spec.Partitions, 1)
	id, there, err := material.Make(ctx, c, spec.Topic, partitions, topicSettings())
	if errors.Is(err, kerr.InvalidTopicException) {
		return noteOf{}, invalidf("Name", "its topic of Kafka's: %v", err)
	}
	if there && left {
		id, _, err = material.Left(ctx, c, spec.Topic, partitions, topicSettings())
	}
	spec.Adopted = there && id.IsZero()
	if err != nil {
		return noteOf{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return noteOf{TopicSpec: spec, TopicID: idText(id)}, nil
}

// topicSettings are those of topics of Kafka's that are made for topics.
func topicSettings() map[string]*string {
	return map[string]*string{"cleanup.policy": ptr("delete"), "max.message.bytes": ptr(strconv.Itoa(mostRecord))}
}

func ptr[T any](v T) *T { return &v }

// mostRecord bounds a record of a topic: the largest message that any topic takes, and
// what a record has beside.
const mostRecord = MaxMessageBytes + recordOverhead

// demolish deletes the topic of Kafka's, unless it is adopted: that of its id where that is
// noted, for the name may be another's by now.
func (s *Service) demolish(ctx context.Context, t *Topic) error {
	if t.Adopted {
		return nil
	}
	c, err := s.kafka()
	if err != nil {
		return err
	}
	if t.topicID.IsZero() {
		err = material.DeleteMade(ctx, c, t.Topic, topicSettings())
	} else {
		err = material.Delete(ctx, c, t.Topic, t.topicID)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
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
