package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/interop/crowd"
)

// franzWorld is franz-go in groups.
type franzWorld struct {
	*franz
	ctx      context.Context
	producer *kgo.Client
	balancer kgo.GroupBalancer
}

// groups runs the group scenarios, the first of them with each assignor.
func (f *franz) groups(ctx context.Context) error {
	p, err := dial(f.addr, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer p.Close()
	w := &franzWorld{franz: f, ctx: ctx, producer: p, balancer: kgo.CooperativeStickyBalancer()}
	for _, s := range crowd.Stories(crowd.AskRestart) {
		crowd.Tell(s.Name, s.Tell(w))
	}
	w.balancer = kgo.RangeBalancer()
	crowd.Tell("group-eager", crowd.Group(w, "group-eager"))
	return nil
}

// Create makes a topic and tells its name.
func (w *franzWorld) Create(name string, partitions int) (string, error) {
	return w.topic(w.ctx, name, int32(partitions), nil)
}

// Send sends numbered records to all partitions.
func (w *franzWorld) Send(topic string, partitions, first, last int) error {
	var records []*kgo.Record
	for i := first; i < last; i++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: strconv.AppendInt(nil, int64(i), 10)})
	}
	return w.producer.ProduceSync(w.ctx, records...).FirstErr()
}

// Committed are a group's offsets by partition.
func (w *franzWorld) Committed(group, topic string, _ int) (map[int32]int64, error) {
	found, err := w.admin.FetchOffsets(w.ctx, group)
	for range 3 { // a connection each that the restart has cut: the library does not try these requests again
		if !errors.Is(err, io.EOF) {
			break
		}
		found, err = w.admin.FetchOffsets(w.ctx, group)
	}
	if err != nil {
		return nil, err
	}
	out := map[int32]int64{}
	for p, o := range found[topic] {
		out[p] = o.At
	}
	return out, nil
}

// Describe is a group's state and who is in it.
func (w *franzWorld) Describe(group string) (string, []string, error) {
	all, err := w.admin.DescribeGroups(w.ctx, group)
	if err != nil {
		return "", nil, err
	}
	var clients []string
	for _, m := range all[group].Members {
		clients = append(clients, m.ClientID)
	}
	return all[group].State, clients, all[group].Err
}

// List names the groups.
func (w *franzWorld) List() ([]string, error) {
	all, err := w.admin.ListGroups(w.ctx)
	return all.Groups(), err
}

// Delete deletes a group and tells the code of the answer.
func (w *franzWorld) Delete(group string) (string, error) {
	_, err := w.admin.DeleteGroup(w.ctx, group)
	if err == nil {
		return "NONE", nil
	}
	var e *kerr.Error
	if errors.As(err, &e) {
		return e.Message, nil
	}
	return "", err
}

// franzMember is one consumer.
type franzMember struct {
	c     *kgo.Client
	topic string
	stop  context.CancelFunc
	ended chan struct{}

	mu          sync.Mutex // guards the rest
	owned       map[int32]bool
	assignments int
	next        map[int32]kgo.EpochOffset
}

// Join starts a member of a group.
func (w *franzWorld) Join(group, topic, instance string, got func(crowd.Record)) (crowd.Member, error) {
	m := &franzMember{topic: topic, ended: make(chan struct{}), owned: map[int32]bool{}, next: map[int32]kgo.EpochOffset{}}
	opts := []kgo.Opt{
		kgo.ClientID("interop"), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.Balancers(w.balancer),
		kgo.HeartbeatInterval(300 * time.Millisecond), kgo.SessionTimeout(10 * time.Second),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) { m.change(parts[topic], true) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) { m.change(parts[topic], false) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) { m.change(parts[topic], false) }),
	}
	if instance != "" {
		opts = append(opts, kgo.InstanceID(instance))
	}
	var err error
	if m.c, err = dial(w.addr, opts...); err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(w.ctx)
	go m.poll(ctx, got)
	return m, nil
}

func (m *franzMember) change(parts []int32, given bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if given {
		m.assignments++
	}
	for _, p := range parts {
		if given {
			m.owned[p] = true
		} else {
			delete(m.owned, p)
			delete(m.next, p)
		}
	}
}

func (m *franzMember) poll(ctx context.Context, got func(crowd.Record)) {
	defer close(m.ended)
	for ctx.Err() == nil {
		m.c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			n, err := strconv.Atoi(string(r.Value))
			if err != nil {
				n = -1 // no number of ours: the count will not fit
			}
			m.mu.Lock()
			if m.owned[r.Partition] { // not what a rebalance took away since the poll: another commits that
				m.next[r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
			}
			m.mu.Unlock()
			got(crowd.Record{Partition: r.Partition, Offset: r.Offset, Number: n})
		})
	}
}

// Owned are the partitions that the member has now, and how often it was given
// some.
func (m *franzMember) Owned() ([]int32, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []int32
	for p := range m.owned {
		out = append(out, p)
	}
	return out, m.assignments
}

// Commit commits offsets as this member.
func (m *franzMember) Commit(offsets map[int32]int64) error {
	all := map[int32]kgo.EpochOffset{}
	m.mu.Lock()
	maps.Copy(all, m.next)
	m.mu.Unlock()
	if offsets != nil {
		clear(all)
	}
	for p, o := range offsets {
		all[p] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	return m.commit(map[string]map[int32]kgo.EpochOffset{m.topic: all})
}

// commit commits as the member that this is.
func (m *franzMember) commit(all map[string]map[int32]kgo.EpochOffset) error {
	ctx, cancel := context.WithTimeout(context.Background(), crowd.Within)
	defer cancel()
	var failed error
	m.c.CommitOffsetsSync(ctx, all, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		failed = err
		for i := 0; err == nil && i < len(answer.Topics); i++ {
			for _, p := range answer.Topics[i].Partitions {
				if e := kerr.ErrorForCode(p.ErrorCode); e != nil {
					failed = fmt.Errorf("partition %d: %w", p.Partition, e)
				}
			}
		}
	})
	return failed
}

// Leave ends the member.
func (m *franzMember) Leave() error {
	m.stop()
	<-m.ended
	m.c.Close()
	return nil
}
