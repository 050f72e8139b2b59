package partition

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// A follower takes what its leader has, as it is: what a batch may be was the
// leader's to judge. What the leader lacks it cuts off; what the leader has no
// more it passes over.

// Following is where a follower stands: what its next fetch asks with.
type Following struct {
	Leader, LeaderEpoch int32
	LogStart, End       int64
	LastEpoch           int32 // of the last record, -1 when there is none (KIP-595)
	Synced              int64 // everything below is synced here
	HighWatermark       int64
	// Lost: something that was durable here is gone; only StartOver mends it.
	Lost bool
}

// FollowerArgs come with what a leader answers.
type FollowerArgs struct {
	LeaderEpoch   int32 // in which it was asked
	HighWatermark int64 // the leader's, -1 when it did not tell
	LogStart      int64 // the leader's, -1 when it did not tell
}

// Follow tells where the partition stands as a follower. It fails with
// NOT_LEADER_OR_FOLLOWER where it follows nobody.
func (p *Partition) Follow() (Following, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.follower(p.core.LeaderEpoch())
	if err != nil {
		return Following{}, err
	}
	if p.mustWait(l) {
		return Following{}, errCondemned
	}
	f := Following{
		Leader: p.core.Leader(), LeaderEpoch: p.core.LeaderEpoch(),
		LogStart: l.Start(), End: l.End().Offset, LastEpoch: -1, Synced: l.Durable().Offset,
		HighWatermark: p.high.Load(), Lost: l.Lost() || p.renewal == released,
	}
	if e, ok := l.Epochs().EpochOf(f.End - 1); ok && f.End > f.LogStart {
		f.LastEpoch = e
	}
	return f, nil
}

// errCondemned: the controller has not noted yet that nobody counts on what is here.
var errCondemned = wire.Errorf(wire.NotLeaderOrFollower, "the replica is damaged and waits to be fetched anew")

// follower gives the log of a partition that follows in an epoch. mu held.
func (p *Partition) follower(leaderEpoch int32) (*log.Log, error) {
	p.st.Lock()
	defer p.st.Unlock()
	if p.refusal != nil {
		return nil, p.refusal
	}
	l := p.log.Load()
	if l == nil {
		return nil, wire.NotLeaderOrFollower
	}
	if c := p.core.CheckFollow(leaderEpoch); c != wire.None {
		return nil, c
	}
	return l, nil
}

// copied is what AppendFollower works with: batches that leave with one write.
type copied struct {
	headers []record.Header
	batches [][]byte
}

var copies = sync.Pool{New: func() any { return new(copied) }}

// AppendFollower takes batches that the leader of a.LeaderEpoch has, and with
// them its high watermark and log start offset; b may be empty, and may end
// inside a batch, which is left out. b is borrowed until return. What is here
// already is passed over. It tells the log end offset that it came to, also with
// an error:
//
//	6, 74, 75  the partition follows nobody, or in another epoch
//	2          a batch is damaged, of a later epoch, or does not fit the log
//	56         the disk
func (p *Partition) AppendFollower(b []byte, a *FollowerArgs) (end int64, err error) {
	c := copies.Get().(*copied)
	defer func() {
		clear(c.batches)
		c.headers, c.batches = c.headers[:0], c.batches[:0]
		copies.Put(c)
	}()
	bad := c.read(b, a.LeaderEpoch) // what is sound before it is taken
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.follower(a.LeaderEpoch)
	if err != nil {
		return p.end.Load(), err
	}
	if err := p.copyAll(l, c, a.LogStart); err != nil {
		return l.End().Offset, p.unfollowable(err)
	}
	if err := p.learn(l, a); err != nil {
		return l.End().Offset, p.fault(err)
	}
	if bad != nil {
		return l.End().Offset, badBatch(bad)
	}
	return l.End().Offset, nil
}

// unfollowable sorts an error of copyAll: the leader's batches are at fault, or the
// disk.
func (p *Partition) unfollowable(err error) error {
	if bad := (*record.Error)(nil); errors.As(err, &bad) {
		return badBatch(err)
	}
	return p.fault(err)
}

// read cuts b into batches and checks each.
func (c *copied) read(b []byte, leaderEpoch int32) error {
	next := int64(0)
	for len(b) > 0 {
		h, batch, rest, err := record.Next(b)
		if err == record.ErrShort {
			return nil
		}
		if err != nil {
			return err
		}
		if reason := unfit(&h, batch, next, leaderEpoch); reason != "" {
			return &record.Error{Kind: record.KindCorrupt, Reason: fmt.Sprintf("the leader's batch at offset %d %s", h.BaseOffset, reason)}
		}
		c.headers, c.batches = append(c.headers, h), append(c.batches, batch)
		b, next = rest, h.NextOffset()
	}
	return nil
}

// unfit tells what is wrong with a batch of the leader's, nothing when it is
// well.
func unfit(h *record.Header, batch []byte, next int64, leaderEpoch int32) string {
	switch {
	case !record.VerifyCRC(batch):
		return "does not match its checksum"
	case h.LastOffsetDelta < 0 || h.BaseOffset < 0:
		return "has offsets that cannot be"
	case h.BaseOffset < next:
		return fmt.Sprintf("comes after offset %d", next-1)
	case h.LeaderEpoch > leaderEpoch:
		return fmt.Sprintf("is of leader epoch %d, later than the leader's own %d", h.LeaderEpoch, leaderEpoch)
	}
	return ""
}

// copyAll appends the batches that are not here yet. mu held.
func (p *Partition) copyAll(l *log.Log, c *copied, leaderStart int64) error {
	hs, bs := c.headers, c.batches
	end := l.End().Offset
	for len(hs) > 0 && hs[0].NextOffset() <= end {
		hs, bs = hs[1:], bs[1:]
	}
	if len(hs) == 0 {
		return nil
	}
	if hs[0].BaseOffset < end {
		return p.copyFirst(l, hs, bs, leaderStart)
	}
	return p.copyRuns(l, hs, bs)
}

// copyFirst begins a log with a batch that begins below the offset where the log
// ends: the leader has deleted records from its middle, and whatever is here is
// below that. mu held.
func (p *Partition) copyFirst(l *log.Log, hs []record.Header, bs [][]byte, leaderStart int64) error {
	end := l.End().Offset
	if end != l.Start() && end > leaderStart {
		return &record.Error{Kind: record.KindCorrupt, Reason: fmt.Sprintf(
			"the leader's batch at offset %d begins below the log end offset %d of this follower", hs[0].BaseOffset, end)}
	}
	if err := l.StartAt(hs[0].BaseOffset); err != nil {
		return err
	}
	p.emptied(l)
	if err := p.copyRuns(l, hs, bs); err != nil {
		return err
	}
	// A log may not start above what is durable: a power cut would leave nothing,
	// and the offsets in between as lost.
	if err := l.Sync(); err != nil {
		return err
	}
	if err := l.AdvanceStart(end); err != nil {
		return err
	}
	p.started(end)
	return nil
}

// copyRuns appends the batches, as many as can be with one write: a transaction's
// end is the last of a run, for what follows may begin another of its producer.
// mu held.
func (p *Partition) copyRuns(l *log.Log, hs []record.Header, bs [][]byte) error {
	for len(hs) > 0 {
		n := 1
		for n < len(hs) && !hs[n-1].Control() {
			n++
		}
		p.beginAll(hs[:n])
		end, err := l.AppendMany(hs[:n], bs[:n])
		p.copiedTo(l, hs[:n], end, err != nil)
		if err != nil {
			return err
		}
		hs, bs = hs[n:], bs[n:]
	}
	return nil
}

// beginAll tells the core of transactions before their first batches are written.
// mu held.
func (p *Partition) beginAll(hs []record.Header) {
	for i := range hs {
		p.begin(&hs[i])
	}
}

// copiedTo tells the core of a run that was written up to end. mu held.
func (p *Partition) copiedTo(l *log.Log, hs []record.Header, end log.Position, short bool) {
	p.st.Lock()
	if last := &hs[len(hs)-1]; last.Control() && last.Transactional() && !short {
		p.core.Txns().End(last.ProducerID, last.BaseOffset)
	}
	if short {
		p.reload(l)
	}
	p.core.Appended(end.Offset)
	t := p.settle(end)
	p.st.Unlock()
	t.tell()
	if p.full.Load() && !short {
		p.noteFull(nil)
	}
}

// learn takes over the leader's high watermark and log start offset. Records that
// the leader has deleted go here too, once they are committed and durable. mu
// held.
func (p *Partition) learn(l *log.Log, a *FollowerArgs) error {
	p.st.Lock()
	p.core.LeaderHigh(a.HighWatermark)
	t := p.settle(l.End())
	start := min(a.LogStart, p.core.High(), l.Durable().Offset)
	p.st.Unlock()
	t.tell()
	if start <= l.Start() {
		return nil
	}
	if err := l.AdvanceStart(start); err != nil {
		return err
	}
	p.started(l.Start())
	return nil
}

// TruncateTo cuts off what the leader of leaderEpoch does not have: it has
// answered that its records of the epoch, the last that both may have, end at
// end (KIP-595). It tells the log end offset after that, which another fetch
// begins at: the epochs before may differ too (KIP-279). What is below is never
// cut by guess, and the high watermark plays no part (KIP-101).
func (p *Partition) TruncateTo(leaderEpoch, epoch int32, end int64) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.follower(leaderEpoch)
	if err != nil {
		return p.end.Load(), err
	}
	was := l.End().Offset
	to := p.common(l, epoch, end)
	if to < l.Start() {
		err = l.StartAt(max(to, 0))
	} else {
		err = l.TruncateTo(to)
	}
	if err != nil {
		return l.End().Offset, p.fault(err)
	}
	l.Epochs().TruncateEnd(l.End().Offset)
	p.truncated(l, was, leaderEpoch)
	return l.End().Offset, nil
}

// common is where this log and the leader's part at the latest, given the
// leader's last epoch that both may have and where it ended there. It is always
// below the log end, so that every round comes closer. mu held.
func (p *Partition) common(l *log.Log, epoch int32, end int64) int64 {
	logEnd := l.End().Offset
	mine, mineEnd := l.Epochs().EndOf(epoch, logEnd)
	to := logEnd - 1
	switch {
	case mine == epoch:
		to = min(to, mineEnd, end)
	case mine >= 0:
		to = min(to, mineEnd) // the leader's epoch is not here: the one before is looked at next
	case epoch >= 0:
		to = min(to, end)
	}
	return to
}

// truncated tells the core, and whoever must know, of a log that was cut. mu
// held.
func (p *Partition) truncated(l *log.Log, was int64, leaderEpoch int32) {
	end, high := l.End().Offset, p.high.Load()
	p.st.Lock()
	p.core.Truncated(end)
	if l.Start() == end {
		p.core.Emptied(end)
	}
	p.recut(l)
	p.st.Unlock()
	say := p.logger.Info
	if end < high {
		say = p.logger.Warn // an unclean election: what was committed is gone
	}
	say("replica has cut off what its leader does not have",
		slog.String("topic", p.topic), slog.Int("partition", int(p.index)), slog.Int("leader_epoch", int(leaderEpoch)),
		slog.Int64("from", end), slog.Int64("to", was), slog.Int64("high_watermark", high))
}

// recut brings everything that was known about the log's end to what it is now.
// mu and st held.
func (p *Partition) recut(l *log.Log) {
	p.cut = true
	p.reload(l)
	p.highAt = log.Position{Offset: p.core.High(), Byte: -1}
	p.stableAt = log.Position{Offset: p.core.Stable(), Byte: -1}
	p.publish()
	p.alarm()
}

// StartOver empties the log: it begins again at offset, where its leader's log
// begins now, or at 0 when what was here can not be read.
func (p *Partition) StartOver(leaderEpoch int32, offset int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.follower(leaderEpoch)
	if err != nil {
		return err
	}
	start, end := l.Start(), l.End().Offset
	if err := l.StartAt(offset); err != nil {
		return p.fault(err)
	}
	p.renewal = sound
	p.emptied(l)
	if start < end {
		p.logger.Warn("replica begins again: its leader has nothing left of what it had, or it could not be read here",
			slog.String("topic", p.topic), slog.Int("partition", int(p.index)), slog.Int("leader_epoch", int(leaderEpoch)),
			slog.Int64("from", start), slog.Int64("to", end), slog.Int64("offset", offset))
	}
	return nil
}

// emptied tells the core of a log that was emptied. mu held.
func (p *Partition) emptied(l *log.Log) {
	p.st.Lock()
	defer p.st.Unlock()
	p.core.Emptied(l.Start())
	p.recut(l)
}

// reload takes the transactions over from the log's producer state. mu and st
// held.
func (p *Partition) reload(l *log.Log) {
	txns := p.core.Txns()
	txns.Reset()
	high := p.core.High()
	l.Producers().Transactions(func(id, first, marker int64) {
		switch {
		case marker < 0:
			txns.Begin(id, first)
		case marker >= high:
			txns.Decided(first, marker)
		}
	})
}
