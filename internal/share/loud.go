package share

import "math"

// A group is loud, by SQS's thresholds, when more than a tenth of what is out is
// its own, and more than thirty records are; or when it had more than a tenth of
// the time that records were out of late. While quiet groups wait, loud ones get
// one record of ten.
const (
	loudShare  = 10
	loudLeast  = 30
	quietFirst = 9
	// halfLifeMs is after which time counts half.
	halfLifeMs = 60_000
)

// load is how many records of somebody are out, and how long they were of late.
type load struct {
	out     int
	busy    float64 // record-milliseconds, at sinceMs
	sinceMs int64
}

// age brings a load up to a time.
func (l *load) age(nowMs int64) {
	if dt := nowMs - l.sinceMs; dt > 0 {
		l.busy = l.busy*math.Exp2(-float64(dt)/halfLifeMs) + float64(l.out)*float64(dt)
		l.sinceMs = nowMs
	}
}

// count notes that so many more records of a group are out.
func (t *turns) count(g *group, n int) {
	g.age(t.nowMs)
	t.load.age(t.nowMs)
	g.out += n
	t.out += n
}

// isLoud tells whether others should go before a group.
func (t *turns) isLoud(g *group) bool {
	if g.out > loudLeast && g.out*loudShare > t.out {
		return true
	}
	g.age(t.nowMs)
	t.load.age(t.nowMs)
	return g.busy*loudShare > t.busy
}

// hush lets loud groups that are not loud any more wait among the quiet ones.
// There are few: each had a tenth of something.
func (t *turns) hush() {
	for range t.loud.len() {
		g := t.loud.pop()
		t.queue(g)
	}
}

// maxIdle bounds the groups that have no records and are kept for the time that
// they took.
const maxIdle = 256

// rest forgets a group that has nothing any more, unless it took so much time of
// late that it counts.
func (t *turns) rest(g *group) {
	if g.refs > 0 || g.behind >= 0 || g.in != nil || g.idle {
		return
	}
	if !t.matters(g) {
		delete(t.groups, g.key)
		return
	}
	g.idle = true
	t.resting = append(t.resting, g)
	if len(t.resting) < maxIdle {
		return
	}
	kept := t.resting[:0]
	for _, g := range t.resting {
		used := g.refs > 0 || g.behind >= 0 || g.in != nil
		switch {
		case used:
			g.idle = false
		case t.matters(g):
			kept = append(kept, g)
		default:
			delete(t.groups, g.key)
		}
	}
	clear(t.resting[len(kept):])
	t.resting = kept
}

// matters tells whether a group had a hundredth of the time.
func (t *turns) matters(g *group) bool {
	g.age(t.nowMs)
	t.load.age(t.nowMs)
	return g.busy > 0 && g.busy*loudShare*loudShare > t.busy
}

// ring are groups that wait for their turn.
type ring struct {
	groups []*group
	first  int
}

func (r *ring) len() int { return len(r.groups) - r.first }

func (r *ring) front() *group {
	if r.len() == 0 {
		return nil
	}
	return r.groups[r.first]
}

func (r *ring) push(g *group) {
	if r.first > 64 && r.first > len(r.groups)/2 {
		left := copy(r.groups, r.groups[r.first:])
		clear(r.groups[left:])
		r.groups, r.first = r.groups[:left], 0
	}
	r.groups = append(r.groups, g)
}

func (r *ring) pop() *group {
	g := r.groups[r.first]
	r.groups[r.first] = nil
	r.first++
	return g
}
