package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/coordinator"
)

// consumerSteps look at a group of the consumer protocol (KIP-848) with its
// members, without, and from the log.
func consumerSteps() []step {
	const tool = "kafka-consumer-groups"
	return []step{
		{"consumers: create", "kafka-topics", "--create --topic served --partitions 3", ""},
		{"consumers: two members", ownTool, "members served served", ""},
		{"consumers: list", tool, "--list --type consumer --state", ""},
		{"consumers: state", tool, "--describe --group served-group --state", ""},
		{"consumers: state in full", tool, "--describe --group served-group --state --verbose", ""},
		{"consumers: members", tool, "--describe --group served-group --members", ""},
		{"consumers: members in full", tool, "--describe --group served-group --members --verbose", ""},
		{"consumers: offsets", tool, "--describe --group served-group", ""},
		{"consumers: offsets in full", tool, "--describe --group served-group --offsets --verbose", ""},
		{"consumers: delete while it has members", tool, "--delete --group served-group", ""},
		{"consumers: reset while it has members", tool, "--reset-offsets --group served-group --topic served:0 --to-earliest --execute", ""},
		{"consumers: leave", ownTool, "members-leave served", ""},
		{"consumers: state without members", tool, "--describe --group served-group --state --verbose", ""},
		{"consumers: reset", tool, "--reset-offsets --group served-group --topic served:0 --to-earliest --execute", ""},
		{"consumers: settings of a group", "kafka-configs", "--alter --entity-type groups --entity-name served-group --add-config consumer.heartbeat.interval.ms=6000", ""},
		{"consumers: settings are described", "kafka-configs", "--describe --entity-type groups --entity-name served-group", ""},
		{"consumers: delete", tool, "--delete --group served-group", ""},
		{"consumers: log", ownTool, "members-log served", ""},
	}
}

// keepAlive has members report until they shall be silent; a failure is seen by
// the steps that follow.
func (s *side) keepAlive(ctx context.Context, c *kgo.Client, beat func(context.Context)) {
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	s.silence = func() { stop(); <-ended; c.Close() }
	go func() {
		defer close(ended)
		for {
			select {
			case <-alive.Done():
				return
			case <-time.After(5 * time.Second):
				beat(alive)
			}
		}
	}()
}

// hush ends the members that are kept alive, if there are any.
func (s *side) hush() {
	if s.silence != nil {
		s.silence()
		s.silence = nil
	}
}

// members lets two members, a and b, join a group, settle and commit, and keeps
// them alive until membersLeave. The epochs at which they are hang on how often
// the group was assigned anew, so all of it is done in an order that is always
// the same.
func (s *side) members(ctx context.Context, topic, group string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.node().Addr), kgo.ClientID("served-client"))
	if err != nil {
		return err
	}
	if err := coordinatorKnows(ctx, c, topic, group+"-group"); err != nil {
		return err
	}
	a, b := &servedMember{c: c, group: group + "-group", id: "member-a", topic: topic}, &servedMember{c: c, group: group + "-group", id: "member-b", topic: topic}
	for _, turn := range []struct {
		who  *servedMember
		want int
	}{{a, 3}, {b, 0}, {a, -1}, {b, -1}, {a, -1}} {
		if err := turn.who.until(ctx, turn.want); err != nil {
			return err
		}
	}
	s.keepAlive(ctx, c, func(ctx context.Context) {
		_, _ = a.beat(ctx)
		_, _ = b.beat(ctx)
	})
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group, commit.MemberID, commit.Generation = a.group, a.id, a.epoch
	row := kmsg.NewOffsetCommitRequestTopic()
	row.Topic, row.TopicID = topic, a.owned[0].TopicID
	part := kmsg.NewOffsetCommitRequestTopicPartition()
	part.Offset = 0
	row.Partitions = append(row.Partitions, part)
	commit.Topics = append(commit.Topics, row)
	resp, err := commit.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		return fmt.Errorf("the commit got error %d", code)
	}
	return nil
}

// coordinatorKnows waits until the coordinator of a group knows a topic, which was made a
// moment ago: an epoch more would be counted otherwise. A member of another group
// of the same partition asks, and leaves nothing behind.
func coordinatorKnows(ctx context.Context, c *kgo.Client, topic, group string) error {
	probe, err := beside(group)
	if err != nil {
		return err
	}
	m := &servedMember{c: c, group: probe, id: "member-probe", topic: topic}
	for m.has() == 0 {
		if _, err := m.beat(ctx); err != nil {
			return errors.Join(err, ctx.Err())
		}
		time.Sleep(20 * time.Millisecond) // a member's pace
	}
	m.epoch, m.owned = -1, nil
	if _, err := m.beat(ctx); err != nil {
		return err
	}
	_, err = kadm.NewClient(c).DeleteGroup(ctx, probe)
	return err
}

// states tells where the states of groups are, of 50 partitions.
var states = coordinator.NewRuntime(coordinator.Options{Partitions: func() int { return 50 }})

// beside names a group whose state is in the partition of another's.
func beside(group string) (string, error) {
	want, err := states.PartitionFor(group)
	if err != nil {
		return "", err
	}
	for i := 0; ; i++ {
		probe := "probe-" + strconv.Itoa(i)
		if at, err := states.PartitionFor(probe); err != nil || at == want {
			return probe, err
		}
	}
}

// membersLeave lets them leave.
func (s *side) membersLeave(ctx context.Context, group string) error {
	s.hush()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.node().Addr))
	if err != nil {
		return err
	}
	defer c.Close()
	for _, id := range []string{"member-a", "member-b"} {
		req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		req.Group, req.MemberID, req.MemberEpoch = group+"-group", id, -1
		resp, err := req.RequestWith(ctx, c)
		if err != nil {
			return err
		}
		if resp.ErrorCode != 0 {
			return fmt.Errorf("%s leaves: error %d", id, resp.ErrorCode)
		}
	}
	return nil
}

// metadataHash is a number of each broker's own.
var metadataHash = regexp.MustCompile(`"metadataHash":-?\d+`)

// membersLog shows the group's records in the log, without its offsets.
func (s *side) membersLog(ctx context.Context, group string) ([]string, error) {
	lines, err := s.dumped(ctx, "__consumer_offsets", "--offsets-decoder", []string{group + "-group"})
	var out []string
	for _, line := range lines {
		if at := strings.Index(line, `key: {"type":"`); at >= 0 && strings.Contains(line[at:], `"groupId":`) {
			out = append(out, "out "+metadataHash.ReplaceAllString(line[at:], `"metadataHash":N`))
		}
	}
	return out, err
}

// servedMember is a member by hand.
type servedMember struct {
	c                *kgo.Client
	group, id, topic string
	epoch            int32
	owned            []kmsg.ConsumerGroupHeartbeatRequestTopic
}

// until reports until the member has so many partitions, or with -1 until it
// hears no news twice.
func (m *servedMember) until(ctx context.Context, want int) error {
	for quiet := 0; ctx.Err() == nil; {
		news, err := m.beat(ctx)
		switch {
		case err != nil:
			return err
		case want >= 0 && m.has() == want:
			return nil
		case news:
			quiet = 0
		default:
			quiet++
		}
		if want < 0 && quiet > 1 {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // a member's pace
	}
	return fmt.Errorf("%s has %d partitions at epoch %d: %w", m.id, m.has(), m.epoch, ctx.Err())
}

func (m *servedMember) has() (n int) {
	for _, t := range m.owned {
		n += len(t.Partitions)
	}
	return n
}

// beat reports once and tells whether there was news.
func (m *servedMember) beat(ctx context.Context) (bool, error) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch, req.RebalanceTimeoutMillis = m.group, m.id, m.epoch, -1
	req.Topics = append([]kmsg.ConsumerGroupHeartbeatRequestTopic{}, m.owned...)
	if m.epoch == 0 {
		req.RebalanceTimeoutMillis, req.SubscribedTopicNames = 60000, []string{m.topic}
	}
	resp, err := req.RequestWith(ctx, m.c)
	if errors.Is(err, kerr.CoordinatorNotAvailable) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	switch resp.ErrorCode {
	case 0:
	case 14, 15, 16: // the coordinator is being made
		return true, nil
	default:
		return false, fmt.Errorf("%s reports: error %d", m.id, resp.ErrorCode)
	}
	news := resp.MemberEpoch != m.epoch
	m.epoch = resp.MemberEpoch
	if resp.Assignment != nil {
		m.owned, news = nil, true
		for _, t := range resp.Assignment.Topics {
			m.owned = append(m.owned, kmsg.ConsumerGroupHeartbeatRequestTopic{TopicID: t.TopicID, Partitions: t.Partitions})
		}
	}
	return news, nil
}
