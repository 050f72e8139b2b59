package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"ottla/internal/kafka/queues"
	"ottla/internal/uuid"
	"ottla/test/realfault"
	"ottla/test/rig/sharer"
)

// member takes as a member of the queue's share group: each life is another member.
type member struct {
	l     *ledger
	addrs []string
	topic uuid.UUID
	r     *rand.Rand
	calm  *atomic.Bool
}

// groupOf is the share group of a queue's takers.
func groupOf(queue string) string { return "queue." + queue }

// run lives one life after the other until ctx ends.
func (m *member) run(ctx context.Context) error {
	for ctx.Err() == nil {
		s, err := sharer.New(sharer.Options{Addrs: m.addrs, Group: groupOf(m.l.queue), Topic: m.l.queue, ID: sharer.NewID(m.r)})
		if err != nil {
			return err
		}
		m.live(ctx, s)
		s.Close()
	}
	return nil
}

// live is one life.
func (m *member) live(ctx context.Context, s *sharer.Member) {
	for ctx.Err() == nil {
		b, err := m.fetch(ctx, s)
		if err != nil || b == nil {
			_ = realfault.Pause(ctx, again) // the loop sees the end
			continue
		}
		if len(b.Records) == 0 {
			continue
		}
		if !m.calm.Load() && m.r.IntN(20) == 0 {
			m.l.did("a member died")
			s.Cut()
			return
		}
		m.acknowledge(ctx, s, b)
	}
}

func (m *member) fetch(ctx context.Context, s *sharer.Member) (*sharer.Batch, error) {
	if err := s.Beat(ctx); err != nil || !s.Has() {
		return nil, err
	}
	b, err := s.Fetch(ctx, sharer.Want{Max: int32(1 + m.r.IntN(10)), Strict: true, WaitMs: 300})
	var broken *sharer.Broken
	if errors.As(err, &broken) {
		m.l.broken(err)
	}
	return b, err
}

// acknowledge says something of each record.
func (m *member) acknowledge(ctx context.Context, s *sharer.Member, b *sharer.Batch) {
	var all, good []*given
	said := map[sharer.Place]int8{}
	byPartition := map[int32][]*given{}
	for i := range b.Records {
		r := &b.Records[i]
		n, err := nameOf(string(r.Value))
		if err != nil {
			m.l.broken(err)
			return
		}
		g := &given{id: string(r.Header(queues.HeaderID)), name: n, count: int(r.Count), offset: r.Offset, asked: b.Sent, came: b.Came}
		if g.id == "" {
			g.id = queues.MessageID(m.topic, r.Partition, r.Offset)
		}
		all = append(all, g)
		switch draw(m.r, n, alive, m.calm.Load()) {
		case returns, defers, forgets:
			said[r.Place] = sharer.Release
		case rejects:
			said[r.Place] = sharer.Reject
		default:
			said[r.Place] = sharer.Accept
			good = append(good, g)
			byPartition[r.Partition] = append(byPartition[r.Partition], g)
		}
	}
	m.l.delivered(all, "members")
	for i := range b.Records {
		if said[b.Records[i].Place] == sharer.Reject {
			m.l.rejecting(all[i])
		}
	}
	m.l.acknowledging(good)
	refused, err := s.Acknowledge(ctx, b, func(r *sharer.Record) int8 { return said[r.Place] })
	now := time.Now()
	if err != nil {
		m.l.did("not answered")
		return
	}
	for partition, some := range byPartition {
		if refused[partition] != nil {
			continue
		}
		for _, g := range some {
			m.l.acknowledged(g, now, false)
		}
	}
}
