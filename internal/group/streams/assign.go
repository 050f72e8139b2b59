package streams

import (
	"cmp"
	"slices"

	"ottla/internal/group/schema"
)

// share is a sharing out of tasks in the making: every task active once, as
// evenly as tasks and members allow, where it was before if it can be; then
// standby tasks, at most one of a task in a process.
type share struct {
	ids     []string
	members map[string]*member
	before  map[string]roleTasks
	now     map[string]*roleTasks
	load    map[string]int // tasks of any role, by member
	ofSub   map[string]int // of a subtopology, by member and subtopology
	byLoad  map[string]int // of the process
	holders map[place][]string
	tags    []string
}

// shareOut gives each member its tasks, sorted.
func shareOut(g *group, p *plan, standbys int, tags []string) map[string]roleTasks {
	s := &share{
		ids: g.ids, members: g.members, before: g.target, now: map[string]*roleTasks{},
		load: map[string]int{}, ofSub: map[string]int{}, byLoad: map[string]int{}, holders: map[place][]string{}, tags: tags,
	}
	for _, id := range s.ids {
		s.now[id] = &roleTasks{}
	}
	if p.ready() && len(s.ids) > 0 {
		s.actives(allTasks(p.subs, p.tasks))
		for range standbys {
			s.standbys(allTasks(slices.DeleteFunc(slices.Clone(p.subs), func(t schema.Subtopology) bool { return !stateful(&t) }), p.tasks))
		}
	}
	out := map[string]roleTasks{}
	for _, id := range s.ids {
		r := *s.now[id]
		for i := range r {
			r[i] = r[i].sorted()
		}
		out[id] = r
	}
	return out
}

// allTasks lists the tasks of subtopologies, those of each partition together,
// so that who keeps or takes a part of them has some of each.
func allTasks(subs []schema.Subtopology, counts map[string]int32) []place {
	var out []place
	for i := range subs {
		for p := range counts[subs[i].ID] {
			out = append(out, place{subs[i].ID, p})
		}
	}
	slices.SortStableFunc(out, func(a, b place) int { return cmp.Compare(a.partition, b.partition) })
	return out
}

// give gives a task to a member.
func (s *share) give(id string, p place, r role) {
	s.now[id][r] = append(s.now[id][r], task{place: p})
	s.load[id]++
	s.ofSub[id+"/"+p.sub]++
	s.byLoad[s.members[id].said.ProcessID]++
	s.holders[p] = append(s.holders[p], id)
}

// least is the member with the least to do of those that may have a task; among
// equals comes first who has less of its subtopology, the process with less,
// then the id. Empty: nobody.
func (s *share) least(p place, may func(id string) bool) string {
	best := ""
	for _, id := range s.ids {
		if !may(id) {
			continue
		}
		if best == "" || s.lighter(p, id, best) {
			best = id
		}
	}
	return best
}

func (s *share) lighter(p place, a, b string) bool {
	if c := cmp.Compare(s.load[a], s.load[b]); c != 0 {
		return c < 0
	}
	if c := cmp.Compare(s.ofSub[a+"/"+p.sub], s.ofSub[b+"/"+p.sub]); c != 0 {
		return c < 0
	}
	return s.byLoad[s.members[a].said.ProcessID] < s.byLoad[s.members[b].said.ProcessID]
}

// actives gives every task to one member: nobody has more than one task more
// than another, and a task stays where it was as long as that allows it, or
// goes to who stood by.
func (s *share) actives(all []place) {
	floor, extra := len(all)/len(s.ids), len(all)%len(s.ids)
	had := [2]map[place][]string{{}, {}}
	for _, id := range s.ids {
		for i, r := range []role{active, standby} {
			for _, x := range s.before[id][r] {
				had[i][x.place] = append(had[i][x.place], id)
			}
		}
	}
	left := all
	for _, owners := range had {
		var rest []place
		for _, p := range left {
			id := s.room(p, owners[p], floor, &extra)
			if id == "" {
				rest = append(rest, p)
				continue
			}
			s.give(id, p, active)
		}
		left = rest
	}
	for _, p := range left {
		s.give(s.least(p, func(string) bool { return true }), p, active)
	}
}

// room finds the lightest of some members that may have one more active task.
func (s *share) room(p place, ids []string, floor int, extra *int) string {
	best := ""
	for _, id := range ids {
		if s.load[id] < floor || s.load[id] == floor && *extra > 0 {
			if best == "" || s.lighter(p, id, best) {
				best = id
			}
		}
	}
	if best != "" && s.load[best] == floor {
		*extra--
	}
	return best
}

// standbys gives every task one member more that stands by, in another process
// than all that have it, with other tags if there are such: one that stood by
// before comes first while it has no more to do than its part.
func (s *share) standbys(all []place) {
	total := 0
	for _, n := range s.load {
		total += n
	}
	part := (total + len(all) + len(s.ids) - 1) / len(s.ids)
	for _, p := range all {
		may := func(id string) bool { return !s.sameProcess(p, id) }
		apart := func(id string) bool { return may(id) && s.apart(p, id) }
		kept := func(id string) bool { return s.before[id][standby].has(task{place: p}) && s.load[id] < part }
		id := s.least(p, func(id string) bool { return apart(id) && kept(id) })
		for _, rule := range []func(string) bool{apart, func(id string) bool { return may(id) && kept(id) }, may} {
			if id == "" {
				id = s.least(p, rule)
			}
		}
		if id != "" {
			s.give(id, p, standby)
		}
	}
}

// sameProcess tells whether a task is in a member's process already.
func (s *share) sameProcess(p place, id string) bool {
	return slices.ContainsFunc(s.holders[p], func(h string) bool {
		return h == id || s.members[h].said.ProcessID == s.members[id].said.ProcessID
	})
}

// apart tells whether a member has other tags than all that have a task.
func (s *share) apart(p place, id string) bool {
	for _, tag := range s.tags {
		for _, h := range s.holders[p] {
			if s.members[h].tag(tag) == s.members[id].tag(tag) {
				return false
			}
		}
	}
	return true
}
