package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/event/material"
	"ottla/internal/event/name"
	"ottla/internal/uuid"
)

// overhead is what a record may have beside its data.
const overhead = 128 << 10

// place finds the topic of a bus, which is old until now: one that is there is adopted,
// unless it is another object's. The note claims it.
func (s *Service) place(ctx context.Context, old *Bus, spec *Spec) error {
	full, asked := old.Full(), spec.Topic != ""
	switch {
	case asked:
	case old.making && !old.Adopted: // its topic may be there
		spec.Topic = old.Topic
	default:
		spec.Topic = full.TopicName()
	}
	by, held, err := s.o.Objects.HolderOf(ctx, spec.Topic, full)
	switch {
	case err != nil:
		return unavailable(full.String(), err)
	case held && asked:
		return invalid("topic", "the topic %s is that of %s already", spec.Topic, by)
	case held, strings.HasPrefix(spec.Topic, "__"): // which nodes keep for themselves
		if spec.Topic, err = s.longTopic(ctx, full); err != nil {
			return err
		}
	}
	there, err := s.partitions(ctx, spec.Topic)
	if err != nil {
		return err
	}
	if asked && there == 0 && spec.Topic != full.TopicName() {
		return invalid("topic", "there is no topic %s to adopt", spec.Topic)
	}
	spec.Partitions = max(spec.Partitions, 1)
	if spec.Adopted = there > 0; spec.Adopted {
		spec.Partitions = there
	}
	return nil
}

// longTopic is the topic of an object whose name another has as a topic.
func (s *Service) longTopic(ctx context.Context, full name.Ref) (string, error) {
	topic := full.LongTopicName()
	by, held, err := s.o.Objects.HolderOf(ctx, topic, full)
	switch {
	case err != nil:
		return "", unavailable(full.String(), err)
	case held:
		return "", invalid("name", "the topic %s is that of %s already", topic, by)
	}
	return topic, nil
}

// partitions is how many a topic has, 0 when there is none. Who knows is asked: this node
// may be behind.
func (s *Service) partitions(ctx context.Context, topic string) (n int32, err error) {
	c, err := s.kafka()
	if err != nil {
		return 0, err
	}
	there, err := material.Exists(ctx, c, topic)
	if there {
		_, n, err = material.ID(ctx, c, topic)
	}
	switch {
	case errors.Is(err, kerr.InvalidTopicException): // too long, or one differs in . and _ alone
		return 0, because("name", err)
	case err != nil:
		return 0, unavailable("find what topics there are", err)
	}
	return n, nil
}

// build makes the topic of a bus, unless it is adopted, and gives what to note of the
// bus. left: somebody may have made the topic who was killed then.
func (s *Service) build(ctx context.Context, spec Spec, left bool) (noteOfBus, error) {
	if spec.Adopted {
		return noteOfBus{Spec: spec}, nil
	}
	id, there, err := s.makeTopic(ctx, spec.Topic, spec.Partitions, spec.RetentionMs)
	if err != nil {
		return noteOfBus{}, err
	}
	if there && left {
		if id, spec.Partitions, err = s.leftTopic(ctx, spec.Topic, spec.Partitions, spec.RetentionMs); err != nil {
			return noteOfBus{}, err
		}
	}
	if spec.Adopted = id.IsZero(); spec.Adopted {
		c, err := s.kafka()
		if err != nil {
			return noteOfBus{}, err
		}
		if _, spec.Partitions, err = material.ID(ctx, c, spec.Topic); err != nil {
			return noteOfBus{}, unavailable("make the bus", err)
		}
	}
	return noteOfBus{spec, stage{TopicID: idText(id)}}, nil
}

// leftTopic finds the topic that somebody made who was killed then, and has it keep events,
// and in as many partitions, as it is to be now; zero, where what is there is another's.
func (s *Service) leftTopic(ctx context.Context, topic string, partitions int32, retentionMs int64) (id uuid.UUID, has int32, err error) {
	c, err := s.kafka()
	if err != nil {
		return id, 0, err
	}
	if id, has, err = material.Left(ctx, c, topic, partitions, topicSettings(nil)); err != nil {
		return id, 0, unavailable("find what was made of it", err)
	}
	if id.IsZero() {
		return id, 0, nil
	}
	return id, has, s.setRetention(ctx, topic, retentionMs, false)
}

// topicSettings are those of topics of events; nil for any retention.
func topicSettings(retentionMs *string) map[string]*string {
	text := func(s string) *string { return &s }
	return map[string]*string{
		"cleanup.policy": text("delete"), "retention.ms": retentionMs,
		"max.message.bytes": text(strconv.Itoa(MaxEventBytes + overhead)), "message.timestamp.type": text("CreateTime"),
	}
}

// makeTopic makes a topic of events, and gives its id; there is true when it was there.
func (s *Service) makeTopic(ctx context.Context, topic string, partitions int32, retentionMs int64) (id uuid.UUID, there bool, err error) {
	c, err := s.kafka()
	if err != nil {
		return id, false, err
	}
	keep := strconv.FormatInt(retentionMs, 10)
	settings, segment := topicSettings(&keep), material.SegmentMs(retentionMs)
	settings["segment.ms"] = &segment
	id, there, err = material.Make(ctx, c, topic, partitions, settings)
	switch {
	case errors.Is(err, kerr.InvalidTopicException): // too long, or one differs in . and _ alone
		return id, false, because("name", err)
	case err != nil:
		return id, false, unavailable("make what it needs", err)
	}
	return id, there, nil
}

// setRetention changes how long a topic keeps events; the segments of one that is adopted are
// its owner's.
func (s *Service) setRetention(ctx context.Context, topic string, retentionMs int64, adopted bool) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	text := strconv.FormatInt(retentionMs, 10)
	changes := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &text}}
	if segment := material.SegmentMs(retentionMs); !adopted {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: "segment.ms", Value: &segment})
	}
	answers, err := kadm.NewClient(c).AlterTopicConfigs(ctx, changes, topic)
	if err == nil && len(answers) == 1 {
		err = answers[0].Err
	}
	if err != nil {
		return unavailable("change how long "+topic+" keeps events", err)
	}
	return nil
}

// deleteTopic deletes a topic that was made: that of its id where that is noted, for the name
// may be another's by now.
func (s *Service) deleteTopic(ctx context.Context, topic string, id uuid.UUID) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	if id.IsZero() {
		err = material.DeleteMade(ctx, c, topic, topicSettings(nil))
	} else {
		err = material.Delete(ctx, c, topic, id)
	}
	if err != nil {
		return unavailable("delete what it was made of", err)
	}
	return nil
}

// offsets are the offsets of a topic's partitions at a time, in ms since 1970; -1
// are the ends, -2 the beginnings. A partition that has nothing from that time on
// gives its end.
func (s *Service) offsets(ctx context.Context, topic string, atMs int64) ([]int64, error) {
	c, err := s.kafka()
	if err != nil {
		return nil, err
	}
	var found kadm.ListedOffsets
	switch adm := kadm.NewClient(c); atMs {
	case -1:
		found, err = adm.ListEndOffsets(ctx, topic)
	case -2:
		found, err = adm.ListStartOffsets(ctx, topic)
	default:
		found, err = adm.ListOffsetsAfterMilli(ctx, atMs, topic)
	}
	if err == nil {
		err = found.Error()
	}
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(found[topic]))
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no topic %s", topic)
	}
	for p, o := range found[topic] {
		if int(p) >= len(out) {
			return nil, fmt.Errorf("the topic %s lacks a partition", topic)
		}
		out[p] = o.Offset
	}
	return out, nil
}
