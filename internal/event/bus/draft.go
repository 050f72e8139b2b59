package bus

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"ottla/internal/event/name"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
)

// draft is what is known of one bus, from which its Sources are made. Adding a rule
// or taking one away costs that rule alone, and a copy of the list of rules.
type draft struct {
	bus     *Bus // nil when there is none (yet)
	set     *pattern.Set
	rules   []*compiled    // the index is the rule's id in set
	at      map[string]int // index in rules, by the rule's key
	replays map[string]*plan.Replay
	version int64
}

// compiled is a rule as runners take it.
type compiled struct {
	rule    *plan.Rule
	pattern *pattern.Pattern
	calls   map[string]*call
}

func newDraft() *draft {
	return &draft{set: pattern.NewSet(), at: map[string]int{}, replays: map[string]*plan.Replay{}}
}

// put puts a rule in the place of the one of its key, or takes that away; it gives
// what was there.
func (d *draft) put(key string, c *compiled) (old *compiled) {
	edit := d.set.Edit()
	at, there := d.at[key]
	if there {
		old = d.rules[at]
	}
	switch {
	case c != nil && there:
		d.rules[at] = c
		c.file(edit, at)
	case c != nil:
		d.at[key] = len(d.rules)
		c.file(edit, len(d.rules))
		d.rules = append(d.rules, c)
	default:
		d.remove(edit, key)
	}
	d.set = edit.Set()
	return old
}

// file puts the pattern of a rule where its index says; one that takes nothing has
// none.
func (c *compiled) file(edit *pattern.Edit, at int) {
	if c.pattern == nil {
		edit.Remove(pattern.ID(at))
		return
	}
	edit.Put(pattern.ID(at), c.pattern)
}

// remove takes a rule away; the last one gets its index.
func (d *draft) remove(edit *pattern.Edit, key string) {
	at, there := d.at[key]
	if !there {
		return
	}
	last := len(d.rules) - 1
	edit.Remove(pattern.ID(at))
	if at != last {
		edit.Remove(pattern.ID(last))
		d.rules[at] = d.rules[last]
		d.rules[at].file(edit, at)
		d.at[d.rules[at].rule.Ref.Key()] = at
	}
	d.rules[last] = nil
	d.rules = d.rules[:last]
	delete(d.at, key)
}

// publish makes a Source.
func (d *draft) publish(key string) *plan.Source {
	d.version++
	ref, _ := name.ParseKey(key) // it was made by Key
	src := &plan.Source{Ref: ref, Version: d.version}
	if d.bus == nil {
		return src
	}
	src.ID, src.Topic = d.bus.ID, d.bus.Topic
	if d.bus.DeadLetters != "" {
		src.DeadLetters, _ = queueOf("dead_letters", d.bus.DeadLetters, ref) // it was checked
	}
	src.Rules = make([]*plan.Rule, len(d.rules))
	for i, c := range d.rules {
		src.Rules[i] = c.rule
	}
	for _, k := range slices.Sorted(maps.Keys(d.replays)) {
		src.Replays = append(src.Replays, d.replays[k])
	}
	src.Match = matches(d.set)
	return src
}

// matching is the memory of one match.
type matching struct {
	m   pattern.Matcher
	ids []pattern.ID
}

var pool = sync.Pool{New: func() any { return new(matching) }}

// matches is Match of a Source.
func matches(set *pattern.Set) func(into []int, doc []byte) ([]int, error) {
	return func(into []int, doc []byte) ([]int, error) {
		m := pool.Get().(*matching)
		defer pool.Put(m)
		ids, err := set.Match(doc, &m.m, m.ids[:0])
		if m.ids = ids; err != nil {
			return into, err
		}
		for _, id := range ids {
			into = append(into, int(id))
		}
		return into, nil
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
