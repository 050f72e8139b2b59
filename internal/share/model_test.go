package share

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ottla/internal/wire"
)

// twin is a share-partition told record by record, as simple as can be.
type twin struct {
	s    Settings
	recs map[int64]*twinRecord
}

type twinRecord struct {
	state  State
	count  int16
	member string
	leased bool
	holder uint64
	take   int // that got it, where it got several of a key
	at     int64
	key    uint64
	keyed  bool
	repeat bool // of a deduplication id
	flown  bool // that it is done is in the write on its way, or stored
	safe   bool // that it is done is stored
}

// world is a partition, its twin and the log that both stand on.
type world struct {
	t      *testing.T
	r      *rand.Rand
	now    int64
	p      *Partition
	m      twin
	log    []logBatch
	start  int64 // of the log
	end    int64
	stored map[int64]Stored
	from   int64  // the stored start
	write  *Write // that is on its way
	dedup  bool
	began  map[DedupID]int64 // when the window of an id began, of all ids there were
	ids    []used            // of late
	window *Window
	seen   int64 // window has the ids of everything below
	done   map[int64]bool
	given  map[int64]int
	said   [Return + 1]int // by receipts that were good
	kept   int             // leases that outlived a crash
	again  int             // leases that had ended and were taken up again
	takes  int
	take   int // the one at hand; 0 without
	runs   int // records that followed another of their key in a take
	drops  int // repeats
	lost   int // writes that were on their way at a crash
}

// used is an id, and when it was used first.
type used struct {
	id   DedupID
	atMs int64
}

// windowMs is that of deduplication ids; it is gathered from lookBack windows.
const (
	windowMs = 100
	lookBack = 3
)

type logBatch struct {
	first, last int64
	skip        bool
	recs        []Record
	atMs        int64
	ids         map[int64]DedupID
}

func newWorld(t *testing.T, seed uint64, s Settings) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 9)), now: 1000, p: New(s, 0), stored: map[int64]Stored{}, done: map[int64]bool{}, given: map[int64]int{}}
	w.dedup, w.began, w.window = seed%5 < 2, map[DedupID]int64{}, NewWindow(windowMs)
	w.m = twin{s: s, recs: map[int64]*twinRecord{}}
	return w
}

// grow appends a batch, perhaps after a hole, perhaps of control records.
func (w *world) grow() {
	if w.r.IntN(8) == 0 {
		w.end += int64(w.r.IntN(4)) // compaction took them
	}
	b := logBatch{first: w.end, last: w.end + int64(w.r.IntN(12)), skip: w.r.IntN(10) == 0, atMs: w.now, ids: map[int64]DedupID{}}
	for at := b.first; at <= b.last; at++ {
		r := Record{Offset: at, Key: 1 + uint64(w.r.IntN(4)), Keyed: w.r.IntN(10) > 0}
		b.recs = append(b.recs, r)
		if !b.skip {
			w.m.recs[at] = &twinRecord{key: r.Key, keyed: r.Keyed}
			if w.dedup && w.r.IntN(2) == 0 {
				w.identify(&b, at)
			}
		}
	}
	w.end = b.last + 1
	w.log = append(w.log, b)
}

// identify gives a record a deduplication id, perhaps that of an earlier one. None is
// used for so long that whoever gathers ids anew does not find its first record.
func (w *world) identify(b *logBatch, at int64) {
	for len(w.ids) > 0 && w.now-w.ids[0].atMs > (lookBack-1)*windowMs {
		w.ids = w.ids[1:]
	}
	u := used{DedupOf(nil, fmt.Append(nil, at)), w.now}
	if n := len(w.ids); n > 0 && w.r.IntN(2) == 0 {
		u = w.ids[w.r.IntN(n)]
	} else {
		w.ids = append(w.ids, u)
	}
	id := u.id
	b.ids[at] = id
	if began, ok := w.began[id]; ok && w.now-began < windowMs {
		w.m.recs[at].repeat = true
		return
	}
	w.began[id] = w.now
}

// read has the repeats of a batch dropped when it is read, as the shell does.
func (w *world) read(b *logBatch) {
	for at := b.first; at <= b.last; at++ {
		id, ok := b.ids[at]
		if !ok || at < w.seen || w.skips(at) {
			continue
		}
		if w.window.Repeats(id, b.atMs, at) {
			w.drop(at)
		}
	}
	w.seen = max(w.seen, b.last+1)
}

func (w *world) skips(at int64) bool { return w.m.recs[at] == nil }

// drop drops a repeat, which the twin knows to be one.
func (w *world) drop(at int64) {
	r := w.m.recs[at]
	if !r.repeat {
		w.t.Fatalf("offset %d is taken for a repeat", at)
	}
	w.p.Drop(at)
	if r.state == Available && at >= w.p.trimmed {
		r.state = Archived
		w.drops++
	}
}

// gather gathers ids anew, as the shell does when a state is loaded.
func (w *world) gather() {
	w.window, w.seen = NewWindow(windowMs), w.p.End()
	unread, since := w.p.Unjudged(), w.now
	for i := range w.log {
		if b := &w.log[i]; b.last >= unread {
			since = min(since, b.atMs)
		}
	}
	for i := range w.log {
		b := &w.log[i]
		for at := b.first; at <= b.last && at < w.seen; at++ {
			if id, ok := b.ids[at]; ok && b.atMs >= since-lookBack*windowMs && !w.skips(at) && w.window.Repeats(id, b.atMs, at) {
				w.drop(at)
			}
		}
	}
}

// free tells whether the twin would give a record out.
func (w *world) free(at int64) bool {
	r := w.m.recs[at]
	if r == nil || r.repeat || r.state != Available || r.at > w.now || at < w.start {
		return false
	}
	if !w.m.s.KeyOrdered || !r.keyed {
		return true
	}
	for k, o := range w.m.recs {
		if k == at || k < w.start || !o.keyed || o.key != r.key {
			continue
		}
		if o.state.final() && o.count > 0 && !o.safe && !o.repeat && (w.take == 0 || o.take != w.take) { // it may come back
			return false
		}
		if o.state == Available && !o.repeat && k < at || o.state == Acquired && (w.take == 0 || o.take != w.take) {
			return false
		}
	}
	return true
}

func (w *world) locked() (n int) {
	for _, r := range w.m.recs {
		if r.state == Acquired {
			n++
		}
	}
	return n
}

func (w *world) acquire(member string, leased bool) {
	w.expire()
	before := w.locked()
	from, ok := w.p.Next(w.now)
	if !ok {
		return
	}
	want := Want{Member: member, Leased: leased, Holder: uint64(w.r.IntN(3)), LockMs: int64(w.r.IntN(3) * 60), NowMs: w.now, MaxRecords: 1 + w.r.IntN(20), Strict: w.r.IntN(2) == 0, BatchSize: w.r.IntN(6)}
	var batches []Batch
	for i := range w.log {
		b := &w.log[i]
		if b.last >= from && b.last >= w.start && len(batches) < 3 {
			w.read(b)
			x := Batch{First: b.first, Last: b.last, Skip: b.skip}
			if w.m.s.KeyOrdered {
				x.Records = b.recs
			}
			batches = append(batches, x)
		}
	}
	got := w.p.Acquire(&want, from, batches, nil)
	total := 0
	last := int64(-1)
	for _, g := range got {
		if g.First <= last || g.Last < g.First {
			w.t.Fatalf("ranges out of order: %v", got)
		}
		last = g.Last
		if want.BatchSize > 0 && g.Last-g.First+1 > int64(want.BatchSize) {
			w.t.Fatalf("a range of %d records, want at most %d", g.Last-g.First+1, want.BatchSize)
		}
		for at := g.First; at <= g.Last; at++ {
			w.give(at, &want, g.Count)
			total++
		}
	}
	most := w.m.s.MaxLocked
	if !want.Strict && !w.m.s.KeyOrdered {
		most += 12 - 1 // a batch
	}
	if want.Strict && total > want.MaxRecords || before+total > most {
		w.t.Fatalf("%d records were given, at most %d were wanted and %d of %d are locked", total, want.MaxRecords, before, w.m.s.MaxLocked)
	}
	if total == 0 && w.free(from) && len(batches) > 0 && !w.m.s.KeyOrdered {
		w.t.Fatalf("nothing was given although %d is free", from)
	}
}

// takeByKey takes as those do who answer by receipts where keys matter.
func (w *world) takeByKey() {
	w.expire()
	w.takes++
	w.take = w.takes
	want := Want{Leased: true, Holder: uint64(w.r.IntN(3)), LockMs: int64(w.r.IntN(3) * 60), NowMs: w.now}
	w.p.Begin()
	for n := 1 + w.r.IntN(6); n > 0; {
		if from, ok := w.p.Unread(w.now); ok {
			var batches []Batch
			for i := range w.log {
				b := &w.log[i]
				if b.last >= from && b.last >= w.start && len(batches) < 2 {
					w.read(b)
					batches = append(batches, Batch{First: b.first, Last: b.last, Skip: b.skip, Records: b.recs})
				}
			}
			if w.p.Learn(from, batches); len(batches) > 0 {
				continue
			}
		}
		at, ok := w.p.Peek(w.now)
		if !ok {
			break
		}
		for k, o := range w.m.recs {
			if o.take == w.take && o.keyed && w.m.recs[at].keyed && o.key == w.m.recs[at].key && o.state == Acquired && k < at && w.m.s.KeyOrdered {
				w.runs++
				break
			}
		}
		w.give(at, &want, w.p.Grant(&want, at))
		n--
	}
	w.take = 0
}

// give follows one record that was given out.
func (w *world) give(at int64, want *Want, count int16) {
	r := w.m.recs[at]
	switch {
	case r == nil:
		w.t.Fatalf("offset %d was given out and has no record", at)
	case !w.free(at):
		w.t.Fatalf("offset %d was given out and is %v (at %d, now %d)", at, r.state, r.at, w.now)
	case w.done[at]:
		w.t.Fatalf("offset %d was given out after it was acknowledged", at)
	}
	r.state, r.member, r.leased, r.holder, r.take, r.at = Acquired, want.Member, want.Leased, want.Holder, w.take, w.now+w.m.s.LockMs
	if want.LockMs > 0 {
		r.at = w.now + want.LockMs
	}
	r.count++
	if r.count != count {
		w.t.Fatalf("offset %d was given out as delivery %d, want %d", at, count, r.count)
	}
	w.given[at]++
}

func (w *world) back(r *twinRecord, wait int64) {
	if r.count >= w.m.s.Attempts {
		r.state, r.at = Archived, 0
		return
	}
	r.state, r.at = Available, 0
	if wait < 0 {
		wait = w.m.s.retryMs(r.count)
	}
	if wait > 0 {
		r.at = w.now + wait
	}
}

func (w *world) expire() {
	w.p.Expire(w.now)
	for _, r := range w.m.recs {
		if r.at != 0 && r.at <= w.now {
			if r.state == Acquired {
				w.back(r, -1)
			} else {
				r.at = 0
			}
		}
	}
}

func (w *world) acknowledge(member string) {
	if w.end == 0 {
		return
	}
	first := max(0, w.p.Start()-2) + int64(w.r.IntN(20))
	a := Ack{First: first, Last: first + int64(w.r.IntN(6))}
	n := 1
	if w.r.IntN(2) == 0 {
		n = int(a.Last - a.First + 1)
	}
	for range n {
		a.Types = append(a.Types, AckType(w.r.IntN(5)))
	}
	ok := true
	for at := a.First; at <= a.Last; at++ {
		r := w.m.recs[at]
		ok = ok && (at < w.start || r != nil && r.state == Acquired && !r.leased && r.member == member)
	}
	err := Check([]Ack{a})
	if err == nil {
		err = w.p.Acknowledge(w.now, member, []Ack{a})
	}
	if (err == nil) != ok {
		w.t.Fatalf("acknowledging %+v for %s: %v, the twin says %v\n%s", a, member, err, ok, w.dump())
	}
	if err != nil {
		if c := wire.CodeOf(err); c != wire.InvalidRecordState && c != wire.InvalidRequest {
			w.t.Fatalf("acknowledging %+v: %v", a, err)
		}
		return
	}
	for at := max(a.First, w.start); at <= a.Last; at++ {
		r, kind := w.m.recs[at], a.Types[0]
		if n > 1 {
			kind = a.Types[at-a.First]
		}
		switch kind {
		case Accept:
			r.state, r.at, w.done[at] = Acknowledged, 0, true
		case Gap, Reject:
			r.state, r.at, w.done[at] = Archived, 0, true
		case Release:
			w.back(r, -1)
		case Renew:
			r.at = w.now + w.m.s.LockMs
		}
	}
}

func (w *world) leave(member string) {
	w.p.Leave(w.now, member)
	for _, r := range w.m.recs {
		if r.state == Acquired && !r.leased && r.member == member {
			w.back(r, -1)
		}
	}
}

// redeem says something of a record by a receipt that may be good.
func (w *world) redeem() {
	if w.end == 0 {
		return
	}
	word := Word{Type: AckType(1 + w.r.IntN(5)), Holder: uint64(1 + w.r.IntN(2)), ForMs: int64(w.r.IntN(40) - 1), Late: w.r.IntN(2) == 0}
	word.Offset, word.Count = max(0, w.p.Start()-2)+int64(w.r.IntN(12)), int16(1+w.r.IntN(3))
	if word.Type == Renew {
		word.ForMs++
	}
	r := w.m.recs[word.Offset]
	late := word.Late && (word.Type == Accept || word.Type == Reject || !w.m.s.KeyOrdered && (word.Type == Release || word.Type == Renew && w.locked() < w.m.s.MaxLocked))
	held := r != nil && r.state == Acquired && r.leased && (word.Type != Return || r.holder == word.Holder)
	ok := r != nil && word.Offset >= w.start && r.count == word.Count && (held || r.state == Available && late)
	err := w.p.Redeem(w.now, &word)
	if (err == nil) != ok || err != nil && wire.CodeOf(err) != wire.InvalidRecordState {
		w.t.Fatalf("%+v: %v, the twin says %v\n%s", word, err, ok, w.dump())
	}
	if err != nil {
		return
	}
	w.said[word.Type]++
	switch word.Type {
	case Accept:
		r.state, r.at, w.done[word.Offset] = Acknowledged, 0, true
	case Reject:
		r.state, r.at, w.done[word.Offset] = Archived, 0, true
	case Release:
		w.back(r, word.ForMs)
	case Return:
		r.state, r.at, r.leased = Available, 0, false
		r.count--
	case Renew:
		if r.state == Available {
			r.state, r.member, r.leased, r.holder = Acquired, "", true, 0
			w.again++
		}
		if r.at = w.now + word.ForMs; word.ForMs == 0 {
			r.at = w.now + w.m.s.LockMs
		}
	}
}

// trim is retention.
func (w *world) trim() {
	w.start = min(w.end, max(w.start, w.p.Start()+int64(w.r.IntN(6))))
	w.p.Trim(w.start)
	for at := range w.m.recs {
		if at < w.start {
			delete(w.m.recs, at)
		}
	}
}

// save takes what is to be stored, once the last write is.
func (w *world) save() {
	w.land()
	out, ok := w.p.Changes()
	if !ok {
		return
	}
	w.write = &out
	for _, r := range w.m.recs {
		r.flown = r.state.final()
	}
}

// land has the write on its way stored, and the state told so.
func (w *world) land() {
	if w.write == nil {
		return
	}
	w.keep()
	w.p.Stored()
	for _, r := range w.m.recs {
		r.safe = r.safe || r.flown
	}
}

// keep has the write on its way stored.
func (w *world) keep() {
	out := w.write
	w.write = nil
	w.from = out.Start
	for _, r := range out.Changed {
		for at := r.First; at <= r.Last; at++ {
			row := r
			row.First, row.Last = at, at
			w.stored[at] = row
		}
	}
}

// crash forgets what was not stored. The twin has what was: the locks of
// members are gone, leases and waits go on.
func (w *world) crash() {
	if w.write != nil { // it may be stored, and nobody heard of it
		if w.lost++; w.r.IntN(2) == 0 {
			w.keep()
		}
		w.write = nil
	}
	var rows []Stored
	for at, r := range w.stored {
		if at >= w.from {
			rows = append(rows, r)
		}
	}
	w.p = Load(w.m.s, w.from, rows)
	w.p.Trim(w.start)
	for at, r := range w.m.recs {
		if at < w.from {
			r.flown, r.safe = true, true
			continue
		}
		*r = twinRecord{key: r.key, keyed: r.keyed, repeat: r.repeat}
		s, ok := w.stored[at]
		if ok {
			r.state, r.count, r.at = s.State, s.Count, s.NotBeforeMs
		}
		if ok && s.UntilMs > 0 {
			r.state, r.at, r.leased, r.holder = Acquired, s.UntilMs, true, s.Holder
			w.kept++
		}
		w.done[at] = r.state.final()
		r.flown, r.safe = r.state.final(), r.state.final()
	}
	w.gather()
	w.expire() // waits and leases that are over meanwhile
}

func (w *world) dump() string {
	text := fmt.Sprintf("start %d end %d locked %d\n", w.p.start, w.p.end, w.p.locked)
	for _, s := range w.p.spans {
		text += fmt.Sprintf("  %d-%d %v count %d at %d dirty %v\n", s.first, s.last, s.state, s.count, s.atMs, s.dirty)
	}
	return text
}

// check compares every record, and the list's own invariants.
func (w *world) check() {
	at, locked := w.p.start, 0
	for i := range w.p.spans {
		s := &w.p.spans[i]
		if s.first != at || s.last < s.first || (s.state == Acquired) != (s.owner != nil) {
			w.t.Fatalf("span %d is wrong:\n%s", i, w.dump())
		}
		at = s.last + 1
		if s.state == Acquired {
			locked += int(s.len())
		}
		for o := s.first; o <= s.last; o++ {
			if r := w.m.recs[o]; r != nil && (r.state != s.state || r.count != s.count || r.at != s.atMs) {
				w.t.Fatalf("offset %d is %v, count %d, at %d; the twin has %v, %d, %d\n%s", o, s.state, s.count, s.atMs, r.state, r.count, r.at, w.dump())
			}
		}
	}
	if at != w.p.end || locked != w.p.locked {
		w.t.Fatalf("the spans end at %d and lock %d:\n%s", at, locked, w.dump())
	}
	for o, r := range w.m.recs {
		if o < w.p.start && o >= w.start && !r.state.final() {
			w.t.Fatalf("offset %d is below the start %d and %v", o, w.p.start, r.state)
		}
		if o >= w.p.end && (r.state != Available || r.count != 0) {
			w.t.Fatalf("offset %d is beyond the end %d and %v", o, w.p.end, r.state)
		}
	}
}

func TestAnyCourseOfEventsAgreesWithARecordByRecordTwin(t *testing.T) {
	var said [Return + 1]int
	kept, again, runs, drops, lost := 0, 0, 0, 0, 0
	for seed := range uint64(300) {
		s := Settings{LockMs: 50, Attempts: int16(2 + seed%4), MaxLocked: 5 + int(seed%40), KeyOrdered: seed%2 == 1, Fair: seed%4 == 2}
		if seed%3 == 0 {
			s.RetryMs, s.RetryFactor, s.RetryMaxMs = 7, 2, 40
		}
		w := newWorld(t, seed, s)
		members := []string{"a", "b", "c"}
		for range 300 {
			w.anything(members[w.r.IntN(len(members))])
			w.check()
		}
		w.drain()
		kept, again = kept+w.kept, again+w.again
		runs, drops, lost = runs+w.runs, drops+w.drops, lost+w.lost
		for i, n := range w.said {
			said[i] += n
		}
	}
	if runs == 0 || drops == 0 || lost == 0 || kept == 0 || again == 0 || said[Accept] == 0 || said[Release] == 0 || said[Reject] == 0 || said[Renew] == 0 || said[Return] == 0 {
		t.Errorf("%d leases outlived a crash, %d were taken up again, %d records followed another in a take, %d repeats were dropped, %d writes were cut off, and by receipts was said %v: something never happened",
			kept, again, runs, drops, lost, said)
	}
}

// anything happens.
func (w *world) anything(who string) {
	switch w.r.IntN(18) {
	case 0, 1:
		w.grow()
	case 2, 3, 4:
		w.acquire(who, false)
	case 5:
		if w.p.ByKey() {
			w.takeByKey()
		} else {
			w.acquire("", true)
		}
	case 6, 7, 8, 9:
		w.acknowledge(who)
	case 10:
		w.now += int64(w.r.IntN(40))
		w.expire()
	case 11:
		w.save()
	case 17:
		w.land()
	case 12:
		w.leave(who)
	case 13:
		if w.r.IntN(3) == 0 && !w.dedup { // retention is longer than the window
			w.trim()
		}
	case 14:
		if w.r.IntN(2) == 0 {
			w.save()
		}
		if w.r.IntN(3) == 0 {
			w.crash()
		}
	default:
		w.redeem()
	}
}

// waits tells whether a record's time is to come.
func (w *world) waits() bool {
	for _, r := range w.m.recs {
		if r.state == Available && r.at > w.now {
			return true
		}
	}
	return false
}

// drain lets one member, or takes, get and accept everything: nothing may be stuck.
func (w *world) drain() {
	byKey := w.p.ByKey() && w.r.IntN(2) == 0
	for range 10_000 {
		w.now += 100
		w.expire()
		if byKey {
			w.takeByKey()
		} else {
			w.acquire("last", false)
		}
		for at, r := range w.m.recs {
			if byKey && r.state == Acquired && r.leased {
				if err := w.p.Redeem(w.now, &Word{Receipt: Receipt{Offset: at, Count: r.count}, Type: Accept}); err != nil {
					w.t.Fatal(err)
				}
				r.state, r.at, w.done[at] = Acknowledged, 0, true
			}
			if r.state == Acquired && r.member == "last" {
				if err := w.p.Acknowledge(w.now, "last", []Ack{{at, at, []AckType{Accept}}}); err != nil {
					w.t.Fatal(err)
				}
				r.state, r.at, w.done[at] = Acknowledged, 0, true
			}
		}
		w.save()
		w.land()
		w.check()
		if w.p.Start() >= w.end {
			return
		}
		if from, ok := w.p.Next(w.now); ok && from >= w.end && !w.waits() {
			for at, r := range w.m.recs {
				if !r.state.final() && !r.repeat {
					w.t.Fatalf("offset %d stays %v, nothing is to be given:\n%s", at, r.state, w.dump())
				}
			}
			return
		}
	}
	w.t.Fatalf("something is stuck, the log ends at %d, %+v:\n%s", w.end, w.p.lanes, w.dump())
}
