package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/event/material"
	"ottla/internal/event/name"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// ownPrefix begins the names of the topics in which the cluster keeps what is its own.
const ownPrefix = "__"

// place finds the topic of a queue: one that is there is adopted, unless it is the
// cluster's own or another object's. asked: it was named.
func (s *Service) place(ctx context.Context, ref Ref, spec *Spec, asked bool) error {
	if asked && strings.HasPrefix(spec.Topic, ownPrefix) {
		return invalidf("the topic %s cannot be a queue's: topics that begin with %s are the cluster's own", spec.Topic, ownPrefix)
	}
	holder, err := s.holder(ctx, ref, spec.Topic)
	switch {
	case err != nil:
		return err
	case holder != "" && asked:
		return invalidf("the topic %s is that of %s already", spec.Topic, holder)
	case holder != "", strings.HasPrefix(spec.Topic, ownPrefix):
		group := spec.Group == "queue."+spec.Topic
		if spec.Topic = ref.Full().LongTopicName(); group {
			spec.Group = "queue." + spec.Topic
		}
		if holder, err = s.holder(ctx, ref, spec.Topic); err != nil {
			return err
		}
		if holder != "" {
			return invalidf("the topics %s and %s are other objects' already, the second that of %s: give another name", ref.Full().TopicName(), spec.Topic, holder)
		}
	}
	by, err := s.rival(ctx, ref, func(q *Queue) bool { return q.Group == spec.Group })
	if err != nil {
		return err
	}
	if by != nil {
		return invalidf("the group %s is that of %s already", spec.Group, by.Full())
	}
	if spec.Adopted, err = s.topicExists(ctx, spec.Topic); err != nil {
		return err
	}
	if asked && !spec.Adopted && spec.Topic != ref.Full().TopicName() {
		return invalidf("there is no topic %s to adopt", spec.Topic)
	}
	return nil
}

// holder names the object whose topic a topic is, "" when it is nobody's or the queue's
// own.
func (s *Service) holder(ctx context.Context, ref Ref, topic string) (string, error) {
	of, held, err := s.o.Objects.HolderOf(ctx, topic, ref.Full())
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	case held:
		return of.String(), nil
	}
	return "", nil
}

// rival finds another queue, also one that is being made or deleted, of which
// something holds; nil when there is none.
func (s *Service) rival(ctx context.Context, ref Ref, holds func(*Queue) bool) (*Queue, error) {
	all, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.Queue}, "", 1<<30)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for i := range all {
		q, err := queueOf(&all[i])
		if err != nil || q.Ref == ref || q.ending && q.Adopted {
			continue
		}
		if holds(&q) {
			return &q, nil
		}
	}
	return nil, nil
}

// alone checks that nobody chose the same group at the same moment; each of two sees
// the other, for both have noted what they will be. (A topic is claimed by the note.)
func (s *Service) alone(ctx context.Context, ref Ref, spec *Spec) error {
	by, err := s.rival(ctx, ref, func(q *Queue) bool { return q.Group == spec.Group })
	if err == nil && by != nil {
		return invalidf("the group %s is that of %s by now", spec.Group, by.Full())
	}
	return err
}

// topicExists asks who knows whether a topic is there: this node may be behind.
func (s *Service) topicExists(ctx context.Context, topic string) (bool, error) {
	c, err := s.kafka()
	if err != nil {
		return false, err
	}
	there, err := material.Exists(ctx, c, topic)
	switch {
	case errors.Is(err, kerr.InvalidTopicException):
		return false, invalidf("%w", err)
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return there, nil
}

// seen waits until this node sees a topic that is there, of an id unless that is zero.
func (s *Service) seen(ctx context.Context, topic string, id uuid.UUID) (*metadata.Topic, error) {
	for begun := time.Now(); ; sleep(ctx, pause) {
		if t := s.o.Image().TopicByName(topic); t != nil && (id.IsZero() || t.ID == id) {
			return t, nil
		}
		if ctx.Err() != nil || time.Since(begun) > patience {
			return nil, fmt.Errorf("%w: this node does not see the topic %s yet", ErrUnavailable, topic)
		}
	}
}

// follow waits until this node's metadata are as young as those by which a queue was
// made: its topic may be one that this node does not know, or another than the one
// that it knows by the name. A queue of other metadata than this cluster's (it was
// restored) is waited for once.
func (s *Service) follow(ctx context.Context, q *Queue) {
	for begun := time.Now(); s.o.Image().Offset < q.metadata && s.ahead.Load() < q.metadata; sleep(ctx, pause) {
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > patience {
			s.ahead.Store(q.metadata)
		}
	}
}
