package partition

import (
	"ottla/internal/wire"
)

// DeleteRecords raises the log start offset (-1: to the high watermark) and
// returns the new one: the followers take it over, Low tells when they have. It is
// durable here on return. An offset below the log start changes nothing; one
// above the high watermark is OFFSET_OUT_OF_RANGE; a topic without "delete" in
// its cleanup.policy answers POLICY_VIOLATION.
func (p *Partition) DeleteRecords(offset int64) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.lead(-1)
	if err != nil {
		return -1, err
	}
	if !p.config.Load().Log.Delete {
		return -1, wire.Errorf(wire.PolicyViolation,
			"records of %s-%d cannot be deleted: its cleanup.policy is not \"delete\"", p.topic, p.index)
	}
	high := p.high.Load()
	if offset == -1 {
		offset = high
	}
	if offset < 0 || offset > high {
		return -1, wire.Errorf(wire.OffsetOutOfRange,
			"records of %s-%d can be deleted up to its high watermark %d, not %d", p.topic, p.index, high, offset)
	}
	if offset <= l.Start() {
		return l.Start(), nil
	}
	if err := l.AdvanceStart(offset); err != nil {
		return -1, p.fault(err)
	}
	p.started(l.Start())
	return l.Start(), nil
}

// Low is the low watermark: below it nothing is left on any replica that is alive.
// again is closed when it may be another.
func (p *Partition) Low(alive func(node int32) bool) (low int64, again <-chan struct{}, err error) {
	p.st.Lock()
	defer p.st.Unlock()
	if err := p.mayLead(-1); err != nil {
		return -1, nil, err
	}
	if p.lower == nil {
		p.lower = make(chan struct{})
	}
	return p.core.Low(alive), p.lower, nil
}

// lowered tells those who wait for the low watermark to look again. st held.
func (p *Partition) lowered() {
	if p.lower != nil {
		close(p.lower)
		p.lower = nil
	}
}

// started tells the core and the watchers that the log starts higher. mu held.
func (p *Partition) started(offset int64) {
	p.st.Lock()
	if offset <= p.core.Start() {
		p.st.Unlock()
		return
	}
	p.core.Started(offset)
	t := p.settle(p.highAt)
	p.alarm()
	p.st.Unlock()
	t.tell()
}
