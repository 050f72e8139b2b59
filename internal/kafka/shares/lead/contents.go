package lead

import (
	"ottla/internal/share"
	"ottla/internal/wire"
)

// Contents is what a share-partition has that is not done, from an offset on.
// Whether there is a record at each of the offsets, and whether members see it,
// the log must tell.
type Contents struct {
	// Undone are in order; what was never given out, beyond End, is the last.
	// When there are as many as were asked for, there may be more.
	Undone []share.Undone
	// Bound is up to where members read: below High, where records are committed,
	// while a transaction is open.
	Bound, High int64
	// Locked are out, of Most that may be.
	Locked, Most int64
	// NowMs is the time that locks and waits are of.
	NowMs int64
}

// Contents lists; the part is loaded by then (Await), or it says why not.
func (p *Part) Contents(from int64, most int) (Contents, error) {
	p.mu.Lock()
	defer p.unlock()
	if ok, err := p.serve(); !ok {
		return Contents{}, unready(err)
	}
	now := p.nowMs()
	p.catchUp(now)
	c := Contents{
		Undone: p.core.Undone(from, most), Bound: bound(p.log, &p.set), High: p.log.Offsets().HighWatermark,
		Locked: p.core.Stats().Locked, Most: int64(p.set.MaxLocked), NowMs: now,
	}
	if first := max(from, p.core.End()); first < c.Bound && len(c.Undone) < most {
		c.Undone = append(c.Undone, share.Undone{Range: share.Range{First: first, Last: c.Bound - 1}, Behind: -1})
	}
	return c, nil
}

// unready is an error of a part that does not serve; nil is "not yet".
func unready(err error) error {
	if err == nil {
		return wire.CoordinatorLoadInProgress
	}
	return err
}

// Hold leases the records at offsets that are free, of those that the caller
// knows to be there: see Lease, of done too. Of w LockMs and Holder count. A window that is full, or a state in
// which too much is known record by record, is INVALID_REQUEST when nothing else
// was held.
func (p *Part) Hold(w *Want, offsets []int64, done func(error)) (epoch int32, held []share.Range, err error) {
	p.mu.Lock()
	defer p.unlock()
	if ok, err := p.serve(); !ok {
		return 0, nil, unready(err)
	}
	now := p.nowMs()
	p.catchUp(now)
	end := bound(p.log, &p.set)
	mine := share.Want{Leased: true, Holder: w.Holder, NowMs: now, LockMs: w.LockMs}
	for _, at := range offsets {
		if at < 0 || at >= end {
			continue
		}
		if r, ok := p.core.Hold(&mine, at); ok {
			held = append(held, r)
		}
	}
	switch {
	case len(held) > 0:
		p.asked = append(p.asked, done)
	case p.core.Scattered():
		return 0, nil, wire.Errorf(wire.InvalidRequest, "so many records that are done lie between others that no more can be picked out: take those before them first")
	}
	return p.state, held, nil
}
