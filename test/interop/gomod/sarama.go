package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"ottla/test/interop/crowd"
)

// saramaClient is sarama in all scenarios.
type saramaClient struct {
	addrs  []string
	prefix string
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID = "interop"
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.Idempotent, c.Producer.RequiredAcks, c.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
	c.Producer.Retry.Max = 100
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.MaxMessageBytes = 9 << 20
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	c.Consumer.MaxWaitTime = 200 * time.Millisecond
	c.Metadata.Retry.Max = 50
	c.Consumer.Group.Rebalance.Retry.Max = 100
	return c
}

func runSarama(addr, prefix string) error {
	s := &saramaClient{addrs: crowd.Addresses(addr), prefix: prefix}
	for _, story := range crowd.PlainStories(s, base(), true, crowd.AskRestart) {
		crowd.Tell(story.Name, story.Tell(s))
	}
	for _, story := range crowd.Stories(crowd.AskRestart) {
		crowd.Tell(story.Name, story.Tell(s))
	}
	return nil
}

// ask does something with an admin client of its own: one that a restart has cut a
// connection of gives EOF for whatever goes that way.
func (s *saramaClient) ask(work func(sarama.ClusterAdmin) error) (err error) {
	admin, err := sarama.NewClusterAdmin(s.addrs, config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	return work(admin)
}

// Make makes a topic with settings and tells its name.
func (s *saramaClient) Make(name string, partitions int, configs map[string]string) (string, error) {
	topic := s.prefix + "-" + name
	entries := map[string]*string{}
	for k, v := range configs {
		entries[k] = &v
	}
	want := &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: int16(crowd.Replicas()), ConfigEntries: entries}
	return topic, s.ask(func(admin sarama.ClusterAdmin) error { return admin.CreateTopic(topic, want, false) })
}

// Create makes a topic and tells its name.
func (s *saramaClient) Create(name string, partitions int) (string, error) {
	return s.Make(name, partitions, nil)
}

// Partitions counts the partitions of a topic.
func (s *saramaClient) Partitions(topic string) (int, error) {
	var seen []*sarama.TopicMetadata
	err := s.ask(func(admin sarama.ClusterAdmin) (err error) {
		seen, err = admin.DescribeTopics([]string{topic})
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(seen[0].Partitions), nil
}

// Exists tells whether the topic was there already.
func (s *saramaClient) Exists(err error) bool { return errors.Is(err, sarama.ErrTopicAlreadyExists) }

// TooLarge tells whether the message was too large.
func (s *saramaClient) TooLarge(err error) bool { return errors.Is(err, sarama.ErrMessageSizeTooLarge) }

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

// Produce sends records with a codec and waits for the answers.
func (s *saramaClient) Produce(topic, codec string, records []crowd.Content) error {
	c := config()
	c.Producer.Compression = codecs[codec]
	p, err := sarama.NewSyncProducer(s.addrs, c)
	if err != nil {
		return err
	}
	var all []*sarama.ProducerMessage
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: topic, Partition: int32(r.Partition)}
		if r.Key != nil {
			m.Key = sarama.ByteEncoder(r.Key)
		}
		if r.Value != nil {
			m.Value = sarama.ByteEncoder(r.Value)
		}
		if r.N != "" {
			m.Headers = []sarama.RecordHeader{{Key: []byte("n"), Value: []byte(r.N)}, {Key: []byte("empty"), Value: []byte{}}}
		}
		if r.Millis != 0 {
			m.Timestamp = time.UnixMilli(r.Millis)
		}
		all = append(all, m)
	}
	err = p.SendMessages(all)
	var each sarama.ProducerErrors
	if errors.As(err, &each) {
		err = each[0].Err
	}
	return errors.Join(err, p.Close())
}

// Follow reads a partition from its start until got has had enough.
func (s *saramaClient) Follow(topic string, partition int, got func(int64, crowd.Content) bool) error {
	c, err := sarama.NewConsumer(s.addrs, config())
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := c.ConsumePartition(topic, int32(partition), sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer p.Close()
	for end := time.After(crowd.Within); ; {
		select {
		case m := <-p.Messages():
			r := crowd.Content{Key: m.Key, Value: m.Value, Millis: m.Timestamp.UnixMilli()}
			if len(m.Headers) == 2 && string(m.Headers[0].Key) == "n" && string(m.Headers[1].Key) == "empty" && len(m.Headers[1].Value) == 0 {
				r.N = string(m.Headers[0].Value)
			}
			if !got(m.Offset, r) {
				return nil
			}
		case <-end:
			return errors.New("no more records came")
		}
	}
}

// OffsetAt is the first offset at or after a time.
func (s *saramaClient) OffsetAt(topic string, partition int, millis int64) (int64, error) {
	c, err := sarama.NewClient(s.addrs, config())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.GetOffset(topic, int32(partition), millis)
}

// End is the end of a partition.
func (s *saramaClient) End(topic string, partition int) (int64, error) {
	return s.OffsetAt(topic, partition, sarama.OffsetNewest)
}

// Send sends numbered records to all partitions.
func (s *saramaClient) Send(topic string, partitions, first, last int) error {
	return s.Produce(topic, "none", numbered(partitions, first, last))
}

// Committed are a group's offsets by partition.
func (s *saramaClient) Committed(group, topic string, partitions int) (map[int32]int64, error) {
	var parts []int32
	for p := range partitions {
		parts = append(parts, int32(p))
	}
	var found *sarama.OffsetFetchResponse
	err := s.ask(func(admin sarama.ClusterAdmin) (err error) {
		found, err = admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: parts})
		return err
	})
	if err != nil {
		return nil, err
	}
	out := map[int32]int64{}
	for _, p := range parts {
		out[p] = found.GetBlock(topic, p).Offset
	}
	return out, nil
}

// Describe is a group's state and who is in it.
func (s *saramaClient) Describe(group string) (string, []string, error) {
	var all []*sarama.GroupDescription
	err := s.ask(func(admin sarama.ClusterAdmin) (err error) {
		all, err = admin.DescribeConsumerGroups([]string{group})
		return err
	})
	if err != nil {
		return "", nil, err
	}
	var clients []string
	for _, m := range all[0].Members {
		clients = append(clients, m.ClientId)
	}
	return all[0].State, clients, nil
}

// List names the groups.
func (s *saramaClient) List() ([]string, error) {
	var all map[string]string
	err := s.ask(func(admin sarama.ClusterAdmin) (err error) {
		all, err = admin.ListConsumerGroups()
		return err
	})
	var out []string
	for g := range all {
		out = append(out, g)
	}
	return out, err
}

// Delete deletes a group and tells the code of the answer.
func (s *saramaClient) Delete(group string) (string, error) {
	switch err := s.ask(func(admin sarama.ClusterAdmin) error { return admin.DeleteConsumerGroup(group) }); {
	case err == nil:
		return "NONE", nil
	case errors.Is(err, sarama.ErrNonEmptyGroup):
		return "NON_EMPTY_GROUP", nil
	default:
		return "", err
	}
}

// saramaMember is a consumer group's handler: one session an assignment.
type saramaMember struct {
	group sarama.ConsumerGroup
	topic string
	got   func(crowd.Record)
	stop  context.CancelFunc
	ended chan struct{}

	mu          sync.Mutex // guards the rest
	session     sarama.ConsumerGroupSession
	owned       []int32
	assignments int
	next        map[int32]int64
}

// Join starts a member of a group.
func (s *saramaClient) Join(group, topic, instance string, got func(crowd.Record)) (crowd.Member, error) {
	c := config()
	c.Consumer.Group.InstanceId = instance
	g, err := sarama.NewConsumerGroup(s.addrs, group, c)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &saramaMember{group: g, topic: topic, got: got, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			if err := g.Consume(ctx, []string{topic}, m); err != nil {
				time.Sleep(200 * time.Millisecond) // as the broker may be away
			}
		}
	}()
	return m, nil
}

// Setup is called with what the member is given.
func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session, m.owned, m.next = session, session.Claims()[m.topic], map[int32]int64{}
	m.assignments++
	return nil
}

// Cleanup is called when it is taken away.
func (m *saramaMember) Cleanup(sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owned = nil
	return nil
}

// ConsumeClaim reads one partition until it is taken away.
func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case r, open := <-claim.Messages():
			if !open {
				return nil
			}
			n, err := strconv.Atoi(string(r.Value))
			if err != nil {
				return err
			}
			m.mu.Lock()
			m.next[r.Partition] = r.Offset + 1
			m.mu.Unlock()
			m.got(crowd.Record{Partition: r.Partition, Offset: r.Offset, Number: n})
		case <-session.Context().Done():
			return nil
		}
	}
}

// Owned are the partitions that the member has now, and how often it was given
// some.
func (m *saramaMember) Owned() ([]int32, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]int32(nil), m.owned...), m.assignments
}

// Commit commits offsets as this member.
func (m *saramaMember) Commit(offsets map[int32]int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session == nil {
		return fmt.Errorf("the member has no session")
	}
	if offsets == nil {
		offsets = m.next
	}
	for p, o := range offsets {
		m.session.MarkOffset(m.topic, p, o, "by hand")
	}
	m.session.Commit()
	return nil
}

// Leave ends the member.
func (m *saramaMember) Leave() error {
	m.stop()
	<-m.ended
	return m.group.Close()
}
