package partition

import (
	"fmt"
	"time"

	"ottla/internal/producer"
	"ottla/internal/wire"
)

// Producers lists active producers for DescribeProducers (KIP-664). A follower
// tells what it knows, too: a tool that looks for transactions that hang at one
// node asks it of all its replicas.
func (p *Partition) Producers() ([]producer.Info, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.st.Lock()
	refusal := p.refusal
	p.st.Unlock()
	if refusal != nil {
		return nil, refusal
	}
	l := p.log.Load()
	if l == nil {
		return nil, wire.NotLeaderOrFollower
	}
	return l.Producers().List(), nil
}

// InTxn tells whether a producer has a transaction open here.
func (p *Partition) InTxn(producerID int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	return l != nil && l.Producers().InTxn(producerID)
}

// Retain deletes segments that are too old or too many, below the high
// watermark. It is a chore for every few minutes; any replica does it.
func (p *Partition) Retain() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		return nil
	}
	if _, err := l.Retain(p.high.Load()); err != nil {
		return fmt.Errorf("retention of %s-%d: %w", p.topic, p.index, err)
	}
	p.started(l.Start())
	return nil
}

// Expire forgets producers that were silent for producer.id.expiration.ms and
// have no open transaction, and guards as old. It is a chore for every few minutes.
func (p *Partition) Expire(now time.Time) {
	c := p.config.Load()
	if c.ProducerExpiry <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := now.Add(-c.ProducerExpiry).UnixMilli()
	p.guards.Expire(before)
	if l := p.log.Load(); l != nil {
		l.Producers().Expire(before)
	}
}
