package partition

import (
	"fmt"

	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// Open opens its log in dir (recovering it) and ties sync rounds to the high
// watermark. A role that came before is taken now. After an error the
// partition answers KAFKA_STORAGE_ERROR; Open may be tried again.
func (p *Partition) Open(dir *log.Dir) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log.Load() != nil {
		return fmt.Errorf("partition %s-%d is open already", p.topic, p.index)
	}
	l, err := dir.Open(log.Ident{Topic: p.topic, Partition: p.index, ID: p.id}, p.openOptions())
	if err != nil {
		err = fmt.Errorf("open the log of %s-%d in %s: %w", p.topic, p.index, dir.Path(), err)
		p.refuse(wire.Errorf(wire.KafkaStorageError, "%w", err))
		return err
	}
	p.load(l)
	p.renewal = sound
	switch {
	case p.rot == nil:
	case l.Lost():
		p.rot(p, EverythingAnew)
	case l.Doubted():
		p.rot(p, EndInDoubt)
	}
	if r := p.pending; r != nil {
		p.pending = nil
		p.take(l, *r)
	}
	return nil
}

// openOptions are what the log gets of the partition.
func (p *Partition) openOptions() log.OpenOptions {
	return log.OpenOptions{Config: p.config.Load().Log, OnDurable: p.onDurable, OnOffline: p.onOffline, High: p.keptHigh, KeepDoubts: p.rot != nil}
}

// keptHigh is the high watermark for the log's checkpoint. A replica alone finds
// it anew, by what its log holds.
func (p *Partition) keptHigh() int64 {
	if !p.shared.Load() {
		return -1
	}
	return p.high.Load()
}

// load tells the core what the log holds. mu held.
func (p *Partition) load(l *log.Log) {
	start, end, durable := l.Start(), l.End(), l.Durable()
	p.st.Lock()
	defer p.st.Unlock()
	p.core.Open(start, end.Offset, durable.Offset, max(start, l.Remembered()))
	p.reload(l)
	p.refusal = nil
	p.log.Store(l)
	p.settle(durable)
}

// onDurable is the log's call from a sync round, or from an append that
// flushes.
func (p *Partition) onDurable(at log.Position) {
	p.st.Lock()
	if p.cut {
		// The round may have begun before the log was cut.
		if l := p.log.Load(); l != nil {
			if now := l.Durable(); now.Offset < at.Offset {
				at = now
			}
		}
	}
	p.core.Durable(at.Offset)
	t := p.settle(at)
	to := p.reporter
	p.st.Unlock()
	t.tell()
	if to != nil {
		to.Synced()
	}
}

// onOffline is the log's call when it failed for good.
func (p *Partition) onOffline(err error) {
	p.refuse(p.offline(err))
}

// refuse ends service for the given reason: everyone who waits is told it, and
// so is everyone who comes.
func (p *Partition) refuse(why error) {
	p.st.Lock()
	p.refusal = why
	t := p.abandon(why)
	p.alarm()
	p.st.Unlock()
	t.tell()
}

// Close stops it: waiters get NOT_LEADER_OR_FOLLOWER. Closing twice is no
// error. A closed partition can be opened again.
func (p *Partition) Close() error {
	return p.stop(wire.NotLeaderOrFollower, func(l *log.Log) error { return l.Close() })
}

// Delete is Close, and the log is removed: waiters get why, which is
// UNKNOWN_TOPIC_OR_PARTITION where the partition is no more, and
// NOT_LEADER_OR_FOLLOWER where other nodes have it now. To take the one for the
// other would tell a transaction's coordinator that a partition needs no end.
func (p *Partition) Delete(why wire.Code) error {
	return p.stop(why, func(l *log.Log) error { return l.Dir().Delete(l) })
}

func (p *Partition) stop(why wire.Code, end func(*log.Log) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse(why)
	l := p.log.Swap(nil)
	p.pending = nil
	p.guards.Reset()
	p.st.Lock()
	p.core = replica.New(p.node)
	p.core.Configure(p.config.Load().rules())
	p.st.Unlock()
	if l == nil {
		return nil
	}
	if err := end(l); err != nil {
		return fmt.Errorf("stop the log of %s-%d: %w", p.topic, p.index, err)
	}
	return nil
}
