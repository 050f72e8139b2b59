package lead

import (
	"cmp"
	"slices"

	"ottla/internal/partition"
	"ottla/internal/share"
)

const (
	// learnBytes bounds what is read of the log to learn of keys for one take.
	learnBytes = 4 << 20
	// learnAtOnce is how much of it is read at once.
	learnAtOnce = 256 << 10
	// fetchAhead is how much is read at once to find the batches of records that
	// are given.
	fetchAhead = 64 << 10
)

// giveByKey is give for takers where keys matter: it says which records they
// get, wherever these lie, and copies their batches.
func (p *Part) giveByKey(w *Want, g *Given, now int64) error {
	p.core.Begin()
	t := &taking{p: p, want: share.Want{Leased: true, Holder: w.Holder, NowMs: now, LockMs: w.LockMs}}
	defer t.close()
	var failed error
	for learn := true; t.n < w.MaxRecords; {
		if from, ok := p.core.Unread(now); ok && learn {
			n, err := t.learn(from)
			if learn = n > 0 && t.learned < learnBytes; n > 0 {
				continue
			}
			failed = err
		}
		at, ok := p.core.Peek(now)
		if !ok {
			break
		}
		fits, err := t.copy(at, w.MaxBytes)
		if err != nil || !fits {
			failed = err
			break
		}
		t.grant(at)
	}
	g.Bound = bound(p.log, &p.set)
	if t.n == 0 {
		if t.learned >= learnBytes {
			g.Gen = again // there is more to learn
		}
		return p.unread(failed)
	}
	t.tell(g)
	return nil
}

// taking is a take under way.
type taking struct {
	p       *Part
	want    share.Want
	n       int // records
	learned int // bytes
	size    int // of batches
	batches []batch
	granted []share.Range
	ahead   partition.Fetched // what was read to find batches in
	reader  *reader
	next    int64 // the offset behind what reader gave
	fresh   fresh
}

// fresh is what is left in memory of what was learned of last: where takers keep up
// with senders it is what they are given, and is not read again.
type fresh struct {
	buf   []byte
	at    int64 // of buf in what was read
	spots []spot
}

// spot is where a batch lies in what was read.
type spot struct {
	first, last int64
	at          int64
	size        int
}

// note notes a batch that a reader gave.
func (f *fresh) note(r *reader, first, last int64, end int) {
	if r.bufAt != f.at {
		f.at, f.spots = r.bufAt, f.spots[:0]
	}
	size := r.head.Size()
	f.buf, f.spots = r.buf, append(f.spots, spot{first, last, int64(end - size), size})
}

// end forgets what the reader's last look, which gave no batch, has overwritten.
func (f *fresh) end(r *reader, err error) {
	if err != nil || r.bufAt != f.at {
		f.spots = f.spots[:0]
	}
}

// find gives a copy of the batch of an offset; without bytes when it is not there.
func (f *fresh) find(at int64) batch {
	for _, x := range f.spots {
		if from := x.at - f.at; x.first <= at && at <= x.last && from >= 0 && from+int64(x.size) <= int64(len(f.buf)) {
			return batch{x.first, x.last, slices.Clone(f.buf[from:][:x.size])}
		}
	}
	return batch{}
}

// batch is a batch whose records are given.
type batch struct {
	first, last int64
	bytes       []byte
}

// learn reads what the log has from an offset on, and tells how many bytes that
// was.
func (t *taking) learn(from int64) (int, error) {
	p := t.p
	if from >= bound(p.log, &p.set) {
		return 0, nil
	}
	var f partition.Fetched
	err := p.log.Fetch(&partition.FetchArgs{Offset: from, MaxBytes: learnAtOnce, MinOne: true, Isolation: p.set.Isolation,
		CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if err != nil || f.Slice.Len == 0 {
		return 0, err
	}
	defer f.Slice.Release()
	r := newReader(&f, &p.set)
	r.buf = p.learning
	t.fresh.spots = t.fresh.spots[:0]
	defer func() { p.learning = r.kept() }()
	read := 0
	for {
		b, end, ok, err := r.next()
		if err != nil || !ok {
			t.fresh.end(r, err)
			t.learned += read
			return read, err
		}
		p.unrepeat(&b, r.marks)
		r.one[0] = b
		p.core.Learn(from, r.one[:])
		t.fresh.note(r, b.First, b.Last, end)
		from, read = max(from, b.Last+1), end
	}
}

// copy has the batch of an offset among those that are given; false when they
// would be too many bytes.
func (t *taking) copy(at int64, most int) (bool, error) {
	i, have := slices.BinarySearchFunc(t.batches, at, func(b batch, at int64) int {
		switch {
		case b.last < at:
			return -1
		case b.first > at:
			return 1
		}
		return 0
	})
	if have {
		return true, nil
	}
	b, err := t.find(at)
	if err != nil || b.bytes == nil {
		return err == nil, err
	}
	if t.n > 0 && t.size+len(b.bytes) > most {
		return false, nil
	}
	t.size += len(b.bytes)
	t.batches = slices.Insert(t.batches, i, b)
	return true, nil
}

// find reads the batch of an offset; without bytes when it is not there (any
// more).
func (t *taking) find(at int64) (batch, error) {
	if b := t.fresh.find(at); b.bytes != nil {
		return b, nil
	}
	for fresh := false; ; fresh = true {
		if t.reader == nil || at < t.next || fresh {
			if err := t.fetch(at); err != nil || t.ahead.Slice.Len == 0 {
				return batch{}, err
			}
		}
		for {
			b, end, ok, err := t.reader.next()
			if err != nil {
				return batch{}, err
			}
			if !ok {
				break
			}
			t.next = b.Last + 1
			if b.Last < at {
				continue
			}
			if b.First > at {
				return batch{}, nil
			}
			size := t.reader.head.Size()
			whole, err := t.reader.piece(int64(end-size), size)
			return batch{b.First, b.Last, whole}, err
		}
		if fresh {
			return batch{}, nil
		}
	}
}

// fetch reads on from an offset.
func (t *taking) fetch(at int64) error {
	t.close()
	p := t.p
	bare := p.set
	bare.KeyOrdered, bare.Fair, bare.DedupMs = false, false, 0
	err := p.log.Fetch(&partition.FetchArgs{Offset: at, MaxBytes: fetchAhead, MinOne: true, Isolation: p.set.Isolation,
		CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &t.ahead)
	if err == nil && t.ahead.Slice.Len > 0 {
		t.reader, t.next = newReader(&t.ahead, &bare), at
		t.reader.buf = p.finding
	}
	return err
}

func (t *taking) close() {
	if t.reader != nil {
		t.ahead.Slice.Release()
		t.p.finding, t.reader = t.reader.kept(), nil
	}
}

// grant gives a record.
func (t *taking) grant(at int64) {
	t.granted = append(t.granted, share.Range{First: at, Last: at, Count: t.p.core.Grant(&t.want, at)})
	t.n++
}

// tell tells what was given, in the order of the log.
func (t *taking) tell(g *Given) {
	slices.SortFunc(t.granted, func(a, b share.Range) int { return cmp.Compare(a.First, b.First) })
	for _, r := range t.granted {
		if k := len(g.Acquired) - 1; k >= 0 && g.Acquired[k].Last+1 == r.First && g.Acquired[k].Count == r.Count {
			g.Acquired[k].Last = r.Last
			continue
		}
		g.Acquired = append(g.Acquired, r)
	}
	g.Records = t.n
	if len(t.batches) == 1 {
		g.Bytes = t.batches[0].bytes
		return
	}
	g.Bytes = make([]byte, 0, t.size)
	for i := range t.batches {
		g.Bytes = append(g.Bytes, t.batches[i].bytes...)
	}
}
