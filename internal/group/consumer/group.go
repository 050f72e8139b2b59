package consumer

import (
	"maps"
	"slices"
	"time"

	"ottla/internal/group/schema"
)

// group is a consumer group. What is durable changes in apply alone; a turn
// that must see its own records works on a clone.
type group struct {
	id string
	// epoch rises with every change that asks for another assignment; hash is
	// of the topics as they were then. targetEpoch is the epoch that the target
	// was made for, targetAt when, in milliseconds since 1970.
	epoch, targetEpoch int32
	hash, targetAt     int64
	members            map[string]*member
	ids                []string // of the members, sorted
	target             map[string]slots
	instances          map[string]string // member ids by instance id
	// owners tells whose a partition is, until it gave it up.
	owners map[place]string
	// regexes are the regular expressions as they were resolved, readers how
	// many members read by each.
	regexes map[string]schema.RegexValue
	readers map[string]int
	// names counts the members that read a topic by its name.
	names     map[string]int
	assignors map[string]int
	// classics counts the members that speak the classic protocol, protocols
	// those that know each way of assigning.
	classics  int
	protocols map[string]int

	// Soft: stale tells that the topics must be looked at again, resolving that
	// regular expressions are being looked up; late are the classic members
	// whose join is awaited; assigned is when the target was made, looked when
	// the topics were last looked at, by the clock of time-outs.
	stale, resolving bool
	late             map[string]bool
	assigned, looked time.Time
}

func newGroup(id string) *group {
	return &group{
		id: id, members: map[string]*member{}, target: map[string]slots{}, instances: map[string]string{},
		owners: map[place]string{}, regexes: map[string]schema.RegexValue{}, readers: map[string]int{},
		names: map[string]int{}, assignors: map[string]int{}, protocols: map[string]int{},
		stale: true, late: map[string]bool{},
	}
}

// clone is a copy to be changed; members and slots are shared, for nobody
// changes them.
func (g *group) clone() *group {
	c := *g
	c.members, c.target, c.instances = maps.Clone(g.members), maps.Clone(g.target), maps.Clone(g.instances)
	c.owners, c.regexes, c.readers = maps.Clone(g.owners), maps.Clone(g.regexes), maps.Clone(g.readers)
	c.names, c.assignors, c.protocols = maps.Clone(g.names), maps.Clone(g.assignors), maps.Clone(g.protocols)
	c.ids = slices.Clone(g.ids)
	return &c
}

// Apply takes over a record of the group; a nil value is a tombstone. What
// cannot be read is passed over.
func (g *group) Apply(k schema.Key, value []byte) {
	switch k.Type {
	case schema.ConsumerGroupMetadata:
		if v, err := schema.ParseConsumerGroup(value); err == nil {
			g.epoch, g.hash = v.Epoch, v.Hash
		}
	case schema.ConsumerTarget:
		g.applyTarget(value)
	case schema.ConsumerTargetMember:
		if value == nil {
			delete(g.target, k.Member)
		} else if parts, err := schema.ParseTargetMember(value); err == nil {
			g.target[k.Member] = slotsOf(parts)
		}
	case schema.ConsumerMember:
		g.applyMember(k.Member, value)
	case schema.ConsumerCurrent:
		g.applyCurrent(k.Member, value)
	case schema.ConsumerRegex:
		if value == nil {
			delete(g.regexes, k.Member)
		} else if v, err := schema.ParseRegex(value); err == nil {
			g.regexes[k.Member] = v
		}
	}
}

func (g *group) applyTarget(value []byte) {
	if value == nil {
		g.targetEpoch, g.targetAt = -1, 0
		return
	}
	if v, err := schema.ParseTarget(value); err == nil {
		g.targetEpoch, g.targetAt = v.Epoch, v.AtMs
	}
}

func (g *group) applyMember(id string, value []byte) {
	if value == nil {
		g.put(id, nil)
		return
	}
	v, err := schema.ParseConsumerMember(value)
	if err != nil {
		return
	}
	n := member{id: id}
	if old := g.members[id]; old != nil {
		n = *old
	}
	n.said = v
	g.put(id, &n)
}

// applyCurrent takes over what a member has; a tombstone leaves it as if it had
// just joined.
func (g *group) applyCurrent(id string, value []byte) {
	old := g.members[id]
	if value == nil {
		if old != nil {
			g.put(id, &member{id: id, said: old.said, epoch: leaving, previous: leaving})
		}
		return
	}
	v, err := schema.ParseCurrent(value)
	if err != nil {
		return
	}
	n := member{id: id}
	if old != nil {
		n.said = old.said
	}
	n.epoch, n.previous, n.state = v.Epoch, v.Previous, state(v.State)
	n.assigned, n.revoking = slotsOf(v.Assigned), slotsOf(v.Revoking)
	g.put(id, &n)
}

// put puts a member in place of the one with its id, nil takes it out, and
// keeps all that is counted.
func (g *group) put(id string, n *member) {
	old := g.members[id]
	if old != nil {
		g.count(old, -1)
		g.disown(old)
	}
	at, found := slices.BinarySearch(g.ids, id)
	if n == nil {
		delete(g.members, id)
		if found {
			g.ids = slices.Delete(g.ids, at, at+1)
		}
		return
	}
	g.members[id] = n
	if !found {
		g.ids = slices.Insert(g.ids, at, id)
	}
	g.count(n, 1)
	for _, s := range n.assigned {
		g.owners[s.place()] = id
	}
	for _, s := range n.revoking {
		g.owners[s.place()] = id
	}
}

// disown frees what is a member's. What another has by now, which a log that
// is replayed may bring, stays that one's.
func (g *group) disown(m *member) {
	for _, list := range []slots{m.assigned, m.revoking} {
		for _, s := range list {
			if g.owners[s.place()] == m.id {
				delete(g.owners, s.place())
			}
		}
	}
}

// count adds a member to what is counted, or takes it off.
func (g *group) count(m *member, by int) {
	for _, name := range m.said.Topics {
		add(g.names, name, by)
	}
	if r := m.regex(); r != "" {
		add(g.readers, r, by)
	}
	if m.said.Assignor != nil {
		add(g.assignors, *m.said.Assignor, by)
	}
	if i := m.instance(); i != "" {
		if by > 0 {
			g.instances[i] = m.id
		} else if g.instances[i] == m.id {
			delete(g.instances, i)
		}
	}
	if !m.classic() {
		return
	}
	g.classics += by
	for i := range m.said.Classic.Protocols {
		add(g.protocols, m.said.Classic.Protocols[i].Name, by)
	}
}

func add(counts map[string]int, key string, by int) {
	if counts[key] += by; counts[key] <= 0 {
		delete(counts, key)
	}
}

// static gives the member with an instance id, nil when there is none.
func (g *group) static(instance string) *member {
	if instance == "" {
		return nil
	}
	return g.members[g.instances[instance]]
}

// topics are the names that the group reads, sorted.
func (g *group) topics() []string {
	names := slices.Collect(maps.Keys(g.names))
	for regex := range g.readers {
		names = append(names, g.regexes[regex].Topics...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// reads tells whether a member of the group reads a topic.
func (g *group) reads(name string) bool {
	if g.names[name] > 0 {
		return true
	}
	for regex := range g.readers {
		if _, ok := slices.BinarySearch(g.regexes[regex].Topics, name); ok {
			return true
		}
	}
	return false
}

// readsBy tells whether a member reads a topic.
func (g *group) readsBy(m *member, name string) bool {
	if slices.Contains(m.said.Topics, name) {
		return true
	}
	_, ok := slices.BinarySearch(g.regexes[m.regex()].Topics, name)
	return ok
}

// state is the group's, by its name in Kafka.
func (g *group) state() string {
	if len(g.members) == 0 {
		return "Empty"
	}
	if g.epoch > g.targetEpoch {
		return "Assigning"
	}
	for _, m := range g.members {
		if !m.settled(g.targetEpoch) {
			return "Reconciling"
		}
	}
	return "Stable"
}

// assignor is what most members ask for; the one that comes first in the list
// of those that there are wins a tie.
func (g *group) assignor(known []string) string {
	best := known[0]
	for _, name := range known {
		if g.assignors[name] > g.assignors[best] {
			best = name
		}
	}
	return best
}
