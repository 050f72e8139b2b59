package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/broker"
	"ottla/internal/event/envelope"
	"ottla/internal/event/material"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
	"ottla/internal/event/schedule"
	"ottla/internal/event/sns"
)

// makeSchedules makes schedules; objects, timers, queues and functions are there.
func (s *Server) makeSchedules() error {
	guard, err := outbound.NewGuard(outbound.GuardOptions{Allow: s.allowedTargets(), Loopback: s.o.LoopbackTargets, Own: s.ownPorts})
	if err != nil {
		return fmt.Errorf("outbound.allow.targets: %w", err)
	}
	e := &s.events
	e.outbound = outbound.New(outbound.Options{Guard: guard, Agent: "ottla/" + s.o.Version})
	e.schedules = schedule.New(schedule.Options{
		Objects: e.objects, Timers: s.timers, Queues: e.queues, HTTP: e.outbound, Buses: places{s}, Notices: places{s}, Functions: e.buses.functions,
		Client: s.eventClient, Partitions: s.partitionsOf, MostBytes: s.mostBytes, Leads: s.leads, Create: s.makeScheduleTopics,
		Now: s.o.Now, Logger: s.o.Logger, Metrics: s.metrics,
	})
	return nil
}

// places are buses and SNS topics as schedules see them, which are made before those.
type places struct{ s *Server }

// errMaking is what runs hear that come before all is made.
var errMaking = errors.New("this node is starting")

// Record makes an event the record of a bus.
func (p places) Record(ctx context.Context, ref name.Ref, e *envelope.Event) (*kgo.Record, error) {
	if !p.s.events.made.Load() {
		return nil, errMaking
	}
	return p.s.events.buses.bus.Record(ctx, ref, e)
}

// RecordOf makes a message the record of an SNS topic.
func (p places) RecordOf(topic name.Ref, m sns.Message, delivery, group string) (*kgo.Record, error) {
	if !p.s.events.made.Load() {
		return nil, errMaking
	}
	return p.s.events.buses.sns.RecordOf(topic, m, delivery, group)
}

// allowedTargets are the words of outbound.allow.targets.
func (s *Server) allowedTargets() []string {
	var out []string
	for word := range strings.SplitSeq(s.view.String(nil, "outbound.allow.targets"), ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

// ownPorts are where this node listens.
func (s *Server) ownPorts() []netip.AddrPort {
	ports := s.kafkaPorts
	if s.httpPort != nil {
		ports = append(ports[:len(ports):len(ports)], s.httpPort)
	}
	var out []netip.AddrPort
	for _, p := range ports {
		if a, err := netip.ParseAddrPort(p.Addr().String()); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// leads tells whether this node leads a partition.
func (s *Server) leads(topic string, partition int32) bool {
	t := s.image().TopicByName(topic)
	return t != nil && int(partition) < len(t.Partitions) && t.Partitions[partition].Leader == s.nodeID
}

// makeScheduleTopics makes the topics of schedules.
func (s *Server) makeScheduleTopics(ctx context.Context) error {
	if s.partitionsOf(schedule.StateTopic) > 0 && s.partitionsOf(schedule.WakeTopic) > 0 {
		return nil
	}
	compact := map[string]string{"cleanup.policy": "compact"}
	if err := s.makeEventTopic(ctx, schedule.StateTopic, schedule.Partitions, compact); err != nil {
		return err
	}
	return s.makeEventTopic(ctx, schedule.WakeTopic, schedule.Partitions, kept(3600_000))
}

// kept are the settings of a topic that keeps records for so many ms.
func kept(ms int64) map[string]string {
	return map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(ms, 10), "segment.ms": material.SegmentMs(ms)}
}

// makeEventTopic makes a topic that the event layer keeps for itself, unless it is
// there, and returns when it serves.
func (s *Server) makeEventTopic(ctx context.Context, topic string, partitions int32, settings map[string]string) error {
	c, err := s.eventClient()
	if err != nil {
		return fmt.Errorf("make the topic %s: %w", topic, err)
	}
	defer c.Close()
	replicas, inSync := broker.EventReplicas(s.image().BrokerCount())
	all := map[string]*string{}
	set := func(name, value string) { all[name] = &value }
	set("unclean.leader.election.enable", "false")
	set("durability", "fsync")
	set("max.message.bytes", strconv.Itoa(object.MostBytes))                    // whatever other topics take
	set("message.timestamp.after.max.ms", strconv.FormatInt(math.MaxInt64, 10)) // nodes' clocks may differ, and be moved
	set("min.insync.replicas", strconv.Itoa(inSync))
	for name, value := range settings {
		set(name, value)
	}
	made, err := kadm.NewClient(c).CreateTopic(ctx, partitions, int16(replicas), all, topic)
	if err == nil {
		err = made.Err
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("make the topic %s: %w", topic, err)
	}
	return nil
}

// settleSchedules returns when all runs that are due have been delivered, and what
// they set off as well.
func (s *Server) settleSchedules(ctx context.Context) error {
	if s.events.schedules == nil || s.partitionsOf(schedule.StateTopic) == 0 {
		return nil
	}
	if err := s.events.schedules.Settle(ctx); err != nil {
		return fmt.Errorf("run the schedules that are due: %w", err)
	}
	return s.settleTimers(ctx)
}

// Schedules are the cluster's schedules.
func (s *Server) Schedules() *schedule.Service { return s.events.schedules }
