package streams

import (
	"maps"
	"slices"
	"time"

	"ottla/internal/group/schema"
)

// group is a streams group. What is durable changes in apply alone; a turn that
// must see its own records works on a clone.
type group struct {
	id string
	// meta has the group's epoch, which rises with every change that asks for
	// another assignment; targetEpoch is the one that the target was made for,
	// targetAt when, in milliseconds since 1970.
	meta        schema.StreamsGroupValue
	targetEpoch int32
	targetAt    int64
	topology    *schema.StreamsTopologyValue
	members     map[string]*member
	ids         []string // of the members, sorted
	target      map[string]roleTasks
	instances   map[string]string // member ids by instance id
	// owners tells who has a task as an active one, until it gave it up.
	owners map[place]string

	// Soft state, changed when a turn is accepted.
	soft *soft
}

// soft is what a group knows and does not write. A turn changes it in
// kind.Turn.Then alone.
type soft struct {
	// plan is the topology over the topics that there are; nil before the first
	// look. stale tells that the topics must be looked at again.
	plan   *plan
	stale  bool
	looked time.Time // when the topics were last looked at, by the clock of time-outs
	// delayed tells that a new group waits for more members.
	delayed  bool
	assigned time.Time // when the target was made, by the clock of time-outs
	// endpointEpoch rises when somebody's tasks change.
	endpointEpoch int32
	// shutdown is the member that asked all to stop.
	shutdown string
	offsets  map[string]progress
	// creating tells that internal topics are being made, failed why some were
	// not, by name.
	creating bool
	failed   map[string]string
}

// progress is how far a member has come.
type progress struct{ offsets, ends []TaskOffset }

func newGroup(id string) *group {
	return &group{
		id: id, meta: schema.StreamsGroupValue{Validated: -1}, members: map[string]*member{}, target: map[string]roleTasks{},
		instances: map[string]string{}, owners: map[place]string{},
		soft: &soft{stale: true, endpointEpoch: -1, offsets: map[string]progress{}, failed: map[string]string{}},
	}
}

// clone is a copy to be changed; members and tasks are shared, for nobody
// changes them. The soft state is the group's own.
func (g *group) clone() *group {
	c := *g
	c.members, c.target, c.instances = maps.Clone(g.members), maps.Clone(g.target), maps.Clone(g.instances)
	c.owners, c.ids = maps.Clone(g.owners), slices.Clone(g.ids)
	return &c
}

// Apply takes over a record of the group; a nil value is a tombstone. What
// cannot be read is passed over.
func (g *group) Apply(k schema.Key, value []byte) {
	switch k.Type {
	case schema.StreamsGroupMetadata:
		if v, err := schema.ParseStreamsGroup(value); err == nil {
			g.meta = v
		}
	case schema.StreamsTopology:
		g.applyTopology(value)
	case schema.StreamsTarget:
		g.applyTarget(value)
	case schema.StreamsTargetMember:
		if value == nil {
			delete(g.target, k.Member)
		} else if v, err := schema.ParseStreamsTarget(value); err == nil {
			g.target[k.Member] = roleTasksOf(v)
		}
	case schema.StreamsMember:
		g.applyMember(k.Member, value)
	case schema.StreamsCurrent:
		g.applyCurrent(k.Member, value)
	}
}

func (g *group) applyTopology(value []byte) {
	if value == nil {
		g.topology = nil
		return
	}
	if v, err := schema.ParseStreamsTopology(value); err == nil {
		g.topology = &v
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
	v, err := schema.ParseStreamsMember(value)
	if err != nil {
		return
	}
	n := *newMember(id)
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
			n := newMember(id)
			n.said, n.epoch, n.previous = old.said, leaving, leaving
			g.put(id, n)
		}
		return
	}
	v, err := schema.ParseStreamsCurrent(value)
	if err != nil {
		return
	}
	n := newMember(id)
	if old != nil {
		n.said = old.said
	}
	n.epoch, n.previous, n.state = v.Epoch, v.Previous, state(v.State)
	n.assigned, n.revoking = roleTasksOf(v.Assigned), roleTasksOf(v.Revoking)
	g.put(id, n)
}

// put puts a member in place of the one with its id; nil takes it out.
func (g *group) put(id string, n *member) {
	if old := g.members[id]; old != nil {
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
	if i := n.instance(); i != "" {
		g.instances[i] = id
	}
	for _, list := range []tasks{n.assigned[active], n.revoking[active]} {
		for _, x := range list {
			g.owners[x.place] = id
		}
	}
}

// disown frees what is a member's. What another has by now, which a log that is
// replayed may bring, stays that one's.
func (g *group) disown(m *member) {
	for _, list := range []tasks{m.assigned[active], m.revoking[active]} {
		for _, x := range list {
			if g.owners[x.place] == m.id {
				delete(g.owners, x.place)
			}
		}
	}
	if i := m.instance(); i != "" && g.instances[i] == m.id {
		delete(g.instances, i)
	}
}

// static gives the member with an instance id, nil when there is none.
func (g *group) static(instance string) *member {
	if instance == "" {
		return nil
	}
	return g.members[g.instances[instance]]
}

// reads tells whether the application reads a topic or has it as an internal
// one.
func (g *group) reads(name string) bool {
	if g.topology == nil {
		return false
	}
	_, ok := slices.BinarySearch(topicsOf(g.topology), name)
	return ok
}

// state is the group's, by its name in Kafka.
func (g *group) state() string {
	switch {
	case len(g.members) == 0:
		return "Empty"
	case g.topology == nil || g.meta.Validated != g.topology.Epoch:
		return "NotReady"
	case g.meta.Epoch > g.targetEpoch:
		return "Assigning"
	}
	for _, m := range g.members {
		if !m.settled(g.targetEpoch) {
			return "Reconciling"
		}
	}
	return "Stable"
}
