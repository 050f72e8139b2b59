package kafkatools

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/words"
)

// described is what is known of one topic.
type described struct {
	kmsg.DescribeTopicPartitionsResponseTopic
	overrides []string // key=value, of the topic itself, sorted
	minISR    int
	moving    map[int32]kadm.ListPartitionReassignmentsResponse
}

func describeTopics(ctx context.Context, c *call, client *kgo.Client, a *kadm.Client) error {
	names, err := topicsToDescribe(ctx, c, a)
	if err != nil || len(names) == 0 {
		return err
	}
	topics, err := describeAll(ctx, client, a, names)
	if err != nil {
		return err
	}
	cluster, err := a.BrokerMetadata(ctx)
	if err != nil {
		return words.Of(err, "")
	}
	live := cluster.Brokers.NodeIDs()
	show := reportOf(c, live)
	heads := !c.any("under-replicated-partitions", "unavailable-partitions", "under-min-isr-partitions", "at-min-isr-partitions")
	overridden := c.has("topics-with-overrides")
	for _, t := range topics {
		if heads && (!overridden || len(t.overrides) > 0) {
			t.printHead(c)
		}
		for i := range t.Partitions {
			if p := &t.Partitions[i]; !overridden && show(t, p) {
				t.printPartition(c, p)
			}
		}
	}
	return nil
}

func topicsToDescribe(ctx context.Context, c *call, a *kadm.Client) ([]string, error) {
	id := c.value("topic-id", "")
	if id == "" || id == topicID([16]byte{}) {
		return c.matchingTopics(ctx, a, true)
	}
	if c.has("topic") && c.has("if-exists") {
		c.printf("Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID\n")
	}
	all, err := a.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, words.Of(err, "")
	}
	for _, t := range all {
		if topicID(t.ID) == id {
			return []string{t.Topic}, nil
		}
	}
	if c.has("if-exists") {
		return nil, nil
	}
	return nil, words.New("TopicId '%s' does not exist as expected", id)
}

// describeAll asks for partitions, settings and running reassignments.
func describeAll(ctx context.Context, client *kgo.Client, a *kadm.Client, names []string) ([]*described, error) {
	partitions, err := describePartitions(ctx, client, names)
	if err != nil {
		return nil, err
	}
	configs, err := a.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, words.Of(err, "")
	}
	var out []*described
	for _, t := range partitions {
		if err := words.Of(kerr.ErrorForCode(t.ErrorCode), ""); err != nil {
			return nil, err
		}
		d := &described{DescribeTopicPartitionsResponseTopic: t, minISR: 1}
		slices.SortFunc(d.Partitions, func(a, b kmsg.DescribeTopicPartitionsResponseTopicPartition) int {
			return int(a.Partition - b.Partition)
		})
		own, err := configs.On(orEmpty(t.Topic), nil)
		if err != nil {
			return nil, words.Of(err, "")
		}
		d.settings(own.Configs)
		out = append(out, d)
	}
	// A cluster that lists no reassignments (older, or not allowed to us) is
	// described without them, as Kafka's tool does.
	moving, err := a.ListPartitionReassignments(ctx, nil)
	if err == nil {
		for _, d := range out {
			d.moving = moving[orEmpty(d.Topic)]
		}
	}
	return out, nil
}

func (d *described) settings(configs []kadm.Config) {
	for _, s := range configs {
		if s.Value == nil {
			continue
		}
		if s.Key == "min.insync.replicas" {
			if n, err := strconv.Atoi(*s.Value); err == nil {
				d.minISR = n
			}
		}
		if s.Source != kmsg.ConfigSourceDefaultConfig {
			d.overrides = append(d.overrides, s.Key+"="+*s.Value)
		}
	}
	slices.Sort(d.overrides)
}

// describePartitions asks DescribeTopicPartitions, page by page, and Metadata
// where a server is older than that (KIP-966).
func describePartitions(ctx context.Context, client *kgo.Client, names []string) ([]kmsg.DescribeTopicPartitionsResponseTopic, error) {
	var out []kmsg.DescribeTopicPartitionsResponseTopic
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	for _, n := range names {
		t := kmsg.NewDescribeTopicPartitionsRequestTopic()
		t.Topic = n
		req.Topics = append(req.Topics, t)
	}
	for {
		resp, err := req.RequestWith(ctx, client)
		var hungUp *kgo.ErrFirstReadEOF // what a server does that does not know the request
		if words.TooOld(err) || errors.As(err, &hungUp) {
			return partitionsOfMetadata(ctx, client, names)
		}
		if err != nil {
			return nil, words.Of(err, "")
		}
		for _, t := range resp.Topics {
			if n := len(out); n > 0 && orEmpty(out[n-1].Topic) == orEmpty(t.Topic) {
				out[n-1].Partitions = append(out[n-1].Partitions, t.Partitions...)
				continue
			}
			out = append(out, t)
		}
		if resp.NextCursor == nil {
			return out, nil
		}
		cursor := kmsg.NewDescribeTopicPartitionsRequestCursor()
		cursor.Topic, cursor.Partition = resp.NextCursor.Topic, resp.NextCursor.Partition
		req.Cursor = &cursor
		rest, _ := slices.BinarySearchFunc(req.Topics, cursor.Topic, func(t kmsg.DescribeTopicPartitionsRequestTopic, name string) int {
			return strings.Compare(t.Topic, name)
		})
		req.Topics = req.Topics[rest:]
	}
}

func partitionsOfMetadata(ctx context.Context, client *kgo.Client, names []string) ([]kmsg.DescribeTopicPartitionsResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, n := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &n
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, words.Of(err, "")
	}
	var out []kmsg.DescribeTopicPartitionsResponseTopic
	for _, t := range resp.Topics {
		d := kmsg.NewDescribeTopicPartitionsResponseTopic()
		d.Topic, d.TopicID, d.ErrorCode, d.IsInternal = t.Topic, t.TopicID, t.ErrorCode, t.IsInternal
		for _, p := range t.Partitions {
			q := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
			q.Partition, q.LeaderID, q.Replicas, q.ISR = p.Partition, p.Leader, p.Replicas, p.ISR
			d.Partitions = append(d.Partitions, q)
		}
		out = append(out, d)
	}
	return out, nil
}

type partition = kmsg.DescribeTopicPartitionsResponseTopicPartition

// reportOf is the filter that the command line asks for.
func reportOf(c *call, live []int32) func(*described, *partition) bool {
	switch {
	case c.has("under-replicated-partitions"):
		return func(d *described, p *partition) bool { return d.replicas(p) > len(p.ISR) }
	case c.has("unavailable-partitions"):
		return func(_ *described, p *partition) bool { return !slices.Contains(live, p.LeaderID) }
	case c.has("under-min-isr-partitions"):
		return func(d *described, p *partition) bool { return p.LeaderID < 0 || len(p.ISR) < d.minISR }
	case c.has("at-min-isr-partitions"):
		return func(d *described, p *partition) bool { return len(p.ISR) == d.minISR }
	}
	return func(*described, *partition) bool { return true }
}

// replicas is how many replicas a partition is to have, without those that a
// reassignment is adding.
func (d *described) replicas(p *partition) int {
	if m, ok := d.moving[p.Partition]; ok {
		return len(p.Replicas) - len(m.AddingReplicas)
	}
	return len(p.Replicas)
}

func (d *described) printHead(c *call) {
	c.printf("Topic: %s", orEmpty(d.Topic))
	if d.TopicID != [16]byte{} {
		c.printf("\tTopicId: %s", topicID(d.TopicID))
	}
	factor := 0
	if len(d.Partitions) > 0 {
		factor = d.replicas(&d.Partitions[0])
	}
	c.printf("\tPartitionCount: %d\tReplicationFactor: %d\tConfigs: %s\n", len(d.Partitions), factor, strings.Join(d.overrides, ","))
}

func (d *described) printPartition(c *call, p *partition) {
	leader := "none"
	if p.LeaderID >= 0 {
		leader = strconv.Itoa(int(p.LeaderID))
	}
	c.printf("\tTopic: %s\tPartition: %d\tLeader: %s\tReplicas: %s\tIsr: %s", orEmpty(d.Topic), p.Partition, leader, ids(p.Replicas), ids(p.ISR))
	if m, ok := d.moving[p.Partition]; ok {
		c.printf("\tAdding Replicas: %s\tRemoving Replicas: %s", ids(m.AddingReplicas), ids(m.RemovingReplicas))
	}
	c.printf("\tElr: %s\tLastKnownElr: %s\n", idsOrNone(p.EligibleLeaderReplicas), idsOrNone(p.LastKnownELR))
}

func ids(list []int32) string {
	s := make([]string, len(list))
	for i, id := range list {
		s[i] = strconv.Itoa(int(id))
	}
	return strings.Join(s, ",")
}

func idsOrNone(list []int32) string {
	if list == nil {
		return "N/A"
	}
	return ids(list)
}
