package broker

import (
	"context"
	"strconv"

	"ottla/internal/controller"
	"ottla/internal/wire"
)

// OffsetsTopic is where groups and their offsets live.
const OffsetsTopic = "__consumer_offsets"

// Ensure makes an internal topic if it is not there yet, and returns when its
// partitions serve. Their coordinators may still be loading then: see
// coordinator.Runtime.Settle. A factor above the number of live nodes is that
// number: unlike in Kafka, a single node has groups without a setting.
func (b *Broker) Ensure(ctx context.Context, topic string) error {
	if b.Image().TopicByName(topic) != nil {
		return nil
	}
	// One asks the controller, the others wait for what comes of it.
	select {
	case b.ensuring <- struct{}{}:
		defer func() { <-b.ensuring }()
	case <-ctx.Done():
		return wire.Errorf(wire.CoordinatorNotAvailable, "topic %s is not made yet: %w", topic, ctx.Err())
	}
	if b.Image().TopicByName(topic) != nil {
		return nil
	}
	cmd, err := b.internalTopic(topic)
	if err != nil {
		return err
	}
	reply, err := b.o.Control(ctx, cmd)
	if err != nil {
		return wire.Errorf(wire.CoordinatorNotAvailable, "topic %s cannot be made at the moment: %w", topic, err)
	}
	made, ok := reply.([]controller.CreatedTopic)
	if !ok || len(made) != 1 {
		return wire.Errorf(wire.UnknownServerError, "the controller answered %T to CreateTopics", reply)
	}
	if code := made[0].Code; code != wire.None && code != wire.TopicAlreadyExists {
		b.o.Logger.Error("an internal topic cannot be made", "topic", topic, "err", made[0].Message)
		return wire.Errorf(wire.CoordinatorNotAvailable, "topic %s cannot be made: %s", topic, made[0].Message)
	}
	return nil
}

// internalTopic is the command that makes a topic as Kafka makes it.
func (b *Broker) internalTopic(topic string) (controller.CreateTopics, error) {
	if topic != OffsetsTopic {
		return controller.CreateTopics{}, wire.Errorf(wire.CoordinatorNotAvailable, "topic %s has no coordinator in this release", topic)
	}
	img := b.Image()
	set := func(name, value string) controller.ConfigEntry {
		return controller.ConfigEntry{Name: name, Value: &value}
	}
	return controller.CreateTopics{
		DefaultPartitions: int32(b.o.View.Int(img, "offsets.topic.num.partitions")),
		DefaultReplicas:   int16(b.o.View.Int(img, "offsets.topic.replication.factor")),
		CapReplicas:       true,
		Topics: []controller.NewTopic{{Name: topic, Partitions: -1, Replicas: -1, Configs: []controller.ConfigEntry{
			set("cleanup.policy", "compact"),
			set("compression.type", "producer"),
			set("segment.bytes", strconv.FormatInt(b.o.View.Int(img, "offsets.topic.segment.bytes"), 10)),
		}}},
	}, nil
}
