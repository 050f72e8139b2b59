package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"ottla/test/interop/crowd"
)

// segmentio is kafka-go in all scenarios. Its producer is not idempotent.
type segmentio struct {
	addr, prefix string
	client       *kafka.Client
}

func runSegmentio(addr, prefix string) error {
	s := &segmentio{addr: addr, prefix: prefix, client: &kafka.Client{Addr: kafka.TCP(crowd.Addresses(addr)...), Timeout: 20 * time.Second}}
	for _, story := range crowd.PlainStories(s, base(), false, crowd.AskRestart) {
		crowd.Tell(story.Name, story.Tell(s))
	}
	for _, story := range crowd.Stories(crowd.AskRestart) {
		if story.Name != "static" {
			crowd.Tell(story.Name, story.Tell(s))
		}
	}
	return nil
}

// again asks once more for each connection to a node that a restart may have cut: the
// library does not try these requests again.
func again[T any](ask func() (T, error)) (T, error) {
	answer, err := ask()
	for range crowd.Replicas() {
		if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			break
		}
		answer, err = ask()
	}
	return answer, err
}

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), crowd.Within)
}

// Make makes a topic with settings and tells its name.
func (s *segmentio) Make(name string, partitions int, configs map[string]string) (string, error) {
	ctx, cancel := limited()
	defer cancel()
	topic := s.prefix + "-" + name
	want := kafka.TopicConfig{Topic: topic, NumPartitions: partitions, ReplicationFactor: crowd.Replicas()}
	for k, v := range configs {
		want.ConfigEntries = append(want.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	answer, err := again(func() (*kafka.CreateTopicsResponse, error) {
		return s.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{want}})
	})
	if err != nil {
		return topic, err
	}
	return topic, answer.Errors[topic]
}

// Create makes a topic and tells its name.
func (s *segmentio) Create(name string, partitions int) (string, error) {
	return s.Make(name, partitions, nil)
}

// Partitions counts the partitions of a topic.
func (s *segmentio) Partitions(topic string) (int, error) {
	ctx, cancel := limited()
	defer cancel()
	seen, err := s.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	return len(seen.Topics[0].Partitions), nil
}

// Exists tells whether the topic was there already.
func (s *segmentio) Exists(err error) bool { return errors.Is(err, kafka.TopicAlreadyExists) }

// TooLarge tells whether the message was too large.
func (s *segmentio) TooLarge(err error) bool {
	var each kafka.WriteErrors
	if errors.As(err, &each) && len(each) > 0 {
		err = each[0]
	}
	return errors.Is(err, kafka.MessageSizeTooLarge)
}

var compressions = map[string]kafka.Compression{"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}

// byPartition takes the partition that the message names.
type byPartition struct{}

// Balance takes the partition that the message names.
func (byPartition) Balance(m kafka.Message, _ ...int) int { return m.WriterData.(int) }

// Produce sends records with a codec and waits for the answers.
func (s *segmentio) Produce(topic, codec string, records []crowd.Content) error {
	ctx, cancel := limited()
	defer cancel()
	w := &kafka.Writer{Addr: kafka.TCP(crowd.Addresses(s.addr)...), Topic: topic, RequiredAcks: kafka.RequireAll, Compression: compressions[codec],
		Balancer: byPartition{}, BatchBytes: 9 << 20, BatchTimeout: 5 * time.Millisecond, MaxAttempts: 50, WriteBackoffMax: 300 * time.Millisecond}
	var all []kafka.Message
	for _, r := range records {
		m := kafka.Message{Key: r.Key, Value: r.Value, WriterData: r.Partition}
		if r.N != "" {
			m.Headers = []kafka.Header{{Key: "n", Value: []byte(r.N)}, {Key: "empty", Value: []byte{}}}
		}
		if r.Millis != 0 {
			m.Time = time.UnixMilli(r.Millis)
		}
		all = append(all, m)
	}
	err := w.WriteMessages(ctx, all...)
	return errors.Join(err, w.Close())
}

// Follow reads a partition from its start until got has had enough.
func (s *segmentio) Follow(topic string, partition int, got func(int64, crowd.Content) bool) error {
	ctx, cancel := limited()
	defer cancel()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: crowd.Addresses(s.addr), Topic: topic, Partition: partition, MaxWait: 200 * time.Millisecond, MaxBytes: 10 << 20})
	defer r.Close()
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		c := crowd.Content{Key: m.Key, Value: m.Value, Millis: m.Time.UnixMilli()}
		if len(m.Headers) == 2 && m.Headers[0].Key == "n" && m.Headers[1].Key == "empty" && len(m.Headers[1].Value) == 0 {
			c.N = string(m.Headers[0].Value)
		}
		if !got(m.Offset, c) {
			return nil
		}
	}
}

func (s *segmentio) offset(topic string, at kafka.OffsetRequest) (kafka.PartitionOffsets, error) {
	ctx, cancel := limited()
	defer cancel()
	answer, err := s.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {at}}})
	if err != nil {
		return kafka.PartitionOffsets{}, err
	}
	found := answer.Topics[topic][0]
	return found, found.Error
}

// OffsetAt is the first offset at or after a time.
func (s *segmentio) OffsetAt(topic string, partition int, millis int64) (int64, error) {
	found, err := s.offset(topic, kafka.TimeOffsetOf(partition, time.UnixMilli(millis)))
	for o := range found.Offsets {
		return o, err
	}
	return -1, err
}

// End is the end of a partition.
func (s *segmentio) End(topic string, partition int) (int64, error) {
	found, err := s.offset(topic, kafka.LastOffsetOf(partition))
	return found.LastOffset, err
}

// Ends are the ends of a topic's partitions: the producer is not idempotent.
func (s *segmentio) Ends(topic string, partitions int) (map[int32]int64, error) {
	out := map[int32]int64{}
	for p := range partitions {
		end, err := again(func() (int64, error) { return s.End(topic, p) })
		if err != nil {
			return nil, err
		}
		out[int32(p)] = end
	}
	return out, nil
}

// Send sends numbered records to all partitions.
func (s *segmentio) Send(topic string, partitions, first, last int) error {
	return s.Produce(topic, "none", numbered(partitions, first, last))
}

// Committed are a group's offsets by partition.
func (s *segmentio) Committed(group, topic string, partitions int) (map[int32]int64, error) {
	ctx, cancel := limited()
	defer cancel()
	var parts []int
	for p := range partitions {
		parts = append(parts, p)
	}
	want := &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: parts}}
	found, err := again(func() (*kafka.OffsetFetchResponse, error) { return s.client.OffsetFetch(ctx, want) })
	if err != nil {
		return nil, err
	}
	out := map[int32]int64{}
	for _, p := range found.Topics[topic] {
		out[int32(p.Partition)] = p.CommittedOffset
	}
	return out, found.Error
}

func (s *segmentio) describe(group string) (kafka.DescribeGroupsResponseGroup, error) {
	ctx, cancel := limited()
	defer cancel()
	answer, err := again(func() (*kafka.DescribeGroupsResponse, error) {
		return s.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	})
	if err != nil {
		return kafka.DescribeGroupsResponseGroup{}, err
	}
	return answer.Groups[0], answer.Groups[0].Error
}

// Describe is a group's state and who is in it.
func (s *segmentio) Describe(group string) (string, []string, error) {
	g, err := s.describe(group)
	var clients []string
	for _, m := range g.Members {
		clients = append(clients, m.ClientID)
	}
	return g.GroupState, clients, err
}

// List names the groups.
func (s *segmentio) List() ([]string, error) {
	ctx, cancel := limited()
	defer cancel()
	answer, err := again(func() (*kafka.ListGroupsResponse, error) { return s.client.ListGroups(ctx, &kafka.ListGroupsRequest{}) })
	if err != nil {
		return nil, err
	}
	var out []string
	for _, g := range answer.Groups {
		out = append(out, g.GroupID)
	}
	return out, answer.Error
}

// Delete deletes a group and tells the code of the answer.
func (s *segmentio) Delete(group string) (string, error) {
	ctx, cancel := limited()
	defer cancel()
	answer, err := again(func() (*kafka.DeleteGroupsResponse, error) {
		return s.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	})
	if err != nil {
		return "", err
	}
	switch err := answer.Errors[group]; {
	case err == nil:
		return "NONE", nil
	case errors.Is(err, kafka.NonEmptyGroup):
		return "NON_EMPTY_GROUP", nil
	default:
		return "", fmt.Errorf("delete: %w", err)
	}
}

// segmentioMember follows the library's generations: what an application with
// more than its Reader to do is built on, and the only way to see assignments.
type segmentioMember struct {
	group *kafka.ConsumerGroup
	topic string
	got   func(crowd.Record)
	stop  context.CancelFunc
	ended chan struct{}

	mu          sync.Mutex // guards the rest
	generation  *kafka.Generation
	owned       []int32
	assignments int
	next        map[int]int64
}

// Join starts a member of a group.
func (s *segmentio) Join(group, topic, _ string, got func(crowd.Record)) (crowd.Member, error) {
	g, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: group, Brokers: crowd.Addresses(s.addr), Topics: []string{topic},
		Dialer:            &kafka.Dialer{ClientID: "interop", Timeout: 10 * time.Second},
		HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second,
		JoinGroupBackoff: 200 * time.Millisecond, StartOffset: kafka.FirstOffset})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &segmentioMember{group: g, topic: topic, got: got, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			if next, err := g.Next(ctx); err == nil {
				m.begin(s.addr, next)
			}
		}
	}()
	return m, nil
}

// begin reads what a generation gives; the library ends the readers before it
// joins the next.
func (m *segmentioMember) begin(addr string, g *kafka.Generation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation, m.owned, m.next = g, nil, map[int]int64{}
	m.assignments++
	for _, a := range g.Assignments[m.topic] {
		m.owned = append(m.owned, int32(a.ID))
		g.Start(func(ctx context.Context) { m.read(ctx, addr, a) })
	}
	g.Start(func(ctx context.Context) {
		<-ctx.Done()
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.generation == g {
			m.owned = nil
		}
	})
}

func (m *segmentioMember) read(ctx context.Context, addr string, a kafka.PartitionAssignment) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: crowd.Addresses(addr), Topic: m.topic, Partition: a.ID, MaxWait: 200 * time.Millisecond, MaxBytes: 10 << 20})
	defer r.Close()
	if err := r.SetOffset(a.Offset); err != nil {
		return
	}
	for {
		record, err := r.ReadMessage(ctx)
		if err != nil {
			return
		}
		n, err := strconv.Atoi(string(record.Value))
		if err != nil {
			return
		}
		m.mu.Lock()
		m.next[a.ID] = record.Offset + 1
		m.mu.Unlock()
		m.got(crowd.Record{Partition: int32(a.ID), Offset: record.Offset, Number: n})
	}
}

// Owned are the partitions that the member has now, and how often it was given
// some.
func (m *segmentioMember) Owned() ([]int32, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.owned), m.assignments
}

// Commit commits offsets as this member.
func (m *segmentioMember) Commit(offsets map[int32]int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[int]int64{}
	for p, o := range m.next {
		all[p] = o
	}
	if offsets != nil {
		clear(all)
	}
	for p, o := range offsets {
		all[int(p)] = o
	}
	want := map[string]map[int]int64{m.topic: all}
	_, err := again(func() (struct{}, error) { return struct{}{}, m.generation.CommitOffsets(want) })
	return err
}

// Leave ends the member.
func (m *segmentioMember) Leave() error {
	m.stop()
	<-m.ended
	return m.group.Close()
}
