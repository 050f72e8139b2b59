package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// overhead is what a record may have beside its data.
const overhead = 128 << 10

// place finds the topic of a bus: one that is there is adopted, unless it is another
// object's.
func (s *Service) place(ctx context.Context, ref Ref, spec *Spec) error {
	asked := spec.Topic != ""
	spec.Topic = or(spec.Topic, ref.Full().TopicName())
	by, held, err := s.o.Objects.HolderOf(ctx, spec.Topic)
	switch {
	case err != nil:
		return unavailable(ref.Full().String(), err)
	case held && asked:
		return invalid("topic", "the topic %s is that of %s already", spec.Topic, by)
	case held, strings.HasPrefix(spec.Topic, "__"): // which nodes keep for themselves
		spec.Topic = ref.Full().LongTopicName()
	}
	there := s.o.Partitions(spec.Topic)
	if asked && there == 0 && spec.Topic != ref.Full().TopicName() {
		return invalid("topic", "there is no topic %s to adopt", spec.Topic)
	}
	spec.Partitions = max(spec.Partitions, 1)
	if spec.Adopted = there > 0; spec.Adopted {
		spec.Partitions = int32(there)
		return nil
	}
	if spec.RetentionMs == 0 {
		spec.RetentionMs = DefaultRetentionMs
	}
	return nil
}

// build makes the topic of a bus, unless it is adopted. left: somebody may have made
// it who was killed then.
func (s *Service) build(ctx context.Context, spec *Spec, left bool) error {
	if spec.Adopted {
		return nil
	}
	there, err := s.makeTopic(ctx, spec.Topic, spec.Partitions, spec.RetentionMs)
	if err != nil {
		return err
	}
	if there && !left {
		spec.Adopted = true
		if n := s.o.Partitions(spec.Topic); n > 0 {
			spec.Partitions = int32(n)
		}
	}
	return nil
}

// makeTopic makes a topic of events; there is true when it was there.
func (s *Service) makeTopic(ctx context.Context, topic string, partitions int32, retentionMs int64) (there bool, err error) {
	c, err := s.kafka()
	if err != nil {
		return false, err
	}
	settings := map[string]*string{}
	set := func(name, value string) { settings[name] = &value }
	set("cleanup.policy", "delete")
	set("retention.ms", strconv.FormatInt(retentionMs, 10))
	set("max.message.bytes", strconv.Itoa(MaxEventBytes+overhead))
	set("message.timestamp.type", "CreateTime")
	made, err := kadm.NewClient(c).CreateTopic(ctx, partitions, -1, settings, topic)
	if err == nil {
		err = made.Err
	}
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return true, nil
	case errors.Is(err, kerr.InvalidTopicException): // too long, or one differs in . and _ alone
		return false, because("name", fmt.Errorf("there can be no topic %s: %s", topic, made.ErrMessage))
	case err != nil:
		return false, unavailable("make the topic "+topic, err)
	}
	return false, nil
}

// setRetention changes how long a topic keeps events.
func (s *Service) setRetention(ctx context.Context, topic string, retentionMs int64) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	text := strconv.FormatInt(retentionMs, 10)
	answers, err := kadm.NewClient(c).AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &text}}, topic)
	if err == nil && len(answers) == 1 {
		err = answers[0].Err
	}
	if err != nil {
		return unavailable("change how long "+topic+" keeps events", err)
	}
	return nil
}

// demolish takes away what a bus was made of.
func (s *Service) demolish(ctx context.Context, spec *Spec) error {
	if spec.Adopted {
		return nil
	}
	return s.deleteTopic(ctx, spec.Topic)
}

func (s *Service) deleteTopic(ctx context.Context, topic string) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	gone, err := kadm.NewClient(c).DeleteTopic(ctx, topic)
	if err == nil {
		err = gone.Err
	}
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return unavailable("delete the topic "+topic, err)
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
