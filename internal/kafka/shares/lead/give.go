package lead

import (
	"errors"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// Want is what a member asks of a part.
type Want struct {
	Member     string
	MaxRecords int
	Strict     bool // MaxRecords is a limit, not a wish (KIP-1206)
	BatchSize  int
	MaxBytes   int
	MinOne     bool // the first batch comes whole however large (KIP-74)
	LockMs     int64
	Holder     uint64 // of a Lease: who takes, 0 for nobody in particular
	leased     bool   // see Lease
}

// Given is what a member got.
type Given struct {
	// Slice are whole batches; it must be released when its Len is above 0.
	Slice log.Slice
	// Bytes are the batches instead, where keys matter to takers (Lease).
	Bytes    []byte
	Acquired []share.Range
	Records  int
	Epoch    int32 // of the state: receipts (share.Receipt) carry it
	// Gen and Bound are for Watch, when nothing was given: what has been seen.
	// Bound is below 0 when more of the log would not help.
	Gen    uint64
	Bound  int64
	Log    *partition.Partition
	Reader partition.Isolation
	// Held tells, when nothing was given, that the member holds records of the
	// part: it may be its own acknowledgements that are waited for.
	Held bool
}

// Give reads records for a member and locks them. Nothing given and no error
// means that there is nothing at the moment: see Watch. Acquired is appended
// to, from g.Acquired[:0] on.
func (p *Part) Give(w *Want, g *Given) error {
	p.mu.Lock()
	defer p.unlock()
	return p.tryGive(w, g)
}

func (p *Part) tryGive(w *Want, g *Given) error {
	*g = Given{Acquired: g.Acquired[:0], Bound: -1}
	ok, err := p.serve()
	if ok {
		g.Epoch = p.state
		err = p.give(w, g)
		g.Held = g.Records == 0 && p.phase == ready && p.core.Holds(w.Member) > 0
	}
	if g.Gen != again {
		g.Gen = p.gen
		if p.wake {
			g.Gen++ // what is about to be told is seen
		}
	}
	return err
}

// again as Gen makes the next Watch wake at once.
const again = ^uint64(0)

// tries bounds how often Give reads on over batches with nothing for members.
const tries = 8

func (p *Part) give(w *Want, g *Given) error {
	g.Log, g.Reader = p.log, p.set.Isolation
	now := p.nowMs()
	p.catchUp(now)
	if w.leased && p.core.ByKey() {
		return p.giveByKey(w, g, now)
	}
	last := int64(-1)
	for range tries {
		from, ok := p.core.Next(now)
		if !ok || from == last {
			return nil
		}
		last = from
		var f partition.Fetched
		err := p.log.Fetch(&partition.FetchArgs{
			Offset: from, MaxBytes: w.MaxBytes, MinOne: w.MinOne, Isolation: p.set.Isolation,
			CurrentLeaderEpoch: -1, LastFetchedEpoch: -1,
		}, &f)
		if err != nil {
			g.Bound = p.log.Offsets().HighWatermark
			return p.unread(err)
		}
		g.Bound = f.HighWatermark
		if p.set.Isolation == partition.ReadCommitted {
			g.Bound = f.LastStable
		}
		if f.Slice.Len == 0 {
			return nil
		}
		if err := p.pick(w, g, from, now, &f); err != nil || g.Records > 0 {
			return err
		}
	}
	g.Gen = again // there is more to pass by
	return nil
}

// catchUp takes over what time and retention have done.
func (p *Part) catchUp(now int64) {
	if p.core.Trim(p.log.Offsets().LogStart) {
		p.wake = true
	}
	if p.core.Expire(now) {
		p.wake = true
		p.bury()
	}
}

// unread sorts an error of the log.
func (p *Part) unread(err error) error {
	if errors.Is(err, wire.OffsetOutOfRange) {
		if p.core.Trim(p.log.Offsets().LogStart) {
			p.wake = true
		}
		return nil // above the end: those records are to come; below the start: gone by now
	}
	return err
}

// pick locks what is free in the batches of a slice, and cuts the slice behind
// the last of them.
func (p *Part) pick(w *Want, g *Given, from, now int64, f *partition.Fetched) error {
	r := newReader(f, &p.set)
	a := share.Want{Member: w.Member, Leased: w.leased, Holder: w.Holder, NowMs: now, LockMs: w.LockMs, Strict: w.Strict, BatchSize: w.BatchSize}
	left, keep, at := w.MaxRecords, 0, from
	if left <= 0 {
		left = int(^uint(0) >> 1)
	}
	var failed error
	for left > 0 {
		b, end, ok, err := r.next()
		if err != nil || !ok {
			failed = err
			break
		}
		if b.Last < at {
			continue
		}
		p.unrepeat(&b, r.marks)
		a.MaxRecords = left
		r.one[0] = b
		g.Acquired = p.core.Acquire(&a, at, r.one[:], g.Acquired)
		at = b.Last + 1
		if n := count(g.Acquired) - g.Records; n > 0 {
			g.Records += n
			left -= n
			keep = end
		} else if g.Records > 0 && p.full(now) {
			break
		}
	}
	g.Slice = f.Slice
	if g.Slice.Len = keep; keep == 0 {
		g.Slice = log.Slice{}
		f.Slice.Release()
	}
	if g.Records > 0 {
		return nil
	}
	return failed
}

// full tells whether nothing more can be given.
func (p *Part) full(now int64) bool {
	_, ok := p.core.Next(now)
	return !ok
}

func count(rs []share.Range) int {
	n := 0
	for _, r := range rs {
		n += int(r.Last - r.First + 1)
	}
	return n
}

// Free tells whether a Lease may give something at this moment; it locks
// nothing.
func (p *Part) Free() bool {
	p.mu.Lock()
	if ok, _ := p.serve(); !ok || !p.core.ByKey() {
		p.unlock()
		return ok && p.Waiting(1) > 0
	}
	defer p.unlock()
	now := p.nowMs()
	p.catchUp(now)
	p.core.Begin()
	if _, ok := p.core.Peek(now); ok {
		return true
	}
	from, ok := p.core.Unread(now)
	return ok && from < bound(p.log, &p.set)
}

// Waiting tells how many bytes could be read for members at this moment, at
// most most; it locks nothing.
func (p *Part) Waiting(most int) int {
	p.mu.Lock()
	defer p.unlock()
	if ok, _ := p.serve(); !ok {
		return 0
	}
	now := p.nowMs()
	p.catchUp(now)
	from, ok := p.core.Next(now)
	if !ok {
		return 0
	}
	var f partition.Fetched
	err := p.log.Fetch(&partition.FetchArgs{Offset: from, MaxBytes: most, MinOne: true, Isolation: p.set.Isolation,
		CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if err != nil || f.Slice.Len == 0 {
		return 0
	}
	n := f.Slice.Len
	f.Slice.Release()
	return n
}

// Look fills g with what Watch needs, and gives nothing.
func (p *Part) Look(g *Given) {
	*g = Given{Acquired: g.Acquired[:0], Bound: -1}
	p.mu.Lock()
	if ok, _ := p.serve(); ok {
		g.Log, g.Reader = p.log, p.set.Isolation
		o := p.log.Offsets()
		if g.Bound = o.HighWatermark; g.Reader == partition.ReadCommitted {
			g.Bound = o.LastStable
		}
	}
	g.Gen = p.gen
	if p.wake {
		g.Gen++
	}
	p.unlock()
}
