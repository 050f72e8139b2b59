package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"ottla/internal/partition"
	txnlog "ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/wire"
	"ottla/test/history"
	"ottla/test/simulation/event"
)

// reader reads all partitions of a topic from their leaders, from the beginning, at
// one isolation level.
type reader struct {
	base
	topic     string
	parts     int32
	committed bool
	final     bool // it is one of the end: it stops at the end of each partition
	at        []int64
	done      []bool
	delay     time.Duration
	last      wire.Code // that a poll brought
	seen      map[int32]seen
}

func (w *World) newReader(topic string, parts int32, committed bool) *reader {
	return &reader{
		base: w.newBase(), topic: topic, parts: parts, committed: committed, delay: 300 * time.Millisecond,
		seen: map[int32]seen{}, at: make([]int64, parts), done: make([]bool, parts),
	}
}

func (r *reader) start() {
	var from []history.Position
	for i := range r.parts {
		from = append(from, history.Position{Partition: r.name(i), Offset: 0})
	}
	r.w.rules.add(history.Op{
		Process: r.id, Kind: history.Assign, Outcome: history.OK, Start: r.w.rules.tick(), End: r.w.rules.tick(), Positions: from, Committed: r.committed,
	})
	for i := range r.parts {
		r.poll(i)
	}
}

func (r *reader) name(i int32) string { return place(r.topic, i) }

// seen is the highest high watermark that one leader told.
type seen struct {
	epoch int32
	high  int64
}

// judged are the marks of a poll as package history shall judge them. A leader that
// was just elected may not know yet how far the one before had committed, as in
// Kafka; what one leader tells never falls.
func (r *reader) judged(i int32, x *fetched) *history.Marks {
	m, was := x.marks, r.seen[i]
	switch {
	case x.epoch != was.epoch && m.High < was.high:
		r.w.hit("a new leader knew less of what is committed")
		m.High, m.LastStable = -1, -1
	default:
		r.seen[i] = seen{x.epoch, m.High}
	}
	return &m
}

// fetched is what a poll of one partition brought.
type fetched struct {
	code    wire.Code
	epoch   int32
	marks   history.Marks
	bytes   []byte
	aborted []txnlog.Aborted
}

// poll reads on, and again.
func (r *reader) poll(i int32) {
	if r.done[i] || r.ending && !r.final {
		r.done[i] = true
		return
	}
	again := func() { r.after(event.Between(r.w.work, 10*time.Millisecond, r.delay), func() { r.poll(i) }) }
	to := r.leader(r.topic, i)
	if to < 0 {
		r.refresh(again)
		return
	}
	start, from, most := r.w.rules.tick(), r.at[i], 200+r.w.work.IntN(5000)
	r.ask(request{
		to: to, timeout: 2 * time.Second,
		serve: func(p *process, answer func(any)) { answer(p.serveRead(r.topic, i, from, most, r.committed)) },
		done: func(answer any, _ bool) {
			x, ok := answer.(fetched)
			r.last = x.code
			if !ok || x.code != wire.None {
				if x.code == wire.OffsetOutOfRange {
					r.w.hit("read out of range")
				}
				r.refresh(again)
				return
			}
			r.take(i, start, &x)
			again()
		},
	})
}

// serveRead is a Fetch of one partition.
func (p *process) serveRead(topic string, index int32, from int64, most int, committed bool) fetched {
	part, code := p.broker.ByName([]byte(topic), index)
	if code != wire.None {
		return fetched{code: code}
	}
	a := partition.FetchArgs{Offset: from, MaxBytes: most, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}
	if committed && p.w.sabotage != DirtyReads {
		a.Isolation = partition.ReadCommitted
	}
	var f partition.Fetched
	if err := part.Fetch(&a, &f); err != nil {
		p.suspect("read", err)
		return fetched{code: wire.CodeOf(err)}
	}
	out := fetched{epoch: part.Offsets().LeaderEpoch, marks: history.Marks{LogStart: f.LogStart, LastStable: f.LastStable, High: f.HighWatermark, LogEnd: -1}, aborted: f.Aborted}
	var err error
	if out.bytes, err = contentOf(&f); err != nil {
		p.suspect("read", err)
		return fetched{code: wire.KafkaStorageError}
	}
	return out
}

// take goes through what came, as a client does.
func (r *reader) take(i int32, start int64, x *fetched) {
	recs, next := r.decode(x, r.at[i])
	if len(recs) > 0 || next > r.at[i] || r.final {
		r.w.rules.add(history.Op{
			Process: r.id, Kind: history.Poll, Outcome: history.OK, Start: start, End: r.w.rules.tick(), Committed: r.committed, Final: r.final,
			Micro: []history.Micro{{Kind: history.Poll, Partition: r.name(i), Records: recs, Marks: r.judged(i, x)}},
		})
	}
	r.w.hits["records read"] += len(recs)
	r.at[i] = next
	limit := x.marks.High
	if r.committed {
		limit = x.marks.LastStable
	}
	if r.final && next >= limit {
		r.done[i] = true
	}
}

// decode gives the records that a client shows, and where it reads next.
func (r *reader) decode(x *fetched, at int64) (out []history.Record, next int64) {
	aborted := map[int64]bool{}
	pending := slices.Clone(x.aborted)
	slices.SortFunc(pending, func(a, b txnlog.Aborted) int { return int(a.FirstOffset - b.FirstOffset) })
	next = at
	b := x.bytes
	for len(b) > 0 {
		h, batch, rest, err := record.Next(b)
		if errors.Is(err, record.ErrShort) {
			break
		}
		if err != nil || !record.VerifyCRC(batch) {
			r.w.fail("client %d: %s at offset %d: damaged bytes were served: %v", r.id, r.topic, next, err)
		}
		for len(pending) > 0 && pending[0].FirstOffset <= h.LastOffset() {
			aborted[pending[0].ProducerID] = true
			pending = pending[1:]
		}
		if h.Control() {
			if kind, err := record.ControlType(batch); err == nil && kind == record.ControlAbort {
				delete(aborted, h.ProducerID)
			}
		} else if !(r.committed && h.Transactional() && aborted[h.ProducerID]) {
			err := record.Walk(batch, 0, func(rec *record.Record) bool {
				if o := h.BaseOffset + int64(rec.OffsetDelta); o >= at {
					out = append(out, history.Record{o, int64(binary.BigEndian.Uint64(rec.Value))})
				}
				return true
			})
			if err != nil {
				r.w.fail("client %d: a batch at offset %d cannot be read: %v", r.id, h.BaseOffset, err)
			}
		}
		next, b = max(next, h.NextOffset()), rest
	}
	return out, next
}

func (r *reader) idle() string {
	for i, done := range r.done {
		if r.final && !done {
			return fmt.Sprintf("reader %d has not read %s to its end, it is at %d (%s)", r.id, r.name(int32(i)), r.at[i], r.last.Name())
		}
	}
	return ""
}
