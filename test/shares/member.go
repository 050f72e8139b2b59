package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// member is one member of a share group, in raw requests.
type member struct {
	id    string
	group string
	topic string
	l     *ledger
	r     *rand.Rand
	cl    *kgo.Client
	wires wires

	epoch    int32 // as a member
	beats    time.Time
	assigned []kmsg.ShareFetchRequestTopic
	session  int32 // the epoch that the next request carries
}

// wires are a member's connections, so that they can be cut.
type wires struct {
	mu   sync.Mutex
	all  []net.Conn
	dead bool
}

func (w *wires) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return nil, fmt.Errorf("the member is dead: %w", c.Close())
	}
	w.all = append(w.all, c)
	return c, nil
}

// cut ends all connections, for good.
func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for _, c := range w.all {
		_ = c.Close() // it is cut in any case
	}
}

func newMember(addr, group, topic, id string, l *ledger, r *rand.Rand) (*member, error) {
	m := &member{id: id, group: group, topic: topic, l: l, r: r}
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.Dialer(m.wires.dial), kgo.RequestRetries(0), kgo.DisableClientMetrics(),
		kgo.RequestTimeoutOverhead(5*time.Second))
	if err != nil {
		return nil, err
	}
	m.cl = cl
	return m, nil
}

// how a member treats the records of one fetch.
type manner int

const (
	accepts manner = iota
	releases
	slow
	dies
)

var mannerNames = map[manner]string{accepts: "accepted", releases: "released", slow: "was slow", dies: "died"}

// lock is how long records are locked.
const lock = time.Second

// step does one round; false when the member has died.
func (m *member) step(ctx context.Context, how manner) (bool, error) {
	if err := m.beat(ctx); err != nil {
		return true, err
	}
	if len(m.assigned) == 0 {
		return true, nil
	}
	got, err := m.fetch(ctx)
	if err != nil || len(got) == 0 {
		return true, err
	}
	m.l.did(mannerNames[how])
	switch how {
	case dies:
		m.wires.cut()
		return false, nil
	case slow:
		select {
		case <-time.After(lock * 3 / 2):
		case <-ctx.Done():
			return true, nil
		}
	}
	return true, m.acknowledge(ctx, got, how)
}

// beat reports when it is time to.
func (m *member) beat(ctx context.Context) error {
	if time.Now().Before(m.beats) {
		return nil
	}
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.GroupID, req.MemberID, req.MemberEpoch = m.group, m.id, m.epoch
	if m.epoch == 0 {
		req.SubscribedTopicNames = []string{m.topic}
	}
	resp, err := req.RequestWith(ctx, m.cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		m.epoch = 0
		return err
	}
	m.epoch = resp.MemberEpoch
	m.beats = time.Now().Add(time.Duration(resp.HeartbeatIntervalMillis) * time.Millisecond)
	if resp.Assignment == nil {
		return nil
	}
	m.assigned, m.session = nil, 0
	for _, tp := range resp.Assignment.TopicPartitions {
		t := kmsg.NewShareFetchRequestTopic()
		t.TopicID = tp.TopicID
		for _, p := range tp.Partitions {
			row := kmsg.NewShareFetchRequestTopicPartition()
			row.Partition = p
			t.Partitions = append(t.Partitions, row)
		}
		m.assigned = append(m.assigned, t)
	}
	return nil
}

// fetch asks for records.
func (m *member) fetch(ctx context.Context) ([]given, error) {
	req := kmsg.NewPtrShareFetchRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.group, &m.id, m.session
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.MaxRecords, req.BatchSize = 200, 1, 1<<20, int32(1+m.r.IntN(200)), 50
	req.ShareAcquireMode = int8(m.r.IntN(2))
	if m.session == 0 {
		req.Topics = m.assigned
	}
	sent := time.Now()
	resp, err := req.RequestWith(ctx, m.cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		m.session = 0
		return nil, err
	}
	m.session++
	var out []given
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			p := &resp.Topics[i].Partitions[j]
			got, err := acquired(p)
			if err != nil {
				m.l.mu.Lock()
				m.l.complain("%w", err)
				m.l.mu.Unlock()
				return nil, err
			}
			for _, g := range got {
				m.l.delivered(g.name, g.at, g.count, sent)
			}
			out = append(out, got...)
		}
	}
	return out, nil
}

// acknowledge says what became of records: all accepted, or some released.
func (m *member) acknowledge(ctx context.Context, got []given, how manner) error {
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.group, &m.id, m.session
	t := kmsg.NewShareAcknowledgeRequestTopic()
	t.TopicID = m.assigned[0].TopicID
	taken := map[int32][]name{}
	slices.SortFunc(got, func(a, b given) int {
		if a.at.partition != b.at.partition {
			return int(a.at.partition - b.at.partition)
		}
		return int(a.at.offset - b.at.offset)
	})
	for _, g := range got {
		if k := len(t.Partitions) - 1; k < 0 || t.Partitions[k].Partition != g.at.partition {
			row := kmsg.NewShareAcknowledgeRequestTopicPartition()
			row.Partition = g.at.partition
			t.Partitions = append(t.Partitions, row)
		}
		kind := int8(1)
		if how == releases && m.r.IntN(3) == 0 {
			kind = 2
		} else {
			taken[g.at.partition] = append(taken[g.at.partition], g.name)
		}
		b := kmsg.NewShareAcknowledgeRequestTopicPartitionAcknowledgementBatch()
		b.FirstOffset, b.LastOffset, b.AcknowledgeTypes = g.at.offset, g.at.offset, []int8{kind}
		p := &t.Partitions[len(t.Partitions)-1]
		p.AcknowledgementBatches = append(p.AcknowledgementBatches, b)
	}
	req.Topics = append(req.Topics, t)
	for _, names := range taken {
		m.l.trying(names, time.Now())
	}
	resp, err := req.RequestWith(ctx, m.cl)
	now := time.Now()
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		m.session = 0
		return err
	}
	m.session++
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			if p.ErrorCode == 0 {
				m.l.confirmed(taken[p.Partition], now)
			} else {
				m.l.did("refused " + kerr.ErrorForCode(p.ErrorCode).Error())
			}
		}
	}
	return nil
}

// close ends a member that lives still.
func (m *member) close() {
	m.wires.cut()
	m.cl.Close()
}

func newID(r *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id.String()
}
