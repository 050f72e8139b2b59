package material

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// Make makes a topic, and gives its id; there is true, without an id, when one of that
// name was there.
func Make(ctx context.Context, c *kgo.Client, topic string, partitions int32, settings map[string]*string) (id uuid.UUID, there bool, err error) {
	made, err := kadm.NewClient(c).CreateTopic(ctx, partitions, -1, settings, topic)
	if made.Err != nil {
		err = because(made.Err, made.ErrMessage)
	}
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return id, true, nil
	case err != nil:
		return id, false, fmt.Errorf("make the topic %s: %w", topic, err)
	}
	return uuid.UUID(made.ID), false, nil
}

// Exists asks who knows whether a topic is there: this node may be behind. An error is
// kerr.InvalidTopicException when there can be none of that name.
func Exists(ctx context.Context, c *kgo.Client, topic string) (bool, error) {
	all, err := kadm.NewClient(c).ValidateCreateTopics(ctx, 1, -1, nil, topic)
	if t := all[topic]; err == nil {
		err = because(t.Err, t.ErrMessage)
	}
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("look for the topic %s: %w", topic, err)
	}
	return false, nil
}

const (
	// pause is how long ID rests before it looks again.
	pause = 10 * time.Millisecond
	// patience is how long a topic may take to go, and to be known here.
	patience = 10 * time.Second
)

// ID finds the id of a topic that is there, once this node knows it, and how many
// partitions it has.
func ID(ctx context.Context, c *kgo.Client, topic string) (id uuid.UUID, partitions int32, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic, req.AllowAutoTopicCreation = &topic, false
	req.Topics = append(req.Topics, t)
	for {
		got, err := req.RequestWith(ctx, c)
		if err == nil && len(got.Topics) == 1 {
			err = kerr.ErrorForCode(got.Topics[0].ErrorCode)
		}
		if err == nil && len(got.Topics) == 1 {
			return uuid.UUID(got.Topics[0].TopicID), int32(len(got.Topics[0].Partitions)), nil
		}
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return id, 0, fmt.Errorf("look for the topic %s: %w", topic, err)
		}
		select {
		case <-ctx.Done():
			return id, 0, fmt.Errorf("look for the topic %s: %w", topic, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Delete deletes a topic: by its id unless that is zero, for the name may be another's
// by now. One that is not there is deleted.
func Delete(ctx context.Context, c *kgo.Client, topic string, id uuid.UUID) error {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = int32(patience.Milliseconds())
	t := kmsg.NewDeleteTopicsRequestTopic()
	if t.TopicID = id; id.IsZero() {
		t.Topic = &topic
		req.TopicNames = []string{topic}
	}
	req.Topics = append(req.Topics, t)
	got, err := req.RequestWith(ctx, c)
	if err == nil && len(got.Topics) == 1 {
		err = kerr.ErrorForCode(got.Topics[0].ErrorCode)
	}
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(err, kerr.UnknownTopicID) {
		return fmt.Errorf("delete the topic %s: %w", topic, err)
	}
	return nil
}

// because is an error with what Kafka says of it.
func because(err error, message string) error {
	if err == nil || message == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, message)
}
