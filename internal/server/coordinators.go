package server

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/group/consumer"
	"ottla/internal/group/kind"
	"ottla/internal/metadata"
	"ottla/internal/record"
)

// makeCoordinators makes the runtimes that the broker leads on internal
// topics.
func (s *Server) makeCoordinators() error {
	codec, err := s.offsetsCodec()
	if err != nil {
		return err
	}
	settings := s.groupSettings()
	s.groups = coordinator.NewRuntime(coordinator.Options{
		Topic:      broker.OffsetsTopic,
		Partitions: func() int { return s.partitionsOf(broker.OffsetsTopic) },
		New:        func(int32) coordinator.Machine { return group.New(settings) },
		Codec:      codec,
		Now:        s.o.Live,
		Trusted:    s.trusted,
		Mute:       s.mute,
		Wall:       s.o.Now,
		Logger:     s.o.Logger,
		Metrics:    s.coordinatorMetrics(),
	})
	s.makeTxns()
	s.makeTiming()
	return s.makeStates()
}

// coordinatorMetrics are what the coordinators of all topics count together.
func (s *Server) coordinatorMetrics() coordinator.Metrics {
	return coordinator.Metrics{
		Commands:       s.metrics.Counter("ottla_coordinator_commands_total"),
		CommandsFailed: s.metrics.Counter("ottla_coordinator_commands_failed_total"),
		Loads:          s.metrics.Counter("ottla_coordinator_loads_total"),
		LoadsFailed:    s.metrics.Counter("ottla_coordinator_loads_failed_total"),
		LoadDuration:   s.metrics.Histogram("ottla_coordinator_load_duration_seconds"),
	}
}

// groupSettings are read once: Kafka changes none of them while a node runs.
func (s *Server) groupSettings() group.Settings {
	ms := func(name string) time.Duration { return s.view.Duration(nil, name) }
	number := func(name string) int { return int(s.view.Int(nil, name)) }
	return group.Settings{
		MinSession: ms("group.min.session.timeout.ms"), MaxSession: ms("group.max.session.timeout.ms"),
		InitialDelay:   ms("group.initial.rebalance.delay.ms"),
		MaxSize:        number("group.max.size"),
		MaxMetadata:    number("offset.metadata.max.bytes"),
		Retention:      time.Duration(number("offsets.retention.minutes")) * time.Minute,
		RetentionCheck: ms("offsets.retention.check.interval.ms"),
		Kinds:          []func(kind.Host) kind.Kind{consumer.New(s.consumerSettings()), s.shareKind(), s.streamsKind()},
	}
}

// offsetsCodec is offsets.topic.compression.codec, which is a number in Kafka.
func (s *Server) offsetsCodec() (record.Codec, error) {
	n := s.view.Int(nil, "offsets.topic.compression.codec")
	if n < int64(record.None) || n > int64(record.Zstd) {
		return 0, fmt.Errorf("offsets.topic.compression.codec is %d; it must be 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)", n)
	}
	return record.Codec(n), nil
}

func (s *Server) partitionsOf(topic string) int {
	t := s.broker.Image().TopicByName(topic)
	if t == nil {
		return 0
	}
	return len(t.Partitions)
}

// forgetTimeout bounds how long groups may take to forget a deleted topic.
const forgetTimeout = time.Minute

// follow is what the quorum calls with every step of the image: partitions
// first, then those who keep something about topics.
func (s *Server) follow(img *metadata.Image, d *metadata.Delta) {
	news, fed := s.feed(img, d)
	if fed { // before anybody hears that a topic is a delay line
		s.lines.Follow(img, news)
	}
	s.applied.moved(img)
	s.others.keeper.OnImage(img, d)
	s.others.speaker.Applied(img.Offset)
	if !fed {
		return
	}
	d = news
	s.accompanied(img)
	s.tellTopics(d)
	s.followShares(d)
	s.followEvents(d)
	s.followNodes(img, d)
	s.forgetMembers(img, d)
	if len(d.Deleted) == 0 || s.partitionsOf(broker.OffsetsTopic) == 0 {
		return
	}
	var gone group.TopicsDeleted
	for _, t := range d.Deleted {
		gone.Topics = append(gone.Topics, group.DeletedTopic{Name: t.Name, ID: t.ID})
	}
	// The offsets of a group whose partition cannot be written to at the moment
	// stay until they expire; an id tells them from those of a new topic.
	s.forgetting.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, forgetTimeout)
		defer cancel()
		for _, a := range s.groups.Each(ctx, gone) {
			if a.Err != nil {
				s.o.Logger.Warn("committed offsets of deleted topics stay until they expire", "topic", broker.OffsetsTopic,
					"partition", a.Partition, "err", a.Err)
			}
		}
	})
}
