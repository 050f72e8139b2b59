//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/history"
	"ottla/test/realfault"
)

// How patient the groups are. A member that says nothing for sessionTimeout is
// given up; the broker's least is set to less.
const (
	sessionTimeout   = 4 * time.Second
	rebalanceTimeout = 6 * time.Second
	heartbeatEvery   = 300 * time.Millisecond
	restBetween      = 150 * time.Millisecond // a member's work on what it polled
	pollAtMost       = 500
)

// orders are what a member is told; a process gets them as JSON.
type orders struct {
	Address, Topic, Group, Protocol string
	Place                           int
	// Reads and Claims are the processes of the history that it is: one for what
	// it reads and holds, one for what the coordinator gives it in each
	// generation. They are two because the second is known at another moment than
	// what the first may still read.
	Reads, Claims int32
	Base          int64 // monotonic time at which the history began
}

// journal is where a member writes; a *history.Writer is one.
type journal interface {
	Now() int64
	Add(op history.Op)
}

// member is one consumer.
type member struct {
	orders
	journal
	client *kgo.Client
	joined int64 // Start of the join that is under way

	mu    sync.Mutex // guards owned
	owned []int32
}

// newMember opens the client, which joins as soon as it is polled. dial is nil
// for the ordinary one.
func newMember(o orders, j journal, dial func(ctx context.Context, network, host string) (net.Conn, error)) (*member, error) {
	m := &member{orders: o, journal: j}
	chosen, err := chooseProtocols(o.Protocol)
	if err != nil {
		return nil, err
	}
	w := &witness{topic: o.Topic, joins: func() { m.joined = m.Now() }}
	w.given = func(parts []int32) { m.claim(m.Claims, m.joined, parts) }
	opts := append(chosen[0].join(o.Place, w),
		kgo.SeedBrokers(o.Address), kgo.AlwaysRetryEOF(), kgo.ClientID("groups-"+strconv.Itoa(o.Place)), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
		kgo.ConsumerGroup(o.Group), kgo.ConsumeTopics(o.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(heartbeatEvery), kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.FetchMaxWait(500*time.Millisecond),
		kgo.OnPartitionsAssigned(m.gained), kgo.OnPartitionsRevoked(m.gone), kgo.OnPartitionsLost(m.gone),
	)
	if dial != nil {
		opts = append(opts, kgo.Dialer(dial))
	}
	m.client, err = kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("make a member of %s: %w", o.Group, err)
	}
	return m, nil
}

// work polls and commits until ctx ends.
func (m *member) work(ctx context.Context) {
	for ctx.Err() == nil {
		if next := m.poll(ctx); len(next) > 0 {
			m.commit(next)
		}
		m.client.AllowRebalance()
		_ = realfault.Pause(ctx, restBetween) // it ends with ctx
	}
}

// crashed ends what the history knows of the member's place in its partitions.
func (m *member) crashed() { crash(m.journal, m.orders) }

func crash(j journal, o orders) {
	start := j.Now()
	j.Add(history.Op{Process: o.Reads, Kind: history.Crash, Outcome: history.OK, Start: start, End: j.Now()})
}

func (m *member) gained(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	m.change(func() { m.owned = append(m.owned, parts[m.Topic]...) })
}

func (m *member) gone(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	m.change(func() {
		m.owned = slices.DeleteFunc(m.owned, func(p int32) bool { return slices.Contains(parts[m.Topic], p) })
	})
}

func (m *member) change(how func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	start := m.Now()
	how()
	m.claim(m.Reads, start, m.owned)
}

// claim notes what the member has in its present generation.
func (m *member) claim(process int32, start int64, parts []int32) {
	id, generation := m.client.GroupMetadata()
	op := history.Op{Process: process, Kind: history.Subscribe, Outcome: history.OK, Start: start,
		Group: m.Group, Member: id, Generation: generation}
	for _, p := range parts {
		op.Positions = append(op.Positions, history.Position{Partition: m.partition(p), Offset: -1})
	}
	op.End = m.Now()
	m.Add(op)
}

func (m *member) partition(p int32) string { return m.Topic + "-" + strconv.Itoa(int(p)) }

// poll reads once and gives the next offsets of what came.
func (m *member) poll(ctx context.Context) map[int32]int64 {
	op := history.Op{Process: m.Reads, Kind: history.Poll, Outcome: history.OK, Start: m.Now(), Committed: true}
	next := make(map[int32]int64)
	m.client.PollRecords(ctx, pollAtMost).EachPartition(func(f kgo.FetchTopicPartition) {
		if len(f.Records) == 0 {
			return
		}
		one := history.Micro{Kind: history.Poll, Partition: m.partition(f.Partition)}
		for _, r := range f.Records {
			one.Records = append(one.Records, history.Record{r.Offset, valueOf(r.Value)})
			next[r.Partition] = r.Offset + 1
		}
		op.Micro = append(op.Micro, one)
	})
	if len(op.Micro) > 0 {
		op.End = m.Now()
		m.Add(op)
	}
	return next
}

// valueOf reads what the producers of package client wrote; -1 is of somebody
// else.
func valueOf(b []byte) int64 {
	digits, _, _ := strings.Cut(string(b), " ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// commit says that it commits, commits, and says what was acknowledged. The
// generation is that of the request: a rebalance may be under way.
func (m *member) commit(next map[int32]int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	offsets := make(map[int32]kgo.EpochOffset)
	for p, o := range next {
		offsets[p] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	op := history.Op{Process: m.Reads, Kind: history.Commit, Outcome: history.Info, Group: m.Group, Start: m.Now()}
	op.Member, op.Generation = m.client.GroupMetadata()
	op.Positions = m.positions(next, nil)
	op.End = m.Now()
	m.Add(op)
	taken := make(map[int32]bool)
	m.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{m.Topic: offsets},
		func(_ *kgo.Client, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			if err != nil || resp == nil {
				return
			}
			op.Member, op.Generation = req.MemberID, req.Generation
			for _, t := range resp.Topics {
				for _, p := range t.Partitions {
					taken[p.Partition] = p.ErrorCode == 0
				}
			}
		})
	op.Outcome, op.End = history.OK, m.Now()
	if op.Positions = m.positions(next, taken); len(op.Positions) > 0 {
		m.Add(op)
	}
}

// positions are those of next that were taken, all where taken is nil.
func (m *member) positions(next map[int32]int64, taken map[int32]bool) (out []history.Position) {
	for p, o := range next {
		if taken == nil || taken[p] {
			out = append(out, history.Position{Partition: m.partition(p), Offset: o})
		}
	}
	return out
}
