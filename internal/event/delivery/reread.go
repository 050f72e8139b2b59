package delivery

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reread are records that were read again, of all from an offset up to another.
type reread struct {
	from, at int64
	records  []*kgo.Record
}

// since is what lies in it from an offset on; false where that is not all that was read.
func (c reread) since(from int64) (reread, bool) {
	if from < c.from || from >= c.at {
		return reread{}, false
	}
	i, _ := slices.BinarySearchFunc(c.records, from, func(rec *kgo.Record, at int64) int { return cmp.Compare(rec.Offset, at) })
	return reread{from, c.at, c.records[i:]}, true
}

// readAgain reads Topic from where it is told to.
func (r *runner) readAgain(ctx context.Context) {
	for {
		var from int64
		select {
		case from = <-r.goOn:
		case <-ctx.Done():
			return
		}
		r.again.GoTo(from)
		got, err := r.again.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		at := r.again.At()
		if err != nil {
			at = from
			r.s.o.Logger.Warn("deliveries are not read again at the moment; it is tried later", "topic", Topic, "partition", r.partition, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(restPause):
			}
		}
		select {
		case r.rereads <- reread{from, at, got}:
		case <-ctx.Done():
			return
		}
	}
}

// seek has read again what the first target wants whose payloads are not in memory. A
// batch has more than a target has room for: what it wants next was often read with what
// it has. That is kept as long as something is under way.
func (r *runner) seek() {
	if r.flying == 0 && r.writing == nil {
		r.near = reread{}
	}
	if r.rereading || len(r.wanting) == 0 {
		return
	}
	from, nowMs := int64(-1), r.s.nowMs()
	for key := range r.wanting {
		ln := r.lanes[key]
		w := ln.Wants(ln.lim, nowMs)
		if w < 0 {
			delete(r.wanting, key)
		} else if from < 0 || w < from {
			from = w
		}
	}
	if from < 0 {
		return
	}
	c, near := r.near.since(from)
	switch {
	case !near:
		r.rereading = true
		r.goOn <- from
	case r.mayRead():
		r.retake(c)
	}
}

// retake takes up what was read again: what targets want of it. What a target has no
// room for it goes on wanting. Beyond r.at is nothing of ours yet.
func (r *runner) retake(c reread) {
	nowMs := r.s.nowMs()
	cut := map[*lane]bool{}
	for _, rec := range c.records {
		if rec.Offset >= r.at || len(cut) == len(r.wanting) {
			break
		}
		ln := r.lanes[string(rec.Key)]
		if ln != nil && r.wanting[ln.key] && !cut[ln] && !r.retakeOne(ln, rec, c.from, nowMs) {
			cut[ln] = true
		}
	}
	for key := range r.wanting {
		ln := r.lanes[key]
		if !cut[ln] {
			r.covered(ln, c, nowMs)
		}
		r.touch(ln)
	}
}

// retakeOne takes one record up, if its target wants it; false when there is no room.
func (r *runner) retakeOne(ln *lane, rec *kgo.Record, from, nowMs int64) bool {
	it := ln.Find(rec.Offset)
	fresh := it == nil && ln.Behind >= from && rec.Offset >= ln.Behind
	if !fresh && (it == nil || !ln.Needs(it, ln.lim, nowMs)) {
		return true
	}
	p, err := readParcel(rec)
	if err != nil {
		r.noParcel(rec, err)
		return true
	}
	if fresh && ln.Full() {
		ln.Behind = rec.Offset
		return false
	}
	if !r.room(ln, p) && (fresh || !r.makeRoom(ln, p)) {
		ln.crowded = true
		if fresh {
			ln.Behind = rec.Offset
		}
		return false
	}
	if fresh {
		ln.Add(item(p))
		ln.Behind = rec.Offset + 1
	}
	r.load(ln, p)
	return true
}

// covered takes up that all of a target was read from an offset up to another: what is
// wanted of it and did not come is not there any more.
func (r *runner) covered(ln *lane, c reread, nowMs int64) {
	if ln.Behind >= c.from {
		if ln.Behind = max(ln.Behind, c.at); ln.Behind >= r.at {
			ln.Behind = -1
		}
	}
	for i := range ln.Items {
		it := &ln.Items[i]
		if it.Offset >= c.from && it.Offset < c.at && ln.Needs(it, ln.lim, nowMs) {
			r.s.count.dropped.Inc()
			r.s.o.Logger.Error("a delivery is lost: its record is not there any more", "topic", Topic, "partition", r.partition, "offset", it.Offset, "target", ln.key)
			ln.Lose(it.Offset)
		}
	}
}
