package partition

import (
	"ottla/internal/log"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// AppendArgs tell Append who is asking.
type AppendArgs struct {
	Acks          int16
	AllowZstd     bool
	Transactional bool // the request names a transactional id
	Internal      bool // our own write: control batches and internal topics allowed
	// TransactionVersion is how strictly an end marker's epoch is judged: from 2
	// on it lies above the epoch of the data that it ends (KIP-890, KIP-1228).
	TransactionVersion int16
	// Guard is what Partition.Guard gave, once the transaction's coordinator has
	// vouched for the batch.
	Guard producer.Guard
	// Woken, if set, takes what the append makes ready; the caller runs it after
	// its last append, with no lock held, whatever becomes of them.
	Woken *Woken
	// InEpoch refuses the batch (FENCED_LEADER_EPOCH) unless the partition is
	// led in LeaderEpoch: a coordinator's state belongs to one leadership.
	InEpoch     bool
	LeaderEpoch int32
}

// Appended is what became of a batch.
type Appended struct {
	BaseOffset      int64
	LogAppendTimeMs int64 // -1 unless the topic uses log append time, or a duplicate
	LogStartOffset  int64
	End             int64 // wait for this offset, see Await
	Duplicate       bool
}

// Append validates one produced batch (b holds exactly it), assigns its
// offset and hands it to the log. b is patched in place and borrowed until
// return. When it returns the batch is written but may not be committed: see
// Await. A duplicate is not written again; r then tells of its first append.
// Allocates nothing on success (but to compress anew, and what the log takes
// for a new segment). Errors: see fault.go, and
//
//	21  acks is not -1, 0 or 1           17  internal topic, not our own write
//	6   not the leader (any more)        19  acks=all and the ISR is too small
//	10, 18  too large                    2, 32, 76, 87  a bad batch
//	45, 47, 48, 53  producer and transaction
func (p *Partition) Append(b []byte, a *AppendArgs, r *Appended) error {
	c := p.config.Load()
	if c.Log.Internal && !a.Internal {
		return wire.InvalidTopic
	}
	if err := p.mayAppend(a.Acks); err != nil {
		return err
	}
	var h record.Header
	b, err := p.prepare(b, c, a, &h)
	if err != nil {
		return err
	}
	t, err := p.write(b, &h, a, r)
	t.tell()
	return err
}

// mayAppend refuses early what would be refused after all the work. The same
// is asked again under mu, when it counts.
func (p *Partition) mayAppend(acks int16) error {
	p.st.Lock()
	defer p.st.Unlock()
	if p.refusal != nil {
		return p.refusal
	}
	if c := p.core.MayAppend(acks); c != wire.None {
		return c
	}
	return nil
}

// write is everything that the lock must cover. The caller tells the batch.
func (p *Partition) write(b []byte, h *record.Header, a *AppendArgs, r *Appended) (*told, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		return nil, wire.NotLeaderOrFollower
	}
	if c := p.core.MayAppend(a.Acks); c != wire.None {
		return nil, c
	}
	if a.InEpoch && a.LeaderEpoch != p.core.LeaderEpoch() {
		return nil, wire.FencedLeaderEpoch
	}
	if seen, duplicate, err := p.admit(l, h, b, a); err != nil {
		return nil, err
	} else if duplicate {
		p.repeat(seen, r)
		return nil, nil
	}

	end := l.End()
	h.BaseOffset, h.LeaderEpoch = end.Offset, p.core.LeaderEpoch()
	record.SetBaseOffset(b, h.BaseOffset)
	record.SetLeaderEpoch(b, h.LeaderEpoch)
	began := p.begin(h)
	end, err := l.Append(h, b)
	if err != nil {
		return nil, p.unwritten(err, h, began)
	}
	if p.full.Load() {
		p.noteFull(nil)
	}
	if h.Transactional() {
		p.guards.Written(h.ProducerID)
	}

	r.BaseOffset, r.End, r.Duplicate = h.BaseOffset, end.Offset, false
	r.LogAppendTimeMs = -1
	if h.LogAppendTime() {
		r.LogAppendTimeMs = h.MaxTimestamp
	}
	r.LogStartOffset = p.start.Load()
	return p.wrote(h, end, a.Woken), nil
}

// wrote tells the core of an append, and finds out who is to be told. mu held.
func (p *Partition) wrote(h *record.Header, end log.Position, by *Woken) *told {
	p.st.Lock()
	defer p.st.Unlock()
	if h.Control() && h.Transactional() {
		p.core.Txns().End(h.ProducerID, h.BaseOffset)
	}
	p.core.Appended(end.Offset)
	p.by = by
	p.stir(NewsRecords)
	t := p.settle(end)
	p.by = nil
	return t
}

// unwritten undoes what was done for a batch that the log refused. mu held.
func (p *Partition) unwritten(err error, h *record.Header, began bool) error {
	if began {
		p.st.Lock()
		p.core.Txns().Undo(h.ProducerID)
		p.st.Unlock()
	}
	p.noteFull(err)
	return p.fault(err)
}

// repeat answers a duplicate: with its first offset and the time of its first
// append.
func (p *Partition) repeat(seen producer.Seen, r *Appended) {
	*r = Appended{
		BaseOffset: seen.BaseOffset, End: seen.LastOffset + 1, Duplicate: true,
		LogAppendTimeMs: seen.TimestampMs, LogStartOffset: p.start.Load(),
	}
}
