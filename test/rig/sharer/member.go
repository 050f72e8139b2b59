package sharer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// What is said of a record, by Kafka's numbers.
const (
	Accept  int8 = 1
	Release int8 = 2
	Reject  int8 = 3
)

// Options make a member.
type Options struct {
	Addrs            []string // of brokers
	Group, Topic, ID string
}

// Member is one member.
type Member struct {
	o     Options
	cl    *kgo.Client
	wires wires

	epoch    int32 // as a member
	beats    time.Time
	topic    uuid.UUID
	assigned []int32
	leaders  map[int32]int32 // broker of each partition; nil when it is to be looked up
	sessions map[int32]int32 // the epoch that the next request to a broker carries
	turn     int
}

// New makes a member; it joins with its first Beat.
func New(o Options) (*Member, error) {
	m := &Member{o: o, sessions: map[int32]int32{}}
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.Addrs...), kgo.Dialer(m.wires.dial), kgo.RequestRetries(0), kgo.DisableClientMetrics(),
		kgo.RequestTimeoutOverhead(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("make a member of %s: %w", o.Group, err)
	}
	m.cl = cl
	return m, nil
}

// NewID draws a member's id.
func NewID(r *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id.String()
}

// Cut ends the member as a killed process ends: nothing is said to anybody.
func (m *Member) Cut() { m.wires.cut() }

// Close ends a member that may live still, and frees what it has.
func (m *Member) Close() {
	m.wires.cut()
	m.cl.Close()
}

// Beat sends a heartbeat when it is time to.
func (m *Member) Beat(ctx context.Context) error {
	if time.Now().Before(m.beats) {
		return nil
	}
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.GroupID, req.MemberID, req.MemberEpoch = m.o.Group, m.o.ID, m.epoch
	if m.epoch == 0 {
		req.SubscribedTopicNames = []string{m.o.Topic}
	}
	resp, err := req.RequestWith(ctx, m.cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		m.epoch = 0
		return fmt.Errorf("heartbeat to %s: %w", m.o.Group, err)
	}
	m.epoch = resp.MemberEpoch
	m.beats = time.Now().Add(time.Duration(resp.HeartbeatIntervalMillis) * time.Millisecond)
	if resp.Assignment == nil {
		return nil
	}
	m.assigned = nil
	m.forget()
	for _, tp := range resp.Assignment.TopicPartitions {
		m.topic = uuid.UUID(tp.TopicID)
		m.assigned = append(m.assigned, tp.Partitions...)
	}
	return nil
}

// Has tells whether anything is assigned to the member.
func (m *Member) Has() bool { return len(m.assigned) > 0 }

// forget begins all sessions anew, at whoever leads by then.
func (m *Member) forget() {
	m.leaders = nil
	clear(m.sessions)
}

// look finds who leads what is assigned. The answer of a broker is taken, not what
// the client remembers.
func (m *Member) look(ctx context.Context) error {
	if m.leaders != nil {
		return nil
	}
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(m.o.Topic)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, m.cl)
	if err == nil && len(resp.Topics) == 1 {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("look who leads %s: %w", m.o.Topic, err)
	}
	leaders := map[int32]int32{}
	for _, p := range resp.Topics[0].Partitions {
		if slices.Contains(m.assigned, p.Partition) && p.Leader >= 0 {
			leaders[p.Partition] = p.Leader
		}
	}
	if len(leaders) < len(m.assigned) {
		return fmt.Errorf("look who leads %s: %w", m.o.Topic, kerr.LeaderNotAvailable)
	}
	m.leaders = leaders
	return nil
}

// next is the broker whose turn it is.
func (m *Member) next() int32 {
	var all []int32
	for _, b := range m.leaders {
		if !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	slices.Sort(all)
	m.turn++
	return all[m.turn%len(all)]
}

// Want says what to ask for.
type Want struct {
	Max    int32 // records
	Strict bool  // Max is a limit, not a wish (KIP-1206)
	Batch  int32 // records of a range
	WaitMs int32
}

// Batch is what one answer brought.
type Batch struct {
	// Sent is when it was asked for, Came when it was there.
	Sent, Came time.Time
	Records    []Record // by partition and offset
	broker     int32
}

// Fetch asks one of the brokers for records.
func (m *Member) Fetch(ctx context.Context, w Want) (*Batch, error) {
	if err := m.look(ctx); err != nil {
		return nil, err
	}
	b := &Batch{broker: m.next()}
	req := kmsg.NewPtrShareFetchRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.o.Group, &m.o.ID, m.sessions[b.broker]
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.MaxRecords, req.BatchSize = w.WaitMs, 1, 1<<20, w.Max, w.Batch
	if w.Strict {
		req.ShareAcquireMode = 1
	}
	if req.ShareSessionEpoch == 0 {
		req.Topics = m.topics(b.broker)
	}
	b.Sent = time.Now()
	resp, err := ask[*kmsg.ShareFetchResponse](ctx, m, b.broker, req)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	b.Came = time.Now()
	if err != nil {
		m.forget()
		return nil, fmt.Errorf("fetch for %s: %w", m.o.Group, err)
	}
	m.sessions[b.broker]++
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			p := &resp.Topics[i].Partitions[j]
			if p.ErrorCode != 0 {
				m.forget() // what came all the same is given back when a session begins anew
			}
			got, err := acquired(p)
			if err != nil {
				return nil, &Broken{err}
			}
			b.Records = append(b.Records, got...)
		}
	}
	slices.SortStableFunc(b.Records, func(x, y Record) int {
		if x.Partition != y.Partition {
			return int(x.Partition - y.Partition)
		}
		return int(x.Offset - y.Offset)
	})
	return b, nil
}

// Broken is an answer that no broker may give.
type Broken struct{ Cause error }

// Error says what is wrong with it.
func (b *Broken) Error() string { return "an answer is broken: " + b.Cause.Error() }

// Unwrap gives the cause.
func (b *Broken) Unwrap() error { return b.Cause }

// topics are those of a session at a broker.
func (m *Member) topics(broker int32) []kmsg.ShareFetchRequestTopic {
	t := kmsg.NewShareFetchRequestTopic()
	t.TopicID = m.topic
	for _, p := range m.assigned {
		if m.leaders[p] == broker {
			row := kmsg.NewShareFetchRequestTopicPartition()
			row.Partition = p
			t.Partitions = append(t.Partitions, row)
		}
	}
	return []kmsg.ShareFetchRequestTopic{t}
}

// Acknowledge says of each record of a batch what became of it. refused has the
// partitions of which it was not taken; an error says that nobody knows.
func (m *Member) Acknowledge(ctx context.Context, b *Batch, kind func(*Record) int8) (refused map[int32]error, err error) {
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.o.Group, &m.o.ID, m.sessions[b.broker]
	t := kmsg.NewShareAcknowledgeRequestTopic()
	t.TopicID = m.topic
	for i := range b.Records {
		r := &b.Records[i]
		if k := len(t.Partitions) - 1; k < 0 || t.Partitions[k].Partition != r.Partition {
			row := kmsg.NewShareAcknowledgeRequestTopicPartition()
			row.Partition = r.Partition
			t.Partitions = append(t.Partitions, row)
		}
		a := kmsg.NewShareAcknowledgeRequestTopicPartitionAcknowledgementBatch()
		a.FirstOffset, a.LastOffset, a.AcknowledgeTypes = r.Offset, r.Offset, []int8{kind(r)}
		p := &t.Partitions[len(t.Partitions)-1]
		p.AcknowledgementBatches = append(p.AcknowledgementBatches, a)
	}
	req.Topics = append(req.Topics, t)
	if req.ShareSessionEpoch == 0 { // the session in which they came is over, and so are their locks
		return nil, fmt.Errorf("acknowledge for %s: %w", m.o.Group, errors.New("the session is over"))
	}
	resp, err := ask[*kmsg.ShareAcknowledgeResponse](ctx, m, b.broker, req)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		m.forget()
		return nil, fmt.Errorf("acknowledge for %s: %w", m.o.Group, err)
	}
	m.sessions[b.broker]++
	refused = map[int32]error{}
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			if why := kerr.ErrorForCode(p.ErrorCode); why != nil {
				refused[p.Partition] = why
			}
		}
	}
	return refused, nil
}

// ask puts a question to one broker.
func ask[R kmsg.Response](ctx context.Context, m *Member, broker int32, req kmsg.Request) (R, error) {
	var none R
	resp, err := m.cl.Broker(int(broker)).Request(ctx, req)
	if err != nil {
		return none, fmt.Errorf("ask broker %d: %w", broker, err)
	}
	out, ok := resp.(R)
	if !ok {
		return none, fmt.Errorf("broker %d answered %T", broker, resp)
	}
	return out, nil
}
