package delivery

import (
	"hash/fnv"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/plan"
)

// Bounds of what a runner has in memory of payloads.
const (
	// mostBytes is for all targets of a runner, and shareBytes for one, as long as
	// there are few; leastShare is what each may have, however many there are.
	// Each may have one payload in any case.
	mostBytes  = 64 << 20
	shareBytes = 4 << 20
	leastShare = 256 << 10
	// soonMs is how soon a payload must be wanted to stay in memory.
	soonMs = 10_000
)

// lane is what a runner has of a target: what is decided of it, and the payloads that
// are in memory.
type lane struct {
	*course.Lane
	key    string
	lim    course.Limits // as the endpoint said last
	loaded map[int64]*parcel
	bytes  int
	dueMs  int64 // when it is to be looked at again; 0 for not
	kept   bool  // StateTopic has a state of it
	// crowded: it had no room for a payload that it wants, and gets it when half of
	// its share is free.
	crowded bool
	asking  bool // it is being found out whether its target is gone
	sure    bool // that was found out: if it is not known now, it is gone
}

// load takes a payload into memory.
func (r *runner) load(ln *lane, p *parcel) {
	if ln.bytes == 0 {
		r.loading++
	}
	ln.loaded[p.offset] = p
	ln.bytes += p.size()
	r.bytes += p.size()
	ln.Load(p.offset, true)
}

// unload lets go of a payload.
func (r *runner) unload(ln *lane, offset int64) {
	p := ln.loaded[offset]
	if p == nil {
		return
	}
	delete(ln.loaded, offset)
	ln.bytes -= p.size()
	r.bytes -= p.size()
	ln.Load(offset, false)
	if ln.bytes == 0 {
		r.loading--
	}
	if ln.crowded && ln.bytes <= r.share()/2 {
		ln.crowded = false
		r.heatUp(ln.key)
	}
}

// room tells whether a target may have one more payload in memory.
func (r *runner) room(ln *lane, p *parcel) bool {
	if ln.bytes == 0 {
		return true
	}
	return ln.bytes+p.size() <= r.share()
}

// yields tells whether something in memory can be let go for a delivery that lies before
// it. Of an ordered endpoint it must: what lies behind may wait for that one.
func (ln *lane) yields(offset int64) bool {
	if !ln.lim.Ordered || ln.Find(offset) == nil {
		return false
	}
	for behind := range ln.loaded {
		if it := ln.Find(behind); behind > offset && it != nil && !it.IsFlying() {
			return true
		}
	}
	return false
}

// makeRoom lets go of what yields to a payload, the last first; false when there is no
// room then either.
func (r *runner) makeRoom(ln *lane, p *parcel) bool {
	for i := len(ln.Items) - 1; i >= 0 && ln.lim.Ordered && ln.Items[i].Offset > p.offset && !r.room(ln, p); i-- {
		if it := &ln.Items[i]; ln.loaded[it.Offset] != nil && !it.IsFlying() {
			r.unload(ln, it.Offset)
		}
	}
	return r.room(ln, p)
}

// share is what a target may have in memory.
func (r *runner) share() int { return min(shareBytes, max(leastShare, mostBytes/(r.loading+1))) }

// item is what is decided about of a parcel.
func item(p *parcel) course.Item {
	it := course.Item{Offset: p.offset, PutMs: p.putMs, Group: -1}
	if p.Keyed {
		it.Key = hash(string(p.Key)) | 1 // 0 is none
	}
	return it
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // a hash takes everything
	return h.Sum64()
}

// limitsOf are what an endpoint says about its calls.
func limitsOf(key string, e *plan.Endpoint) course.Limits {
	lim := course.Limits{
		Retry: e.Retry, Rate: e.Rate, Concurrency: e.Concurrency, Ordered: e.Ordered, Disabled: e.Disabled, Seed: hash(key),
	}
	if e.Function != "" {
		lim.Batch = e.Batch
	}
	return lim
}

// laneOf finds or makes the lane of a target.
func (r *runner) laneOf(key string) *lane {
	ln := r.lanes[key]
	if ln == nil {
		ln = &lane{Lane: course.NewLane(), key: key, loaded: map[int64]*parcel{}}
		r.lanes[key] = ln
	}
	return ln
}

// forget lets go of a lane of which nothing need be known.
func (r *runner) forget(ln *lane) {
	for offset := range ln.loaded {
		r.unload(ln, offset)
	}
	delete(r.lanes, ln.key)
	delete(r.wanting, ln.key)
	if ln.kept {
		r.stale[ln.key] = true
	}
}
