package log

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"ottla/internal/log/compact"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// cleaning is a log's part in compaction.
type cleaning struct {
	mu       sync.Mutex    // held from BeginCleaning to the end of Run; before Log.w
	stopping atomic.Bool   // the log closes: a cleaning ends early
	moving   atomic.Bool   // the log is being copied: none begins
	swaps    atomic.Uint64 // cleaned segments put in place so far
	cuts     atomic.Uint64 // truncations so far
	to       atomic.Int64  // where the last cleaning ended; -1 never
	bad      atomic.Pointer[uncleanable]
}

// uncleanable is why a log is left out, and how far that reaches: once the log
// begins above it, there is nothing in the way any more.
type uncleanable struct {
	err  error
	upTo int64
}

// begin takes over where the last process stopped cleaning.
func (c *cleaning) begin(d *Dir, name string, known bool) {
	c.to.Store(-1)
	if to, ok := d.book.CleanedTo(name); ok && known {
		c.to.Store(to)
	}
}

// lower notes that the log is about to be cut: what comes above end is new, and
// a cleaning under way ends.
func (c *cleaning) lower(end int64) {
	c.cuts.Add(1)
	c.to.Store(min(c.to.Load(), end))
}

// halt ends a cleaning under way, waits for it and keeps others out until the
// function that it returns is called. No lock of the log is held.
func (c *cleaning) halt() (resume func()) {
	c.stopping.Store(true)
	c.mu.Lock()
	return c.mu.Unlock
}

// Cleaner is what one cleaning goroutine works with. It cleans one log at a
// time and keeps its memory between two.
type Cleaner struct {
	KeyBytes    int64   // log.cleaner.dedupe.buffer.size, this cleaner's part
	LoadFactor  float64 // log.cleaner.io.buffer.load.factor
	BufferBytes int     // gathered before a write; also read or written between two calls of Pace
	// Pace is told how many bytes were read or written since the last call,
	// and may wait a moment; its error ends the cleaning. nil means: as fast
	// as possible.
	Pace func(bytes int) error

	keys    compact.Keys
	out     []byte // to be written
	scratch []byte // a batch that was rewritten
}

// CleaningPlan is what a cleaning would cover.
type CleaningPlan = compact.Plan

// idleKeys is how much memory of its table a cleaner keeps between two logs.
const idleKeys = 4 << 20

// Cleaned says what a cleaning did.
type Cleaned struct {
	From, To       int64 // the offsets whose keys it learned
	Full           bool  // the table was full at To
	Read, Written  int64 // bytes
	Before, After  int64 // bytes of the segments it went over
	Kept, Dropped  int64 // records
	Segments, Into int   // segments gone over, and what became of them
}

// Cleanable tells what a cleaning of the log would cover, stable being its last
// stable offset. A log that is not compacted, or that was set aside because it
// can not be cleaned, has nothing due.
func (l *Log) Cleanable(stable int64) (CleaningPlan, error) {
	c := l.cfg.Load()
	if err := l.alive(); err != nil || !c.Compact {
		return CleaningPlan{}, err
	}
	if l.Uncleanable() != nil {
		return CleaningPlan{}, nil
	}
	r := compact.Rules{DirtyRatio: c.DirtyRatio, MinLagMs: c.MinCompactionLag.Milliseconds(), MaxLagMs: c.MaxCompactionLag.Milliseconds()}
	l.mu.Lock()
	segs := slices.Clone(l.segs)
	state := compact.Log{Start: l.start, Stable: stable, Cleaned: l.cleaning.to.Load()}
	for _, s := range segs {
		state.Segments = append(state.Segments, compact.Segment{Base: s.base, Bytes: s.size, FirstMs: -1, MaxMs: -1})
	}
	l.mu.Unlock()
	n := len(segs) - 1
	if n < 1 {
		return CleaningPlan{}, nil
	}
	state.Segments, state.Active = state.Segments[:n], segs[n].base
	if r.NeedFirst() || r.NeedMax() {
		for i, s := range segs[:n] {
			var err error
			if state.Segments[i].FirstMs, state.Segments[i].MaxMs, err = l.timesOf(s); err != nil {
				return CleaningPlan{}, err
			}
		}
	}
	return compact.Judge(&state, &r, l.dir.o.Now().UnixMilli()), nil
}

// timesOf gives the largest timestamps of the first batch and of all.
func (l *Log) timesOf(s *segment) (firstMs, maxMs int64, err error) {
	l.mu.Lock()
	firstMs, maxMs = s.firstMaxMs, s.maxMs
	known := s.maxKnown && (firstMs >= 0 || s.size == 0)
	l.mu.Unlock()
	if known {
		return firstMs, maxMs, nil
	}
	if err := l.loadIndex(s); err != nil {
		return -1, -1, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.firstMaxMs, s.maxMs, nil
}

// Uncleanable tells why the log is left out of cleaning, or nil.
func (l *Log) Uncleanable() error {
	bad := l.cleaning.bad.Load()
	if bad == nil || l.Start() > bad.upTo {
		return nil
	}
	return bad.err
}

// Cleaning is a cleaning under way.
type Cleaning struct {
	l         *Log
	plan      CleaningPlan
	segs      []*segment // the closed ones below plan.To
	next      int64      // base of the segment after them
	producers map[int64]producer.Last
	cuts      uint64
	noteless  bool // what was noted beside the log is gone
	paced     int
	done      Cleaned
}

// BeginCleaning takes down what a cleaning needs to know. It is a writer: the
// caller serialises it with the others. It fails with ErrNothingToClean when
// nothing is dirty or somebody is at it. After it Run must be called.
func (l *Log) BeginCleaning(stable int64) (*Cleaning, error) {
	if l.cleaning.moving.Load() || !l.cleaning.mu.TryLock() {
		return nil, ErrNothingToClean
	}
	if l.cleaning.moving.Load() {
		l.cleaning.mu.Unlock()
		return nil, ErrNothingToClean
	}
	k, err := l.prepareCleaning(stable)
	if err != nil {
		l.cleaning.mu.Unlock()
	}
	return k, err
}

func (l *Log) prepareCleaning(stable int64) (*Cleaning, error) {
	l.w.Lock()
	defer l.w.Unlock()
	plan, err := l.Cleanable(stable)
	if err != nil {
		return nil, err
	}
	if plan.DirtyBytes == 0 {
		return nil, ErrNothingToClean
	}
	if err := l.finishRolled(); err != nil {
		return nil, err
	}
	// What a restart goes by must not lie in bytes that are about to move.
	active := l.active().base
	l.mu.Lock()
	moved := l.marks.Good(l.durable.Offset).Pos.Segment < active || l.durable.Segment < active
	l.mu.Unlock()
	if moved {
		if err := l.restate(); err != nil {
			return nil, err
		}
	}
	k := &Cleaning{l: l, plan: plan, producers: l.Producers().Lasts(), cuts: l.cleaning.cuts.Load(), next: active}
	for _, s := range l.segs[:len(l.segs)-1] {
		if s.base >= plan.To {
			k.next = s.base
			break
		}
		k.segs = append(k.segs, s)
	}
	return k, nil
}

// errOvertaken: the log was cut or retention took segments while a cleaning was
// at them.
var errOvertaken = errors.New("the log changed meanwhile")

// errPaced carries what Pace said.
type errPaced struct{ error }

// Run cleans beside readers and writers. What it has put in place by the time
// it fails stays, and is good. ErrDiskFull and ErrClosed pass; a log whose
// bytes can not be read or understood is set aside (Uncleanable), which Run
// says once.
func (k *Cleaning) Run(c *Cleaner) (Cleaned, error) {
	l := k.l
	defer l.cleaning.mu.Unlock()
	defer c.keys.Release(idleKeys)
	err := k.run(c)
	paced := errPaced{}
	switch {
	case err == nil || errors.Is(err, errOvertaken):
		return k.done, nil
	case errors.As(err, &paced):
		return k.done, paced.error
	case errors.Is(err, ErrDiskFull), errors.Is(err, ErrClosed), errors.Is(err, ErrOffline):
		return k.done, err
	}
	upTo := k.plan.To
	if rot := (*CorruptError)(nil); errors.As(err, &rot) {
		upTo = max(rot.Offset, rot.NextOffset-1)
	}
	err = fmt.Errorf("%s can not be cleaned and is left as it is: %w", l.name, err)
	l.cleaning.bad.Store(&uncleanable{err, upTo})
	return k.done, err
}

func (k *Cleaning) run(c *Cleaner) error {
	l, plan := k.l, &k.plan
	// From here on a restart takes nothing out of the closed segments but
	// batches, and holds no missing offset for loss.
	if err := l.dir.putAndPersist(l); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	aborted, err := l.Aborted(plan.From, plan.To)
	if err != nil {
		return err
	}
	c.keys.Reset(c.KeyBytes, c.LoadFactor, plan.To-plan.From)
	p := compact.NewPass(&c.keys, aborted)
	p.NowMs, p.DeleteRetention = l.dir.o.Now().UnixMilli(), l.cfg.Load().DeleteRetention.Milliseconds()
	p.From, p.To, p.Producers = plan.From, plan.To, k.producers
	k.done.From, k.done.To = plan.From, plan.From
	end, err := k.index(c, p)
	if err != nil {
		return err
	}
	if aborted, err = l.Aborted(k.segs[0].base, plan.To); err != nil {
		return err
	}
	p.Turn(aborted)
	defer func() { k.done.Kept, k.done.Dropped = p.Kept, p.Dropped }()
	if err := k.rewrite(c, p, end); err != nil {
		return err
	}
	return k.reached(end)
}

// index learns the keys of the dirty segments and tells up to where.
func (k *Cleaning) index(c *Cleaner, p *compact.Pass) (end int64, err error) {
	for i, s := range k.segs {
		if next := k.after(i); next <= p.From {
			continue
		}
		err := k.walk(c, s, func(h *record.Header, b []byte) error {
			if h.LastOffset() < p.From || k.done.Full {
				return nil
			}
			var err error
			k.done.Full, err = p.Index(h, b)
			return err
		}, nil, func() bool { return k.done.Full })
		if err != nil {
			return 0, err
		}
		if k.done.Full {
			return c.keys.Latest() + 1, nil
		}
	}
	return p.To, nil
}

// after is the base of the segment after segment i.
func (k *Cleaning) after(i int) int64 {
	if i+1 < len(k.segs) {
		return k.segs[i+1].base
	}
	return k.next
}

// walk calls fn with every batch of a segment, checked as a reader's would be,
// until enough. With skip, that is asked first, and fn sees only what it does not
// take by the header.
func (k *Cleaning) walk(c *Cleaner, s *segment, fn func(h *record.Header, b []byte) error, skip func(h *record.Header) (bool, error), enough func() bool) error {
	l := k.l
	f, err := l.acquire(s)
	if err != nil {
		if missing(err) && l.gone(s) {
			return errOvertaken
		}
		return l.readError(s, err)
	}
	defer f.release()
	r := walk.Get(f.f, 0, s.size)
	defer r.Put()
	check := l.order(s, true)
	var h record.Header
	for !enough() {
		err := r.Header(&h)
		if err == io.EOF {
			return nil
		}
		if err == nil && skip != nil && check.Fits(r, &h) == nil {
			skipped, err := skip(&h)
			if err == nil {
				err = k.pace(c, record.HeaderSize)
			}
			if err != nil {
				return err
			}
			if skipped {
				check.Took(&h)
				r.Skip(&h)
				continue
			}
		}
		var b []byte
		if err == nil {
			b, err = r.Batch(&h)
		}
		if err == nil {
			err = check.Whole(r, &h, b)
		}
		if err != nil && l.cleaning.cuts.Load() != k.cuts {
			return errOvertaken
		}
		if err != nil {
			return l.corrupt(s, r, check.Next, err)
		}
		if err := fn(&h, b); err != nil {
			return fmt.Errorf("clean the batch at offset %d of %s: %w", h.BaseOffset, s.file(layout.Log), err)
		}
		k.done.Read += int64(h.Size())
		if err := k.pace(c, h.Size()); err != nil {
			return err
		}
		r.Skip(&h)
	}
	return nil
}

// pace counts bytes, and now and then lets the throttle wait and looks whether
// the log is to be closed.
func (k *Cleaning) pace(c *Cleaner, bytes int) error {
	if k.paced += bytes; k.paced < c.BufferBytes {
		return nil
	}
	bytes, k.paced = k.paced, 0
	if k.l.cleaning.stopping.Load() {
		return ErrClosed
	}
	if err := k.l.dir.Err(); err != nil {
		return err
	}
	if c.Pace != nil {
		if err := c.Pace(bytes); err != nil {
			return errPaced{err}
		}
	}
	return nil
}

// rewrite cleans the segments that begin below end, group by group.
func (k *Cleaning) rewrite(c *Cleaner, p *compact.Pass, end int64) error {
	var about []compact.Segment
	for _, s := range k.segs {
		about = append(about, compact.Segment{Base: s.base, Bytes: s.size})
	}
	at := 0
	for _, n := range compact.Groups(about, k.next, end, k.l.cfg.Load().SegmentBytes) {
		g := group{k: k, c: c, p: p, sources: k.segs[at : at+n]}
		at += n
		if err := g.clean(); err != nil {
			return err
		}
	}
	return nil
}

// dropNote takes away what is noted beside the log, before the first swap: who
// started from there would miss the tombstones and markers that go.
func (k *Cleaning) dropNote() error {
	if k.noteless {
		return nil
	}
	k.noteless = true
	return k.l.kept.Drop(k.plan.To)
}

// reached notes how far the log is clean now, for the next cleaning and for
// Kafka's cleaner-offset-checkpoint.
func (k *Cleaning) reached(end int64) error {
	l := k.l
	l.w.Lock()
	same := l.cleaning.cuts.Load() == k.cuts
	if same {
		l.cleaning.to.Store(end)
	}
	l.w.Unlock()
	if !same {
		return errOvertaken
	}
	k.done.To = end
	// So that a restart need not wonder about transaction indexes that changed.
	if err := l.dir.putAndPersist(l); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	if err := l.dir.book.NoteCleaned(l.name, end, l.dir.Holds); err != nil {
		return l.dir.passing(err)
	}
	return nil
}
