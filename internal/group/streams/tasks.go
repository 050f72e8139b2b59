package streams

import (
	"cmp"
	"slices"

	"ottla/internal/group/schema"
)

// place names a task: a subtopology and a partition of its topics.
type place struct {
	sub       string
	partition int32
}

// task is a task with the epoch since which its member has it where that is
// said.
type task struct {
	place
	epoch int32
}

func compare(a, b task) int {
	if c := cmp.Compare(a.sub, b.sub); c != 0 {
		return c
	}
	return cmp.Compare(a.partition, b.partition)
}

// tasks are sorted by subtopology and partition, each once.
type tasks []task

func tasksOf(list []schema.StreamsTasks) tasks {
	var out tasks
	for i := range list {
		t := &list[i]
		for j, p := range t.Partitions {
			x := task{place: place{t.Subtopology, p}}
			if t.Epochs != nil {
				x.epoch = t.Epochs[j]
			}
			out = append(out, x)
		}
	}
	return out.sorted()
}

func (s tasks) sorted() tasks {
	slices.SortStableFunc(s, compare)
	return slices.CompactFunc(s, func(a, b task) bool { return a.place == b.place })
}

// list gives tasks by subtopology, with their epochs or without.
func (s tasks) list(epochs bool) []schema.StreamsTasks {
	var out []schema.StreamsTasks
	for i, x := range s {
		if i == 0 || x.sub != s[i-1].sub {
			out = append(out, schema.StreamsTasks{Subtopology: x.sub})
		}
		t := &out[len(out)-1]
		t.Partitions = append(t.Partitions, x.partition)
		if epochs {
			t.Epochs = append(t.Epochs, x.epoch)
		}
	}
	return out
}

func (s tasks) has(x task) bool {
	_, ok := slices.BinarySearchFunc(s, x, compare)
	return ok
}

func (s tasks) split(keep func(task) bool) (kept, rest tasks) {
	for _, x := range s {
		if keep(x) {
			kept = append(kept, x)
		} else {
			rest = append(rest, x)
		}
	}
	return kept, rest
}

func (s tasks) with(other tasks) tasks {
	if len(other) == 0 {
		return s
	}
	return append(slices.Clone(s), other...).sorted()
}

func (s tasks) samePlaces(o tasks) bool {
	return slices.EqualFunc(s, o, func(a, b task) bool { return a.place == b.place })
}

// role is what a member does with a task.
type role int

const (
	active role = iota
	standby
	warmup
	roles
)

// roleTasks are tasks by role.
type roleTasks [roles]tasks

func roleTasksOf(v schema.StreamsAssignment) roleTasks {
	return roleTasks{tasksOf(v.Active), tasksOf(v.Standby), tasksOf(v.Warmup)}
}

// value lists all; epochs are said of active tasks alone.
func (r roleTasks) value(epochs bool) schema.StreamsAssignment {
	return schema.StreamsAssignment{Active: r[active].list(epochs), Standby: r[standby].list(false), Warmup: r[warmup].list(false)}
}

func (r roleTasks) empty() bool { return len(r[active])+len(r[standby])+len(r[warmup]) == 0 }

// overlaps tells whether a task is in both in the same role.
func (r roleTasks) overlaps(o roleTasks) bool {
	for i := range r {
		if slices.ContainsFunc(r[i], o[i].has) {
			return true
		}
	}
	return false
}

func (r roleTasks) samePlaces(o roleTasks) bool {
	for i := range r {
		if !r[i].samePlaces(o[i]) {
			return false
		}
	}
	return true
}

func (r roleTasks) equal(o roleTasks) bool {
	for i := range r {
		if !slices.Equal(r[i], o[i]) {
			return false
		}
	}
	return true
}

// hasPlace tells whether a task is there in any role.
func (r roleTasks) hasPlace(p place) bool {
	for i := range r {
		if r[i].has(task{place: p}) {
			return true
		}
	}
	return false
}

func (r roleTasks) with(o roleTasks) roleTasks {
	for i := range r {
		r[i] = r[i].with(o[i])
	}
	return r
}
