package shares

import (
	"context"
	"strconv"
	"strings"
	"time"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// Headers of a dead letter, by Kafka's names; their values are texts.
const (
	headTopic     = "__dlq.errors.topic"
	headPartition = "__dlq.errors.partition"
	headOffset    = "__dlq.errors.offset"
	headGroup     = "__dlq.errors.group"
	headMessage   = "__dlq.errors.message"
	headCount     = "__dlq.errors.delivery.count"
)

// bury is deadLetters, counted.
func (f *Family) bury(ctx context.Context, d *lead.Dying) error {
	err := f.deadLetters(ctx, d)
	if err != nil && ctx.Err() == nil {
		f.d.LettersFailed.Inc()
	}
	return err
}

// deadLetters writes the dead letters of a range of records into the group's
// topic for them, to the partition of the record's own number (KIP-1191).
func (f *Family) deadLetters(ctx context.Context, d *lead.Dying) error {
	topic, err := f.deadTopic(ctx, &d.Settings)
	if err != nil {
		return err
	}
	to, err := f.graves.Box(topic, d.Key.Partition%int32(len(topic.Partitions)))
	if err != nil {
		return err
	}
	w := &letters{d: d, to: to, nowMs: f.d.wall().UnixMilli(), builder: record.NewBuilder(), written: f.d.Letters}
	w.left = func(offset int64, why error) {
		f.d.LettersFailed.Inc()
		f.d.Logger.Warn("a record of a share group was given up without a dead letter", "group", d.Key.Group, "topic", w.origin,
			"partition", d.Key.Partition, "offset", offset, "err", why)
	}
	if t := f.d.Cluster.Image().TopicByID(d.Key.TopicID); t != nil {
		w.origin = t.Name
	}
	if d.Settings.Queue && f.d.Morgue != nil {
		return f.queueLetters(ctx, w, topic.Name)
	}
	return w.write(ctx)
}

// wall is the time that records are dated by.
func (d *Deps) wall() time.Time {
	if d.Wall != nil {
		return d.Wall()
	}
	return d.Now()
}

// deadTopic finds a topic for dead letters, and makes it if the node may.
// Those of a queue are another queue's messages: its topic is there, or gone for
// good.
func (f *Family) deadTopic(ctx context.Context, s *lead.Settings) (*metadata.Topic, error) {
	image, name := f.d.Cluster.Image(), s.DeadTopic
	if s.Queue {
		if t := image.TopicByName(name); t != nil && len(t.Partitions) > 0 {
			return t, nil
		}
		return nil, wire.Errorf(wire.InvalidTopic, "the topic %s, which takes a queue's dead letters, is not there (any more)", name)
	}
	prefix := f.d.View.String(image, "errors.deadletterqueue.topic.name.prefix")
	if strings.HasPrefix(name, "__") || !strings.HasPrefix(name, prefix) {
		return nil, wire.Errorf(wire.InvalidTopic, "dead letters go to topics whose names begin with %q, not to %s (errors.deadletterqueue.topic.name.prefix)", prefix, name)
	}
	if image.TopicByName(name) == nil {
		if err := f.makeDeadTopic(ctx, image, name); err != nil {
			return nil, err
		}
		image = f.d.Cluster.Image()
	}
	t := image.TopicByName(name)
	if t == nil || len(t.Partitions) == 0 {
		return nil, wire.UnknownTopicOrPartition
	}
	if !f.d.View.TopicConfig(image, name).DeadLetters {
		return nil, wire.Errorf(wire.InvalidTopic, "the topic %s does not take dead letters: its %s is not true", name, groupEnable)
	}
	return t, nil
}

// groupEnable is the topic's setting that lets groups write dead letters.
const groupEnable = "errors.deadletterqueue.group.enable"

// makeTimeout bounds the making of a topic.
const makeTimeout = 15 * time.Second

func (f *Family) makeDeadTopic(ctx context.Context, image config.Dynamic, name string) error {
	if !f.d.View.Bool(image, "errors.deadletterqueue.auto.create.topics.enable") {
		return wire.Errorf(wire.InvalidTopic, "there is no topic %s for dead letters, and none is made (errors.deadletterqueue.auto.create.topics.enable)", name)
	}
	yes, byCreation := "true", "CreateTime"
	made, err := api.Do[[]controller.CreatedTopic](ctx, f.d.Cluster, makeTimeout, controller.WithDefaults(f.d.View, image,
		controller.NewTopic{Name: name, Partitions: -1, Replicas: -1, Configs: []controller.ConfigEntry{
			{Name: groupEnable, Value: &yes}, {Name: "message.timestamp.type", Value: &byCreation},
		}}))
	if err != nil {
		return wire.Errorf(wire.CodeOf(err), "make the topic %s for dead letters: %w", name, err)
	}
	if len(made) == 1 && made[0].Code != wire.None && made[0].Code != wire.TopicAlreadyExists {
		return wire.Errorf(made[0].Code, "the topic %s for dead letters cannot be made: %s", name, made[0].Message)
	}
	return nil
}

// headers are those of the dead letter of a record.
func (w *letters) headers(offset int64) []record.RecordHeader {
	text := func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
	reason := "the record was rejected by a member"
	if w.d.Range.Count >= w.d.Settings.Attempts {
		reason = "the record was delivered as often as share.delivery.count.limit allows"
		if w.d.Settings.Queue {
			reason = "the message was taken as often as queue.max.receives allows"
		}
	}
	return []record.RecordHeader{
		{Key: headTopic, Value: []byte(w.origin)}, {Key: headPartition, Value: text(int64(w.d.Key.Partition))},
		{Key: headOffset, Value: text(offset)}, {Key: headGroup, Value: []byte(w.d.Key.Group)},
		{Key: headMessage, Value: []byte(reason)}, {Key: headCount, Value: text(int64(w.d.Range.Count))},
	}
}
