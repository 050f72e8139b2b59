package share

import "ottla/internal/wire"

// Ack is what a member says of a range of offsets: one type for all, or one
// for each.
type Ack struct {
	First, Last int64
	Types       []AckType
}

// check tells what is wrong with the form of an acknowledgement.
func (a *Ack) check() error {
	n := a.Last - a.First + 1
	if a.First < 0 || n <= 0 || n > int64(len(a.Types)) && len(a.Types) != 1 || int64(len(a.Types)) > n {
		return wire.Errorf(wire.InvalidRequest, "offsets %d to %d are acknowledged with %d types; one is needed, or one for each offset",
			a.First, a.Last, len(a.Types))
	}
	for _, t := range a.Types {
		if t < Gap || t > Renew {
			return wire.Errorf(wire.InvalidRequest, "offsets %d to %d are acknowledged with the unknown type %d", a.First, a.Last, t)
		}
	}
	return nil
}

// Check tells what is wrong with the form of acknowledgements of one
// share-partition: they must be in order and must not overlap.
func Check(acks []Ack) error {
	end := int64(-1)
	for i := range acks {
		if err := acks[i].check(); err != nil {
			return err
		}
		if acks[i].First <= end {
			return wire.Errorf(wire.InvalidRequest, "offset %d is acknowledged out of order, after %d", acks[i].First, end)
		}
		end = acks[i].Last
	}
	return nil
}

// Acknowledge takes what a member says, all of it or, with an error, nothing:
// every record must be locked for it (INVALID_RECORD_STATE else; INVALID_REQUEST
// beyond the end). Offsets that
// the log has lost meanwhile count for nothing. acks have passed Check.
func (p *Partition) Acknowledge(nowMs int64, member string, acks []Ack) error {
	for i := range acks {
		if err := p.holds(member, acks[i].First, acks[i].Last); err != nil {
			return err
		}
	}
	p.tick(nowMs)
	for i := range acks {
		a := &acks[i]
		if len(a.Types) == 1 {
			p.take(nowMs, a.First, a.Last, a.Types[0])
			continue
		}
		for k := 0; k < len(a.Types); {
			n := k + 1
			for n < len(a.Types) && a.Types[n] == a.Types[k] {
				n++
			}
			p.take(nowMs, a.First+int64(k), a.First+int64(n)-1, a.Types[k])
			k = n
		}
	}
	p.settle()
	return nil
}

// holds tells whether a range is locked for a member.
func (p *Partition) holds(member string, first, last int64) error {
	at := max(first, p.trimmed) // what the log has lost needs no lock
	for i := p.spans.index(at); at <= last; i++ {
		if at >= p.end {
			return wire.Errorf(wire.InvalidRequest, "offset %d was never given to anybody: all from %d on is free", at, p.end)
		}
		if i >= len(p.spans) || p.spans[i].first > at {
			return wire.Errorf(wire.InvalidRecordState, "offset %d is not locked: it is done, or was not given to anybody", at)
		}
		s := &p.spans[i]
		switch {
		case s.state != Acquired:
			return wire.Errorf(wire.InvalidRecordState, "offset %d is not locked: it is %s", at, s.state)
		case s.leased() || s.owner.member != member:
			return wire.Errorf(wire.InvalidRecordState, "offset %d is locked for another member", at)
		}
		at = s.last + 1
	}
	return nil
}

// take carries out one type for a range that is locked for its member.
func (p *Partition) take(nowMs, first, last int64, t AckType) {
	first = max(first, p.start)
	if first > last {
		return
	}
	var i, j int
	p.spans, i, j = p.spans.part(first, last)
	switch t {
	case Accept:
		p.mark(i, j, Acknowledged, 0)
	case Gap:
		p.mark(i, j, Archived, 0)
	case Reject:
		p.mark(i, j, p.dead(), 0)
	case Release:
		for k := i; k < j; k++ {
			p.free(nowMs, k, p.s.retryMs(p.spans[k].count))
		}
	case Renew:
		for k := i; k < j; k++ {
			p.hold(&p.spans[k], nowMs+p.s.LockMs)
		}
	}
	p.spans = p.spans.join(i, j)
}

// dead is the state of what is given up.
func (p *Partition) dead() State {
	if p.s.DeadLetter {
		return Archiving
	}
	return Archived
}

// Moved tells that the dead letters of a range are written: what is Archiving
// in it is archived.
func (p *Partition) Moved(first, last int64) {
	first, last = max(first, p.start), min(last, p.end-1)
	if first > last {
		return
	}
	var i, j int
	p.spans, i, j = p.spans.part(first, last)
	for k := i; k < j; k++ {
		if p.spans[k].state == Archiving {
			p.mark(k, k+1, Archived, 0)
		}
	}
	p.spans = p.spans.join(i, j)
	p.settle()
}

// Dead lists what waits for its dead letter, at most most ranges.
func (p *Partition) Dead(most int) []Range {
	var out []Range
	for i := range p.spans {
		if s := &p.spans[i]; s.state == Archiving && len(out) < most {
			out = append(out, Range{s.first, s.last, s.count})
		}
	}
	return out
}
