package streams

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/internal/group/schema"
)

// look works the topology out over the topics that there are, if they may have
// changed.
func (e *edit) look() *plan {
	s := e.g.soft
	if e.plan != nil {
		return e.plan
	}
	if s.plan != nil && !s.stale && e.t.Now.Sub(s.looked) < lookAgain {
		e.plan = s.plan
		return s.plan
	}
	p, now := look(e.g.topology, e.k.s.Image()), e.t.Now
	e.plan = p
	e.then(func(s *soft) { s.plan, s.stale, s.looked = p, false, now })
	return p
}

// lookAgain is after how long a group looks at its topics without being told
// to.
const lookAgain = 3 * time.Minute

// settings are those that an assignment hangs on.
func (e *edit) settings() []schema.StreamsPair {
	own := e.k.s.Of(e.g.id)
	out := []schema.StreamsPair{{Key: "num.standby.replicas", Value: strconv.Itoa(own.Standbys)}}
	if len(own.Tags) > 0 {
		out = append(out, schema.StreamsPair{Key: "rack.aware.assignment.tags", Value: strings.Join(own.Tags, ",")})
	}
	return out
}

// refresh raises the group's epoch when it must, or when topics or settings are
// not what they were.
func (e *edit) refresh(must bool) {
	p := e.look()
	now := schema.StreamsGroupValue{Hash: p.hash, Validated: -1, Settings: e.settings()}
	if p.ready() {
		now.Validated = e.g.topology.Epoch
	}
	old := e.g.meta
	if must || now.Hash != old.Hash || now.Validated != old.Validated || !slices.Equal(now.Settings, old.Settings) {
		e.bump(now)
	}
}

// assign makes another target when the group's epoch is ahead of the one at
// hand; false when that must wait.
func (e *edit) assign() bool {
	g := e.g
	if g.meta.Epoch <= g.targetEpoch || len(g.members) == 0 || g.topology == nil {
		return true
	}
	own := e.k.s.Of(g.id)
	if g.soft.delayed || own.Assignment > 0 && !g.soft.assigned.IsZero() && e.t.Now.Sub(g.soft.assigned) < own.Assignment {
		return false
	}
	e.assignNow(own)
	return true
}

func (e *edit) assignNow(own Own) {
	g := e.g
	target := shareOut(g, e.look(), own.Standbys, own.Tags)
	for _, id := range slices.Clone(g.ids) {
		if old, ok := g.target[id]; !ok || !old.samePlaces(target[id]) {
			e.aim(id, target[id])
		}
	}
	e.targetAt(e.g.meta.Epoch, e.t.Wall.UnixMilli())
	now := e.t.Now
	e.then(func(s *soft) { s.assigned = now })
}

// delay lets a group without members wait for more before its first assignment.
func (e *edit) delay() {
	wait := e.k.s.Of(e.g.id).Delay
	if wait <= 0 {
		return
	}
	e.t.Timer(delayKey{e.g.id}, wait, delayDue{e.g.id})
	e.then(func(s *soft) { s.delayed = true })
}

// delayDue assigns a group that has waited.
func (k *Kind) delayDue(e *edit) {
	e.then(func(s *soft) { s.delayed = false })
	if e.g.meta.Epoch > e.g.targetEpoch && len(e.g.members) > 0 && e.g.topology != nil {
		e.assignNow(k.s.Of(e.g.id))
	}
}

// create lets missing internal topics be made, beside the machine.
func (e *edit) create(p *plan) {
	if len(p.missing) == 0 || e.g.soft.creating || p.problem == nil || p.problem.Code != MissingInternal {
		return
	}
	group, topics, make := e.g.id, p.missing, e.k.s.Create
	e.t.Work(func() any { return created{group, topics, make(topics)} })
	e.then(func(s *soft) { s.creating = true })
}

// created takes up what became of internal topics; the next heartbeat looks.
func (k *Kind) created(e *edit, c *created) {
	e.then(func(s *soft) {
		s.creating, s.stale, s.failed = false, true, map[string]string{}
		for i, t := range c.topics {
			if c.errors[i] != "" {
				s.failed[t.Name] = c.errors[i]
			}
		}
	})
}
