package partition

import (
	"ottla/internal/log"
	"ottla/internal/wire"
)

// BeginMove begins to move the log into another directory (KIP-113); the
// caller advances the move, and ends it with FinishMove or Drop.
func (p *Partition) BeginMove(to *log.Dir) (*log.Move, error) {
	l := p.log.Load()
	if l == nil {
		return nil, wire.NotLeaderOrFollower
	}
	return l.BeginMove(to)
}

// FinishMove puts the copy in the log's place. Writers wait meanwhile, readers
// do not notice. An error before that leaves the partition as it was. One that
// comes back together with true is about the old directory alone, which could
// not let the log go.
func (p *Partition) FinishMove(m *log.Move) (moved bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil || l != m.Source() {
		return false, log.ErrClosed
	}
	next, err := m.Finish(p.openOptions())
	if err != nil {
		return false, err
	}
	end := next.End()
	p.st.Lock()
	p.log.Store(next)
	p.core.Durable(end.Offset)
	t := p.settle(end)
	p.alarm()
	p.st.Unlock()
	t.tell()
	return true, m.Retire()
}
