package share

// Want is what a member asks for.
type Want struct {
	Member string // never empty, unless Leased
	// Leased has the records held by receipts instead of by a member: their
	// locks are stored, and outlive this state. Nobody may see what is given
	// before that is done.
	Leased bool
	// Holder, with Leased, names who has the receipts, so that he knows his own when
	// he has forgotten them: see Undone. 0 names nobody.
	Holder uint64
	NowMs  int64
	// LockMs is how long the records are locked, at most MaxLeaseMs; 0 for the
	// group's setting.
	LockMs int64
	// MaxRecords bounds what is given; unless Strict (KIP-1206) a batch that
	// was begun is given whole, beyond the window too: to send it several times
	// for a part each would cost more. 0 means no bound but the window.
	MaxRecords int
	Strict     bool
	// BatchSize cuts what is given into ranges of so many records; 0 does not
	// cut.
	BatchSize int
}

// owner is who gets what is given.
func (w *Want) owner() ownerID {
	if w.Leased {
		return ownerID{holder: w.Holder}
	}
	return ownerID{member: w.Member}
}

// Batch is a batch that was read from the log. Its offsets are clipped to what
// the share-partition still has.
type Batch struct {
	First, Last int64
	// Skip marks what no member shall see: control records and aborted
	// transactions.
	Skip bool
	// Records are needed with key order alone: every record of the batch, in
	// order.
	Records []Record
}

// Record is a record's offset and the hash of its key. Records without a key
// are in no order.
type Record struct {
	Offset int64
	Key    uint64 // above 0, and the same in every process: it is stored
	Keyed  bool
}

// Range is what a member was given: neighbours that were delivered equally
// often.
type Range struct {
	First, Last int64
	Count       int16 // deliveries, this one included
}

// Acquire gives a member records of the batches, which were read from the
// offset from on (Next told it) and are in order. What lies between them has
// no records and never will. It appends to out. The caller has called Expire
// with the same time before.
func (p *Partition) Acquire(w *Want, from int64, batches []Batch, out []Range) []Range {
	g := giving{p: p, w: w, left: w.MaxRecords, out: out, untilMs: w.NowMs + p.leaseMs(w.LockMs), owner: w.owner()}
	if w.MaxRecords <= 0 {
		g.left = int(^uint(0) >> 1)
	}
	at := max(from, p.start)
	for i := range batches {
		b := &batches[i]
		if b.Last < at {
			continue
		}
		if g.left <= 0 || p.locked >= p.s.MaxLocked || len(p.spans) >= 2*maxSpans {
			break
		}
		if first := max(at, b.First); first > at {
			p.bury(at, first-1)
			at = first
		}
		switch {
		case b.Skip:
			p.bury(at, b.Last)
		case p.lanes != nil:
			g.file(b, at)
		default:
			g.give(at, b.Last)
		}
		at = b.Last + 1
	}
	p.settle()
	return g.out
}

// bury archives what is free in a range, known or not: nobody shall have it.
func (p *Partition) bury(first, last int64) {
	p.reach(last)
	var i, j int
	p.spans, i, j = p.spans.part(first, last)
	for k := i; k < j; k++ {
		if p.spans[k].state == Available {
			p.mark(k, k+1, Archived, 0)
		}
	}
	p.spans = p.spans.join(i, j)
}

// reach makes everything up to an offset known.
func (p *Partition) reach(last int64) {
	if last < p.end {
		return
	}
	p.spans = append(p.spans, span{first: p.end, last: last})
	p.end = last + 1
	p.spans = p.spans.join(len(p.spans)-1, len(p.spans)-1)
}

// giving is an Acquire on its way.
type giving struct {
	p       *Partition
	w       *Want
	left    int // records that may still be given
	untilMs int64
	owner   ownerID
	out     []Range
}

// give gives what is free in a range of one batch.
func (g *giving) give(first, last int64) {
	p := g.p
	p.reach(last)
	most := last - first + 1
	if g.w.Strict {
		most = min(int64(p.s.MaxLocked-p.locked), int64(g.left))
	}
	from := p.spans.index(first)
	for i := from; most > 0 && i < len(p.spans) && p.spans[i].first <= last; i++ {
		if s := &p.spans[i]; s.state != Available || s.atMs > g.w.NowMs {
			continue
		}
		lo := max(p.spans[i].first, first)
		hi := min(p.spans[i].last, last, lo+most-1)
		var j int
		p.spans, i, j = p.spans.part(lo, hi)
		for ; i < j; i++ { // part of one span is one span
			most -= g.take(&p.spans[i])
		}
		i--
	}
	p.spans = p.spans.join(from, p.spans.index(last+1)+1)
}

// take locks a span and adds it to what is given. It tells how many records
// that were.
func (g *giving) take(s *span) int64 {
	g.p.own(s, g.p.ownerOf(g.owner), g.untilMs)
	g.p.took(s, g.w.NowMs, true)
	n := s.len()
	g.left -= int(n)
	g.add(s.first, s.last, s.count)
	return n
}

// add tells of records that were given, in one range with their neighbours.
func (g *giving) add(first, last int64, count int16) {
	size := int64(g.w.BatchSize)
	if k := len(g.out) - 1; k >= 0 && g.out[k].Last+1 == first && g.out[k].Count == count {
		end := last
		if size > 0 {
			end = min(last, g.out[k].First+size-1)
		}
		if end >= first {
			g.out[k].Last = end
			first = end + 1
		}
	}
	for first <= last {
		end := last
		if size > 0 && last-first >= size {
			end = first + size - 1
		}
		g.out = append(g.out, Range{first, end, count})
		first = end + 1
	}
}
