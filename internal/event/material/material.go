package material

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// Make makes a topic, and gives its id; there is true, without an id, when one of that
// name was there. One that is there after a request whose answer was lost may be what that
// made: it is not taken for another's, but the error of that request told.
func Make(ctx context.Context, c *kgo.Client, topic string, partitions int32, settings map[string]*string) (id uuid.UUID, there bool, err error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(patience.Milliseconds())
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, partitions, -1
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		set := kmsg.NewCreateTopicsRequestTopicConfig()
		set.Name, set.Value = k, settings[k]
		t.Configs = append(t.Configs, set)
	}
	req.Topics = append(req.Topics, t)
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	var lost error // of a request that may have made it
	for try := 1; ; try++ {
		var again bool
		if id, again, err = makeOnce(ctx, c, req); !again {
			break
		}
		if !errors.Is(err, kerr.NotController) && !unsent(err) {
			lost = err
		}
		if !rest(ctx, min(time.Duration(try)*pause, 20*pause)) {
			break
		}
	}
	there = errors.Is(err, kerr.TopicAlreadyExists)
	switch {
	case there && lost == nil:
		return uuid.UUID{}, true, nil
	case there:
		err = lost
		fallthrough
	case err != nil:
		return uuid.UUID{}, false, fmt.Errorf("make the topic %s: %w", topic, err)
	}
	return id, false, nil
}

// rest tells false when the context is done.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// makeOnce asks the node that leads, once: the client would repeat what breaks off. again
// says that this one has not answered, or that none leads.
func makeOnce(ctx context.Context, c *kgo.Client, req *kmsg.CreateTopicsRequest) (id uuid.UUID, again bool, err error) {
	nodes, err := kadm.NewClient(c).BrokerMetadata(ctx)
	if err != nil {
		return id, false, err
	}
	if nodes.Controller < 0 {
		return id, true, kerr.NotController
	}
	got, err := c.Broker(int(nodes.Controller)).Request(ctx, req)
	if err != nil {
		return id, !errors.Is(err, kgo.ErrClientClosed), err
	}
	made, ok := got.(*kmsg.CreateTopicsResponse)
	if !ok || len(made.Topics) != 1 {
		return id, false, errors.New("the answer is of no topic")
	}
	message := ""
	if m := made.Topics[0].ErrorMessage; m != nil {
		message = *m
	}
	err = because(kerr.ErrorForCode(made.Topics[0].ErrorCode), message)
	return uuid.UUID(made.Topics[0].TopicID), errors.Is(err, kerr.NotController), err
}

// unsent tells whether a node was not reached, and so was told nothing.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
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
	// pause is how long is rested before it is looked again.
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
		if !rest(ctx, pause) {
			return id, 0, fmt.Errorf("look for the topic %s: %w", topic, ctx.Err())
		}
	}
}

// Made finds the id of a topic whose making was not told to its end, and how many partitions
// it has: zero, where there is none, or one that was made otherwise than by Make with those
// settings (of a nil one any value will do) and so is another's by now.
func Made(ctx context.Context, c *kgo.Client, topic string, settings map[string]*string) (id uuid.UUID, partitions int32, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		there, err := Exists(ctx, c, topic)
		if err != nil || !there {
			return uuid.UUID{}, 0, err
		}
		// The id first: if another comes in between that is nobody's any more.
		if id, partitions, err = ID(ctx, c, topic); err != nil {
			return uuid.UUID{}, 0, err
		}
		set, err := kadm.NewClient(c).DescribeTopicConfigs(ctx, topic)
		if err == nil && len(set) == 1 {
			err = set[0].Err
		}
		switch {
		case err == nil && len(set) == 1 && madeWith(set[0].Configs, settings):
			return id, partitions, nil
		case err == nil:
			return uuid.UUID{}, 0, nil
		case !errors.Is(err, kerr.UnknownTopicOrPartition) || !rest(ctx, pause): // whoever was asked may be behind
			return uuid.UUID{}, 0, fmt.Errorf("look how the topic %s was made: %w", topic, err)
		}
	}
}

// Left is Made of a topic that is made after all, which has so many partitions then, or
// more where it had more: records may lie in them.
func Left(ctx context.Context, c *kgo.Client, topic string, partitions int32, settings map[string]*string) (id uuid.UUID, has int32, err error) {
	id, has, err = Made(ctx, c, topic, settings)
	if err != nil || id.IsZero() || has >= partitions {
		return id, has, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	grown, err := kadm.NewClient(c).UpdatePartitions(ctx, int(partitions), topic)
	if err == nil {
		err = because(grown[topic].Err, grown[topic].ErrMessage)
	}
	if err != nil && !errors.Is(err, kerr.InvalidPartitions) { // which says that somebody else was faster
		return uuid.UUID{}, 0, fmt.Errorf("make the topic %s one of %d partitions: %w", topic, partitions, err)
	}
	for { // until this node knows
		if id, has, err = ID(ctx, c, topic); err != nil || has >= partitions {
			return id, has, err
		}
		if !rest(ctx, pause) {
			return uuid.UUID{}, 0, fmt.Errorf("make the topic %s one of %d partitions: %w", topic, partitions, ctx.Err())
		}
	}
}

// madeWith tells whether a topic was told all those settings.
func madeWith(has []kadm.Config, settings map[string]*string) bool {
	told := map[string]*string{}
	for _, x := range has {
		if x.Source == kmsg.ConfigSourceDynamicTopicConfig {
			told[x.Key] = x.Value
		}
	}
	for name, want := range settings {
		if got := told[name]; got == nil || want != nil && *got != *want {
			return false
		}
	}
	return true
}

// Delete deletes the topic of an id. One that is not there is deleted.
func Delete(ctx context.Context, c *kgo.Client, topic string, id uuid.UUID) error {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = int32(patience.Milliseconds())
	t := kmsg.NewDeleteTopicsRequestTopic()
	t.TopicID = id
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

// DeleteMade is Delete of a topic whose id nobody has noted: of what Made finds.
func DeleteMade(ctx context.Context, c *kgo.Client, topic string, settings map[string]*string) error {
	id, _, err := Made(ctx, c, topic, settings)
	if err != nil || id.IsZero() {
		return err
	}
	return Delete(ctx, c, topic, id)
}

// because is an error with what Kafka says of it.
func because(err error, message string) error {
	if err == nil || message == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, message)
}
