package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// streamsSteps look at an application of Kafka Streams (KIP-1071), with its one
// instance and without.
func streamsSteps() []step {
	const tool = "kafka-streams-groups"
	return []step{
		{"streams: create", "kafka-topics", "--create --topic words --partitions 2", ""},
		{"streams: settings", "kafka-configs", "--alter --entity-type groups --entity-name counter --add-config streams.initial.rebalance.delay.ms=0", ""},
		{"streams: settings are described", "kafka-configs", "--describe --entity-type groups --entity-name counter", ""},
		{"streams: warm-up replicas", "kafka-configs", "--alter --entity-type groups --entity-name counter --add-config streams.num.warmup.replicas=1,streams.acceptable.recovery.lag=100,streams.task.offset.interval.ms=60000", ""},
		{"streams: an instance", ownTool, "streams counter words", ""},
		{"streams: list", tool, "--list", ""},
		{"streams: list by state", tool, "--list --state", ""},
		{"streams: list another state", tool, "--list --state Empty", ""},
		{"streams: describe", tool, "--describe --group counter", ""},
		{"streams: state", tool, "--describe --group counter --state", ""},
		{"streams: state in full", tool, "--describe --group counter --state --verbose", ""},
		{"streams: members", tool, "--describe --group counter --members", ""},
		{"streams: members in full", tool, "--describe --group counter --members --verbose", ""},
		{"streams: offsets", tool, "--describe --group counter --offsets", ""},
		{"streams: offsets in full", tool, "--describe --group counter --offsets --verbose", ""},
		{"streams: reset while it has members", tool, "--reset-offsets --group counter --input-topic words --to-earliest --execute", ""},
		{"streams: delete while it has members", tool, "--delete --group counter", ""},
		{"streams: leave", ownTool, "streams-leave counter", ""},
		{"streams: state without members", tool, "--describe --group counter --state", ""},
		{"streams: reset for show", tool, "--reset-offsets --group counter --input-topic words --to-earliest --dry-run", ""},
		{"streams: reset", tool, "--reset-offsets --group counter --input-topic words --to-earliest --execute", ""},
		{"streams: offsets after the reset", tool, "--describe --group counter --offsets", ""},
		{"streams: delete offsets", tool, "--delete-offsets --group counter --input-topic words", ""},
		{"streams: delete", tool, "--delete --group counter", ""},
		{"streams: describe what is gone", tool, "--describe --group counter", ""},
		{"streams: delete what is gone", tool, "--delete --group counter", ""},
	}
}

// streams lets an instance join by hand, take all tasks of an application that
// counts the records of a topic, and keeps it alive until streamsLeave.
func (s *side) streams(ctx context.Context, group, topic string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.node().Addr), kgo.ClientID("counter-client"))
	if err != nil {
		return err
	}
	if err := coordinatorKnows(ctx, c, topic, group); err != nil {
		return err
	}
	m := joining(group, topic)
	for has := 0; has < 2; {
		if has, err = beatStreams(ctx, c, m); err != nil {
			return errors.Join(err, ctx.Err())
		}
		time.Sleep(50 * time.Millisecond) // an instance's pace
	}
	if _, err := beatStreams(ctx, c, m); err != nil { // says what it has
		return err
	}
	s.keepAlive(ctx, c, func(ctx context.Context) {
		_, _ = beatStreams(ctx, c, m)
	})
	return nil
}

// joining is the first heartbeat of an instance.
func joining(group, topic string) *kmsg.StreamsGroupHeartbeatRequest {
	m := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	process := "process-a"
	m.Group, m.MemberID, m.ProcessID, m.RebalanceTimeoutMillis = group, "member-a", &process, 60_000
	sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	sub.SubtopologyID, sub.SourceTopics = "0", []string{topic}
	store := kmsg.NewTopicInfo()
	store.Topic = group + "-store-changelog"
	sub.StateChangelogTopics = append(sub.StateChangelogTopics, store)
	topology := kmsg.NewStreamsGroupHeartbeatRequestTopology()
	topology.Subtopologies = append(topology.Subtopologies, sub)
	at := kmsg.NewStreamsGroupHeartbeatRequestUserEndpoint()
	at.Host, at.Port = "counter.example", 7070
	m.UserEndpoint, m.Topology = &at, &topology
	m.ActiveTasks, m.StandbyTasks, m.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	return m
}

// beatStreams reports once and tells how many tasks the instance has.
func beatStreams(ctx context.Context, c *kgo.Client, m *kmsg.StreamsGroupHeartbeatRequest) (int, error) {
	resp, err := m.RequestWith(ctx, c.SeedBrokers()[0])
	if err != nil {
		return 0, err
	}
	switch resp.ErrorCode {
	case 0:
	case 14, 15, 16: // the coordinator is being made
		return 0, nil
	default:
		return 0, fmt.Errorf("%s reports: error %d", m.MemberID, resp.ErrorCode)
	}
	m.MemberEpoch, m.Topology, m.RebalanceTimeoutMillis, m.UserEndpoint, m.ProcessID = resp.MemberEpoch, nil, -1, nil, nil
	if resp.ActiveTasks != nil {
		m.ActiveTasks, m.StandbyTasks, m.WarmupTasks = resp.ActiveTasks, resp.StandbyTasks, resp.WarmupTasks
	}
	has := 0
	for _, t := range m.ActiveTasks {
		has += len(t.Partitions)
	}
	return has, nil
}

// streamsLeave lets the instance leave.
func (s *side) streamsLeave(ctx context.Context, group string) error {
	s.hush()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.node().Addr))
	if err != nil {
		return err
	}
	defer c.Close()
	m := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	m.Group, m.MemberID, m.MemberEpoch = group, "member-a", -1
	_, err = beatStreams(ctx, c, m)
	return err
}
