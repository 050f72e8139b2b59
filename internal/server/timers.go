package server

import (
	"context"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/kafka/post"
	"ottla/internal/kafka/timers"
	"ottla/internal/metadata"
	"ottla/internal/timer"
)

// timersPatience bounds the wait for the node that leads the topic of a timer.
const timersPatience = 15 * time.Second

// makeTiming makes the runtime of timers. What appends them needs the broker, which
// needs the runtime: it is there before the first machine is made.
func (s *Server) makeTiming() {
	s.timing = coordinator.NewRuntime(coordinator.Options{
		Topic:      broker.TimersTopic,
		Partitions: func() int { return s.partitionsOf(broker.TimersTopic) },
		New: func(p int32) coordinator.Machine {
			return timer.New(timer.Options{Shard: p, Topic: s.carrier.Topic, Carrier: s.carrier})
		},
		Now:     s.o.Live,
		Trusted: s.trusted,
		Wall:    s.o.Now,
		Logger:  s.o.Logger,
		Metrics: s.coordinatorMetrics(),
	})
}

// makeTimers makes all else that timers need; the broker is there.
func (s *Server) makeTimers() {
	s.carrier = timers.NewCarrier(timers.CarrierDeps{
		NodeID: s.nodeID, Cluster: s.core(), Partitions: s.broker, Wall: s.o.Now, Logger: s.o.Logger,
		Office: &post.Office{NodeID: s.nodeID, Partitions: s.broker, Peers: s.peers, View: s.view, Image: s.image, Timeout: timersPatience},
		Metrics: timers.Metrics{
			Appended:      s.metrics.Counter("ottla_timers_appended_total"),
			Lateness:      s.metrics.Histogram("ottla_timers_lateness_seconds"),
			GivenUp:       s.metrics.Counter("ottla_timers_failed_total"),
			FlightsFailed: s.metrics.Counter("ottla_timers_batches_failed_total"),
		},
	})
	s.timers = timers.New(timers.Deps{
		NodeID: s.nodeID, Cluster: s.core(), Timers: s.timing, Peers: s.peers, Prepare: s.prepareTopic, Partitions: s.broker,
		Wall: s.o.Now, Logger: s.o.Logger,
	})
	s.lines = timers.NewLines(timers.LinesDeps{
		NodeID: s.nodeID, Image: s.image, Partitions: s.broker, Timers: s.timers, Topic: s.carrier.Topic, Logger: s.o.Logger,
		To:        func(img *metadata.Image, topic string) string { return s.view.TopicConfig(img, topic).DeliverTo },
		Read:      s.metrics.Counter("ottla_timers_line_records_total"),
		Malformed: s.metrics.Counter("ottla_timers_line_malformed_total"),
		GivenUp:   s.metrics.Counter("ottla_timers_line_records_failed_total"),
	})
}

// Timers are those of the cluster.
func (s *Server) Timers() timer.Timers { return s.timers }

// settleTimers returns when delay lines are read and all timers that are due have
// been appended, and nothing came of that which is due as well.
func (s *Server) settleTimers(ctx context.Context) error {
	for before := int64(-1); ; {
		read, err := s.lines.Settle(ctx)
		if err != nil {
			return err
		}
		if err := s.timers.Settle(ctx); err != nil || read == before {
			return err
		}
		before = read
	}
}

// measureTimers declares what is asked of the coordinators of timers.
func (s *Server) measureTimers() {
	s.metrics.Funcs("ottla_timers_pending", func() map[string]float64 {
		ctx, cancel := context.WithTimeout(s.ctx, groupsPatience)
		defer cancel()
		all, late := s.timers.Counts(ctx)
		return map[string]float64{"waiting": float64(all - late), "due": float64(late)}
	})
}

// stopTimers stops who reads delay lines, the coordinators of timers, and who
// appends for them.
func (s *Server) stopTimers() {
	if s.lines != nil {
		s.lines.Close()
	}
	if s.timing != nil {
		s.timing.Close()
	}
	if s.carrier != nil {
		s.carrier.Close()
	}
}
