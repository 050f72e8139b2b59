package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/material"
	"ottla/internal/kafka/queues"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// overhead is what a record may have beside what counts of a message.
const overhead = 64 << 10

// dedupWindowMs is how long a deduplication id counts.
const dedupWindowMs = 300_000

// build says what a queue's group does, and makes the topic that it needs, unless that is
// adopted. left: somebody may have made the topic who was killed then.
//
// Nodes hear of both in this order: one that leads a partition, and did not know the group's
// settings yet when somebody takes, would begin at the end of what was sent by then.
func (s *Service) build(ctx context.Context, n *noteOf, left bool) error {
	if err := s.setGroup(ctx, &n.Spec); err != nil {
		return err
	}
	var id uuid.UUID // zero: whichever is there
	if !n.Adopted {
		var err error
		if id, err = s.makeTopic(ctx, &n.Spec, left); err != nil {
			return err
		}
	}
	t, err := s.seen(ctx, n.Topic, id)
	if err != nil {
		return err
	}
	n.Metadata = s.o.Image().Offset
	if !n.Adopted {
		n.TopicID = idText(t.ID)
		return nil
	}
	if err := s.heard(ctx, &n.Spec); err != nil {
		return err
	}
	for i := range t.Partitions { // an earlier queue may have left a state
		p := queues.Part{Group: n.Group, Topic: t.ID, Index: int32(i)}
		if _, err := patient(ctx, func() (struct{}, error) { return struct{}{}, s.o.Leases.Forget(ctx, p) }); err != nil {
			return fmt.Errorf("%w: begin to read %s: %w", ErrUnavailable, n.Topic, err)
		}
	}
	return nil
}

// heard returns when all who lead partitions of a topic that was there before know the
// settings of its queue's group.
func (s *Service) heard(ctx context.Context, spec *Spec) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	group := kmsg.NewDescribeConfigsRequestResource()
	group.ResourceType, group.ResourceName, group.ConfigNames = kmsg.ConfigResourceTypeGroupConfig, spec.Group, []string{"queue.enable"}
	req.Resources = append(req.Resources, group)
	for begun := time.Now(); ; sleep(ctx, pause) {
		all := true
		if t := s.o.Image().TopicByName(spec.Topic); t != nil {
			for _, node := range leadersOf(t) {
				got, err := c.Broker(int(node)).RetriableRequest(ctx, req)
				all = all && err == nil && enabled(got.(*kmsg.DescribeConfigsResponse))
			}
		}
		if all {
			return nil
		}
		if ctx.Err() != nil || time.Since(begun) > patience {
			return fmt.Errorf("%w: some nodes that lead %s do not know the settings of the group %s yet", ErrUnavailable, spec.Topic, spec.Group)
		}
	}
}

func leadersOf(t *metadata.Topic) []int32 {
	var out []int32
	for i := range t.Partitions {
		if id := t.Partitions[i].Leader; id >= 0 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// enabled tells whether a node knows a group as a queue's.
func enabled(r *kmsg.DescribeConfigsResponse) bool {
	for i := range r.Resources {
		for _, x := range r.Resources[i].Configs {
			if x.Name == "queue.enable" && x.Value != nil && *x.Value == "true" {
				return true
			}
		}
	}
	return false
}

// makeTopic makes a queue's topic and tells its id; zero, and that it is adopted, when
// there is one by now that is another's.
func (s *Service) makeTopic(ctx context.Context, spec *Spec, left bool) (id uuid.UUID, err error) {
	c, err := s.kafka()
	if err != nil {
		return id, err
	}
	id, there, err := material.Make(ctx, c, spec.Topic, spec.Partitions, s.topicSettings(spec))
	if err == nil && there && left {
		var has int32
		id, has, err = material.Left(ctx, c, spec.Topic, spec.Partitions, s.madeSettings())
		spec.Partitions = max(spec.Partitions, has)
	}
	if err != nil {
		return id, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if spec.Adopted = there && id.IsZero(); there && !spec.Adopted {
		return id, s.alterTopic(ctx, spec)
	}
	return id, nil
}

// madeSettings are those of any queue's topic: it may have been made for another Spec.
func (s *Service) madeSettings() map[string]*string {
	out := s.topicSettings(&Spec{})
	out["retention.ms"], out["max.message.bytes"] = nil, nil
	delete(out, "segment.ms") // earlier ones were made without
	return out
}

func (s *Service) topicSettings(spec *Spec) map[string]*string {
	out := map[string]*string{}
	set := func(name, value string) { out[name] = &value }
	set("cleanup.policy", "delete")
	set("retention.ms", strconv.FormatInt(spec.RetentionMs, 10))
	set("segment.ms", material.SegmentMs(spec.RetentionMs))
	set("max.message.bytes", strconv.Itoa(int(spec.MaxMessageBytes)+overhead))
	set("message.timestamp.type", "CreateTime")
	return out
}

// groupSettings are those of the queue's group. Empty takes a setting back.
func (s *Service) groupSettings(ctx context.Context, spec *Spec) (map[string]string, error) {
	out := map[string]string{
		"queue.enable": "true", "share.key.ordering": strconv.FormatBool(spec.FIFO), "share.isolation.level": "read_committed",
		"share.auto.offset.reset": "earliest", "queue.max.receives": "", "queue.dead.letter.topic": "",
		"queue.deduplication.window.ms": "", "queue.deduplication.scope": "",
		"share.retry.backoff.ms": "", "share.retry.backoff.factor": "", "share.retry.backoff.max.ms": "",
	}
	if spec.FIFO {
		out["queue.deduplication.window.ms"] = strconv.Itoa(dedupWindowMs)
		out["queue.deduplication.scope"] = spec.DedupScope
	}
	if d := spec.DeadLetter; d != nil {
		to, err := s.Get(ctx, d.Queue)
		if err != nil {
			return nil, err
		}
		out["queue.max.receives"], out["queue.dead.letter.topic"] = strconv.Itoa(int(d.MaxReceives)), to.Topic
	}
	if b := spec.Backoff; b != nil && b.FirstMs > 0 {
		out["share.retry.backoff.ms"] = strconv.FormatInt(b.FirstMs, 10)
		out["share.retry.backoff.max.ms"] = strconv.FormatInt(b.MaxMs, 10)
		out["share.retry.backoff.factor"] = strconv.FormatFloat(b.Factor, 'g', -1, 64)
	}
	return out, nil
}

// setGroup has the group's settings say what the Spec says.
func (s *Service) setGroup(ctx context.Context, spec *Spec) error {
	settings, err := s.groupSettings(ctx, spec)
	if err != nil {
		return err
	}
	return s.alterGroup(ctx, spec.Group, settings)
}

// alterGroup sets settings of a group, and takes back those that are empty.
func (s *Service) alterGroup(ctx context.Context, group string, settings map[string]string) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	for name, value := range settings {
		x := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		x.Name = name
		if x.Op = kmsg.IncrementalAlterConfigOpSet; value == "" {
			x.Op = kmsg.IncrementalAlterConfigOpDelete
		} else {
			x.Value = &value
		}
		r.Configs = append(r.Configs, x)
	}
	req.Resources = append(req.Resources, r)
	c, err := s.kafka()
	if err != nil {
		return err
	}
	resp, err := req.RequestWith(ctx, c)
	if err == nil && len(resp.Resources) == 1 {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
		if m := resp.Resources[0].ErrorMessage; err != nil && m != nil {
			err = fmt.Errorf("%w: %s", err, *m)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: settings of the group %s: %w", ErrUnavailable, group, err)
	}
	return nil
}

// rebuild changes topic and group from one Spec to another.
func (s *Service) rebuild(ctx context.Context, old, spec *Spec) error {
	if !spec.Adopted && (old.RetentionMs != spec.RetentionMs || old.MaxMessageBytes != spec.MaxMessageBytes) {
		if err := s.alterTopic(ctx, spec); err != nil {
			return err
		}
	}
	return s.setGroup(ctx, spec)
}

// alterTopic has the settings of a queue's topic say what the Spec says.
func (s *Service) alterTopic(ctx context.Context, spec *Spec) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	var changes []kadm.AlterConfig
	for name, value := range s.topicSettings(spec) {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: value})
	}
	got, err := kadm.NewClient(c).AlterTopicConfigs(ctx, changes, spec.Topic)
	if err == nil {
		_, err = got.On(spec.Topic, func(r *kadm.AlterConfigsResponse) error { return r.Err })
	}
	if err != nil {
		return fmt.Errorf("%w: settings of the topic %s: %w", ErrUnavailable, spec.Topic, err)
	}
	return nil
}

// demolish takes away what a queue was made of. It may be called again, also when
// another of the name is made meanwhile: that keeps its topic, and its group's settings
// are said once more.
func (s *Service) demolish(ctx context.Context, q *Queue) error {
	settings, err := s.groupSettings(ctx, &Spec{})
	if err != nil {
		return err
	}
	for name := range settings {
		settings[name] = ""
	}
	if err := s.alterGroup(ctx, q.Group, settings); err != nil {
		return err
	}
	switch other, err := s.rival(ctx, Ref{}, func(o *Queue) bool { return o.Group == q.Group && !o.ending }); {
	case err != nil:
		return err
	case other != nil:
		if err := s.setGroup(ctx, &other.Spec); err != nil {
			return err
		}
	}
	if q.Adopted {
		return nil
	}
	return s.deleteTopic(ctx, q)
}

// deleteTopic deletes the topic that was made for a queue, with what is delayed for it: that
// of its id where that is noted, for the name may be another's by now.
func (s *Service) deleteTopic(ctx context.Context, q *Queue) error {
	c, err := s.kafka()
	if err != nil {
		return err
	}
	id := q.topicID
	if id.IsZero() {
		if id, _, err = material.Made(ctx, c, q.Topic, s.madeSettings()); err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if id.IsZero() {
			return nil
		}
	}
	if err := s.cancelDelayed(ctx, &q.Spec); err != nil {
		return err
	}
	if err := material.Delete(ctx, c, q.Topic, id); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}
