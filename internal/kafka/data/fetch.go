package data

import (
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Fetch (1), versions 4-18.
//
// v5 tells the log start offset, v7 brings sessions (KIP-227), v9 leader
// epochs (KIP-320), v10 zstd (nothing is converted down), v11 racks and reading
// from followers (KIP-392), v12 is flexible and brings diverging epochs (KIP-595), v13
// topic ids (KIP-516), v15 the replica state (KIP-903), v16 leader hints
// (KIP-951), v17 directory ids, v18 the follower's high watermark (KIP-1166);
// the last two are for followers, whom package feed answers.
func (f *Family) fetchRow() api.API {
	return api.API{
		Key: wire.KeyFetch, Min: 4, Max: 18, ListedMin: 4, Serve: f.fetch, Waits: true,
		Differences: []string{
			"An incremental answer also names a partition whose last stable offset alone has moved.",
			"A node that has heard nothing of the controller for three seconds gives what it has and answers NOT_LEADER_OR_FOLLOWER at the end of a partition that another node may lead by now; Kafka's waits on.",
			"A node whose place another may have taken, for all that it hears, answers NOT_LEADER_OR_FOLLOWER to an offset above what it has; Kafka's says OFFSET_OUT_OF_RANGE, and consumers begin anew.",
		},
	}
}

// fetch implements api.API.Serve. Reading happens in Build, when the answer is
// at the head of its connection's queue.
func (f *Family) fetch(c *api.Conn, r *api.Request) (api.Answer, error) {
	if c.Node >= 0 {
		if a, mine, err := f.feeder.Fetch(c, r); mine {
			return a, err
		}
	}
	a := takeFetch()
	a.family, a.conn, a.head = f, c, r.Header
	a.head.ClientID = nil // a view
	a.received = r.Received
	if err := a.parse(r.Body); err != nil {
		a.release()
		return nil, err
	}
	a.maxBytes = min(max(0, a.maxBytes), f.fetchMax)
	a.minBytes = min(a.minBytes, a.maxBytes)
	switch {
	case a.head.Version < 7:
		a.sessionEpoch = finalEpoch
		a.mode = sessionless
	case a.refused == wire.InvalidRequest:
		a.refuse(a.refused)
	default:
		f.sessions.enter(a, f.o.Now())
	}
	a.find()
	a.Ready()
	return a, nil
}

// find looks the partitions up that are not known yet.
func (a *fetchAnswer) find() {
	for i := range a.parts {
		p := &a.parts[i]
		if p.partition == nil {
			a.look(p)
		}
	}
}

// look finds one partition, or the code that stands for it.
func (a *fetchAnswer) look(p *fetchPart) {
	t := &a.topics[p.topic]
	switch any := a.family.any; {
	case a.anyone && any != nil && a.head.Version >= 13:
		p.partition, p.code = any.AnyByID(t.id, p.index)
	case a.anyone && any != nil:
		p.partition, p.code = any.AnyByName(a.name(t), p.index)
	case a.head.Version >= 13:
		p.partition, p.code = a.family.o.Partitions.ByID(t.id, p.index)
	default:
		p.partition, p.code = a.family.o.Partitions.ByName(a.name(t), p.index)
	}
}

// read fetches from every partition, in order, within the bounds of KIP-74:
// the first batch of the first partition that has any is whole, however large.
// Slices of an earlier try are given back first.
func (a *fetchAnswer) read() {
	a.drop()
	left, minOne := a.maxBytes, true
	a.urgent = len(a.parts) == 0 || a.problem != wire.None
	a.found = 0
	for i := range a.parts {
		p := &a.parts[i]
		if a.refused != wire.None {
			a.fail(p, a.refused)
			continue
		}
		if p.partition == nil {
			a.fail(p, p.code)
			continue
		}
		a.args = partition.FetchArgs{
			Offset: p.offset, MaxBytes: min(int(p.maxBytes), left), MinOne: minOne,
			Isolation: a.isolation, CurrentLeaderEpoch: p.leaderEpoch, LastFetchedEpoch: p.fetchedEpoch, Anyone: a.anyone,
		}
		if p.preferred = a.prefer(p); p.preferred >= 0 {
			a.args.MaxBytes, a.args.MinOne, a.urgent = 0, false, true
		}
		if err := p.partition.Fetch(&a.args, &p.got); err != nil {
			a.failed(p, err)
			continue
		}
		p.code = wire.None
		if p.got.Diverging {
			a.urgent = true
		}
		if n := p.got.Slice.Len; n > 0 {
			minOne = false
			left = max(0, left-n)
			a.found += n
		}
	}
}

// failed notes an error of a partition; an internal one is logged, since its
// code tells nothing.
func (a *fetchAnswer) failed(p *fetchPart, err error) {
	code := wire.CodeOf(err)
	if code == wire.UnknownServerError {
		a.family.o.Logger.Error("a partition could not be read", "partition", p.index, "offset", p.offset, "client", a.conn.ClientID, "err", err)
	}
	code = a.beyond(p, code)
	if p.cached != nil && code != wire.OffsetOutOfRange {
		p.cached.forget() // it may live elsewhere by the next request
	}
	a.fail(p, code)
}

// fail makes a partition answer a code; the whole fetch answers at once then.
func (a *fetchAnswer) fail(p *fetchPart, code wire.Code) {
	p.code, p.preferred = code, -1
	p.got = partition.Fetched{HighWatermark: -1, LastStable: -1, LogStart: -1}
	a.urgent = true
}

// enough tells whether the fetch answers now: with enough bytes, with
// something that cannot wait, or because its time is over or the node stops.
func (a *fetchAnswer) enough() bool {
	return a.urgent || a.found >= a.minBytes || a.maxWait <= 0 || a.expired.Load() || a.conn.Parts()
}

// wait registers with every partition for more, and with the wheel for the
// end of the wait.
func (a *fetchAnswer) wait() {
	a.drop()
	a.missing.Store(int64(a.minBytes - a.found))
	a.watching = true
	for i := range a.parts {
		p := &a.parts[i]
		at := p.got.HighWatermark
		if a.isolation == partition.ReadCommitted {
			at = p.got.LastStable
		}
		p.partition.Watch(a, at, a.isolation)
	}
	if a.armed {
		return
	}
	a.armed = true
	a.refs.Add(1)
	a.left = max(0, a.maxWait-max(0, time.Since(a.received)))
	a.arm()
}

// Anyone implements partition.Anyone.
func (a *fetchAnswer) Anyone() bool { return a.anyone }

// Readable implements partition.FetchWaiter.
func (a *fetchAnswer) Readable(n int) {
	if n < 0 || a.missing.Add(-int64(n)) <= 0 {
		a.Ready()
	}
}

// ReadableBy implements partition.Obliging.
func (a *fetchAnswer) ReadableBy(n int, w *partition.Woken) {
	if n < 0 || a.missing.Add(-int64(n)) <= 0 {
		a.ReadyBy(w)
	}
}

// unwatch takes the registrations back; afterwards no partition calls.
func (a *fetchAnswer) unwatch() {
	if !a.watching {
		return
	}
	a.watching = false
	for i := range a.parts {
		a.parts[i].partition.Unwatch(a)
	}
}

// Build implements api.Answer.
func (a *fetchAnswer) Build(out *api.Out) (bool, error) {
	a.unwatch()
	a.read()
	if !a.enough() {
		a.wait()
		return false, nil
	}
	a.disarm()
	a.lapse()
	a.finish()
	err := a.write(out)
	a.release()
	return true, err
}

// Drop implements api.Answer.
func (a *fetchAnswer) Drop() {
	a.unwatch()
	a.disarm()
	a.release()
}

// disarm takes the timer back.
func (a *fetchAnswer) disarm() {
	a.over.Store(true)
	if a.armed && a.family.wheel.Cancel(&a.timer) {
		a.release()
	}
	a.armed = false
}

// maxWaitOf is a request's patience.
func maxWaitOf(ms int32) time.Duration { return time.Duration(max(0, ms)) * time.Millisecond }
