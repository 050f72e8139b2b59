package share

import "ottla/internal/wire"

// Receipt names one delivery of one record. Who took records by Want.Leased
// answers for each by its receipt, however often the node was restarted
// meanwhile: leases are stored before anybody sees them, so no two deliveries
// of a state have the same one, but for what its Holder returned.
type Receipt struct {
	// Epoch is the state's (store.State). Whoever keeps the state compares it.
	Epoch  int32
	Offset int64
	Count  int16 // deliveries, this one included
}

// Word is what is said of a record by its receipt.
type Word struct {
	Receipt
	Type AckType // Accept, Release, Reject, Renew or Return
	// ForMs is, with Release, how long the record waits for its next try (at
	// most MaxRetryMs; below 0: as the group's settings say), with Renew how
	// long the lease lasts from now on (at most MaxLeaseMs; 0: as the group's
	// settings say).
	ForMs int64
	// Late takes the word although the lease has ended, as long as nobody else got
	// the record: a Renew holds it again, in the same delivery, unless the window is
	// full. With key order only Accept and Reject can be late, for the group has
	// gone on.
	Late bool
	// Holder, with Return, is who has the record (Want.Holder) and gives it back as if
	// he had never had it: the delivery does not count. That is for who only moves
	// records about and has shown them to nobody. The next one has the same Receipt;
	// so only a lease of that Holder is good.
	Holder uint64
}

// MaxLeaseMs bounds a lease: twelve hours, the longest that queues offer.
const MaxLeaseMs = 12 * 3600_000

// check tells what is wrong with the form of a word.
func (w *Word) check() error {
	switch {
	case w.Type < Accept || w.Type > Return:
		return wire.Errorf(wire.InvalidRequest, "offset %d is answered with type %d, which a receipt cannot say", w.Offset, w.Type)
	case w.Type == Release && w.ForMs > MaxRetryMs:
		return wire.Errorf(wire.InvalidRequest, "offset %d is to wait %d ms; more than %d ms are for a timer", w.Offset, w.ForMs, MaxRetryMs)
	case w.Type == Renew && (w.ForMs < 0 || w.ForMs > MaxLeaseMs):
		return wire.Errorf(wire.InvalidRequest, "offset %d is to be held for %d ms; 0 to %d ms are possible", w.Offset, w.ForMs, MaxLeaseMs)
	}
	if w.Type == Return && w.Holder == 0 {
		return wire.Errorf(wire.InvalidRequest, "offset %d is returned by nobody in particular", w.Offset)
	}
	return nil
}

// Redeem carries out what is said by a receipt. INVALID_RECORD_STATE says that
// the receipt is not good any more: the record is done or gone, its lease has
// ended, or somebody got it since.
func (p *Partition) Redeem(nowMs int64, w *Word) error {
	if err := w.check(); err != nil {
		return err
	}
	if err := p.good(w); err != nil {
		return err
	}
	p.tick(nowMs)
	var i, j int
	p.spans, i, j = p.spans.part(w.Offset, w.Offset)
	switch w.Type {
	case Accept:
		p.mark(i, j, Acknowledged, 0)
	case Reject:
		p.mark(i, j, p.dead(), 0)
	case Release:
		wait := w.ForMs
		if wait < 0 {
			wait = p.s.retryMs(w.Count)
		}
		p.free(nowMs, i, wait)
	case Return:
		p.mark(i, j, Available, 0)
		p.spans[i].count--
	case Renew:
		s, until := &p.spans[i], nowMs+p.leaseMs(w.ForMs)
		if s.state == Available {
			p.regain(s, nowMs, until)
		} else {
			p.hold(s, until)
		}
	}
	p.spans = p.spans.join(i, j)
	p.settle()
	return nil
}

// good tells what is wrong with a receipt.
func (p *Partition) good(w *Word) error {
	bad := func(why string) error {
		return wire.Errorf(wire.InvalidRecordState, "the receipt of offset %d, delivery %d, is not good any more: %s", w.Offset, w.Count, why)
	}
	switch {
	case w.Offset < p.start:
		return bad("the record is done or gone")
	case w.Offset >= p.end:
		return bad("the record was never given to anybody in this state")
	}
	s := &p.spans[p.spans.index(w.Offset)]
	switch {
	case s.count != w.Count && (s.state == Available || s.state == Acquired):
		return bad("the record was given out again since")
	case s.leased() && w.Type == Return && s.owner.holder != w.Holder:
		return bad("somebody else has the record")
	case s.leased():
		return nil
	case s.state == Acquired:
		return bad("the record is held by a member of the group")
	case s.state == Available && w.Late && w.Count > 0 && p.lateFor(w.Type):
		return nil
	case s.state == Available:
		return bad("its lease has ended")
	}
	return bad("it is " + s.state.String())
}

// lateFor tells whether a word may come after the end of its lease.
func (p *Partition) lateFor(t AckType) bool {
	switch t {
	case Release:
		return p.lanes == nil
	case Return:
		return false
	case Renew:
		return p.lanes == nil && p.locked < p.s.MaxLocked
	}
	return true
}

// regain leases a record again whose lease has ended, in the same delivery.
func (p *Partition) regain(s *span, nowMs, untilMs int64) {
	s.count--
	p.own(s, p.ownerOf(ownerID{}), untilMs)
	if p.turns != nil {
		p.turns.turn = nil // nobody's turn is used for it
	}
	p.took(s, nowMs, true)
}

// leased tells whether a span is out by receipts.
func (s *span) leased() bool { return s.owner != nil && s.owner.member == "" }

// leaseMs is how long a lock lasts that was asked for.
func (p *Partition) leaseMs(asked int64) int64 {
	if asked <= 0 {
		return p.s.LockMs
	}
	return min(asked, MaxLeaseMs)
}

// hold makes a lock end at another time. Those that are leased are stored.
func (p *Partition) hold(s *span, untilMs int64) {
	s.atMs = untilMs
	p.due(untilMs)
	if s.leased() {
		s.dirty, p.dirtied = true, true
	}
}
