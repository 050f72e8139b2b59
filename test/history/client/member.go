package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/history"
)

// member is one consumer of a group.
type member struct {
	c       *Cluster
	group   string
	process int32
	client  *kgo.Client

	mu    sync.Mutex // guards owned
	owned []int32
}

// consume is a member of a group until ctx ends: it polls, and commits after
// each poll what it has read. Every lifetime it leaves, and a new one joins; a
// silent one does not leave: its line is cut, and the group has to miss it.
func (c *Cluster) consume(ctx context.Context, group string, balancer kgo.GroupBalancer, lifetime time.Duration, silent bool, more ...kgo.Opt) error {
	for ctx.Err() == nil {
		line := NewLine()
		m := &member{c: c, group: group, process: c.History.Process()}
		cl, err := c.open(append([]kgo.Opt{isolation(true),
			kgo.ConsumerGroup(group), kgo.ConsumeTopics(c.Topic), kgo.Balancers(balancer),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
			kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(300 * time.Millisecond), kgo.RebalanceTimeout(6 * time.Second),
			kgo.FetchMaxWait(200 * time.Millisecond), kgo.Dialer(line.Dial),
			kgo.OnPartitionsAssigned(m.gained), kgo.OnPartitionsRevoked(m.gone), kgo.OnPartitionsLost(m.gone),
		}, more...)...)
		if err != nil {
			return err
		}
		m.client = cl
		life, cancel := context.WithTimeout(ctx, lifetime)
		for poll := c.while(ctx, life); poll.Err() == nil; poll = c.while(ctx, life) {
			if next := c.poll(poll, cl, m.process, true, false); len(next) > 0 {
				m.commit(next)
			}
			cl.AllowRebalance()
		}
		cancel()
		if silent && ctx.Err() == nil {
			line.Cut()
			c.vanished.Add(1)
		}
		cl.CloseAllowingRebalance()
		c.History.Add(history.Op{Process: m.process, Kind: history.Crash, Outcome: history.OK, Start: c.History.Now(), End: c.History.Now()})
	}
	return nil
}

func (m *member) gained(_ context.Context, cl *kgo.Client, parts map[string][]int32) {
	m.change(cl, func() { m.owned = append(m.owned, parts[m.c.Topic]...) })
}

func (m *member) gone(_ context.Context, cl *kgo.Client, parts map[string][]int32) {
	m.change(cl, func() {
		m.owned = slices.DeleteFunc(m.owned, func(p int32) bool { return slices.Contains(parts[m.c.Topic], p) })
	})
}

// change notes what the member owns now, with the generation it has it in.
func (m *member) change(cl *kgo.Client, how func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how()
	id, generation := cl.GroupMetadata()
	op := history.Op{Process: m.process, Kind: history.Subscribe, Outcome: history.OK, Start: m.c.History.Now(),
		Group: m.group, Member: id, Generation: generation}
	for _, p := range m.owned {
		op.Positions = append(op.Positions, history.Position{Partition: m.c.partition(p), Offset: -1})
	}
	op.End = m.c.History.Now()
	m.c.History.Add(op)
}

// commit commits and records what is known of it: acknowledged, or unknown. A
// refusal may follow a try that was taken, so it is unknown too.
func (m *member) commit(next map[int32]int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	offsets := make(map[int32]kgo.EpochOffset)
	for p, o := range next {
		offsets[p] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	start := m.c.History.Now()
	taken := make(map[int32]bool)
	m.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{m.c.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			if err != nil || resp == nil {
				return
			}
			for _, t := range resp.Topics {
				for _, p := range t.Partitions {
					taken[p.Partition] = p.ErrorCode == 0
				}
			}
		})
	id, generation := m.client.GroupMetadata()
	end := m.c.History.Now()
	for _, outcome := range []history.Outcome{history.OK, history.Info} {
		op := history.Op{Process: m.process, Kind: history.Commit, Outcome: outcome, Start: start, End: end,
			Group: m.group, Member: id, Generation: generation}
		for p, o := range next {
			if taken[p] == (outcome == history.OK) {
				op.Positions = append(op.Positions, history.Position{Partition: m.c.partition(p), Offset: o})
			}
		}
		if len(op.Positions) > 0 {
			m.c.History.Add(op)
		}
	}
}
