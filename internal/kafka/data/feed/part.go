package feed

import (
	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/internal/wire/pull"
)

// part is a partition of a session. It implements partition.Feed.
type part struct {
	session   *session
	partition *partition.Partition // nil until it is found; session.mu, as is
	ask       pull.Ask
	// high and start are as last told.
	high, start int64

	// session.news guards these.
	queued  bool // it is in the queue
	dormant bool // answered: its news are of no use until it is asked again
	gone    bool // the session has it no more
	held    bool // it waits for the rate of throttled replicas
}

// Stirred implements partition.Feed.
func (p *part) Stirred(n partition.News, by *partition.Woken) { p.session.stir(p, n, by) }

// asked notes that the follower waits for it, or has its answer.
func (p *part) asked(yes bool) {
	p.session.news.Lock()
	p.dormant = !yes
	p.session.news.Unlock()
}

// leave ends its part in the session. session.mu is held.
func (p *part) leave() {
	p.session.news.Lock()
	p.gone = true
	p.session.news.Unlock()
	p.drop()
}

// drop lets the partition go: it may live elsewhere. session.mu is held.
func (p *part) drop() {
	if p.partition != nil {
		p.partition.Starve(p)
		p.partition = nil
	}
}

// outcome is what a look at a partition brought.
type outcome int8

const (
	quiet outcome = iota // nothing
	moved                // the high watermark or the log start offset is another
	full                 // something that the follower must act on
)

// find looks the partition up. session.mu is held.
func (p *part) find() wire.Code {
	if p.partition != nil {
		return wire.None
	}
	found, code := p.session.feeder.o.Partitions.ByID(p.ask.Topic, p.ask.Index)
	if code != wire.None {
		return code
	}
	p.partition = found
	found.Feed(p)
	return wire.None
}

// look reads what there is for the follower, within so many bytes, but at least
// one batch with minOne. session.mu is held.
func (p *part) look(bytes int, minOne bool, row *pull.Row, got *partition.Fetched) outcome {
	*row = pull.Row{Key: p.ask.Key, High: -1, LogStart: -1}
	if row.Code = p.find(); row.Code != wire.None {
		return full
	}
	r := p.ration(min(bytes, int(p.ask.MaxBytes)), minOne)
	a := partition.ReplicaArgs{
		FetchArgs: partition.FetchArgs{
			Offset: p.ask.Offset, MaxBytes: r.bytes, MinOne: r.minOne,
			CurrentLeaderEpoch: max(p.ask.LeaderEpoch, 0), LastFetchedEpoch: p.ask.LastEpoch,
		},
		Replica: p.session.node, BrokerEpoch: p.session.brokerEpoch, Synced: p.ask.Synced, LogStart: p.ask.LogStart, Stuck: p.ask.Stuck,
	}
	err := p.partition.FetchReplica(&a, got)
	row.High, row.LogStart = got.HighWatermark, got.LogStart
	if err != nil {
		if row.Code = wire.CodeOf(err); row.Code == wire.UnknownServerError {
			p.session.feeder.o.Logger.Error("a partition could not be read for a replica", "partition", p.ask.Index, "offset", p.ask.Offset, "broker", p.session.node, "err", err)
		}
		if row.Code != wire.OffsetOutOfRange {
			p.drop()
		}
		return full
	}
	switch {
	case r.again > 0 && !got.Diverging:
		p.session.hold(p, r.again)
	case r.counts:
		p.session.feeder.o.Throttle.Take(got.Slice.Len)
	}
	switch {
	case got.Diverging:
		row.Diverging, row.DivergingEpoch, row.DivergingEnd = true, got.DivergingEpoch, got.DivergingEnd
		return full
	case got.Slice.Len > 0:
		return full
	case row.High != p.high || row.LogStart != p.start:
		return moved
	}
	return quiet
}
