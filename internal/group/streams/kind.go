package streams

import (
	"maps"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// Kind holds the streams groups of a partition.
type Kind struct {
	kind.Book[*group]
	s    Settings
	host kind.Host
}

// New makes the kind for a machine.
func New(s Settings) func(kind.Host) kind.Kind {
	return func(h kind.Host) kind.Kind {
		return &Kind{Book: kind.NewBook(schema.StreamsGroupMetadata, newGroup, s.Count), s: s, host: h}
	}
}

// Type implements kind.Kind.
func (k *Kind) Type() kind.Type { return kind.Streams }

// Owns implements kind.Kind.
func (k *Kind) Owns(recordType int16) bool {
	switch recordType {
	case schema.StreamsGroupMetadata, schema.StreamsMember, schema.StreamsTarget,
		schema.StreamsTargetMember, schema.StreamsCurrent, schema.StreamsTopology:
		return true
	}
	return false
}

// Step implements kind.Kind. This is the table of all commands and timers.
func (k *Kind) Step(t *kind.Turn, cmd any) (bool, error) {
	var err error
	switch c := cmd.(type) {
	case Heartbeat:
		err = k.heartbeat(t, &c)
	case Describe:
		err = k.describe(t, &c)
	case sessionDue:
		k.fenceDue(t, c.group, c.member)
	case rebalanceDue:
		if g := k.Groups[c.group]; g != nil && g.members[c.member] != nil && g.members[c.member].epoch == c.epoch {
			k.fenceDue(t, c.group, c.member)
		}
	case delayDue:
		if g := k.Groups[c.group]; g != nil {
			k.delayDue(k.edit(t, g))
		}
	case created:
		if g := k.Groups[c.group]; g != nil {
			k.created(k.edit(t, g), &c)
		}
	default:
		return false, nil
	}
	return true, err
}

// fenceDue takes out a member whose time is over.
func (k *Kind) fenceDue(t *kind.Turn, group, id string) {
	if g := k.Groups[group]; g != nil && g.members[id] != nil {
		k.edit(t, g).fence(g.members[id])
	}
}

// Loaded implements kind.Kind: every member has its whole session to come
// again, and time to give up what it must.
func (k *Kind) Loaded(t *kind.Turn) {
	for _, id := range k.IDs() {
		g := k.Groups[id]
		for _, m := range g.ids {
			k.alive(t, id, m)
			k.watchRevoking(t, id, g.members[m])
		}
	}
}

// Expires implements kind.Kind.
func (k *Kind) Expires() bool { return true }

// Show implements kind.Kind.
func (k *Kind) Show(id string) kind.Shown {
	g := k.Groups[id]
	if g == nil {
		return kind.Shown{State: "Dead"}
	}
	return kind.Shown{State: g.state(), ProtocolType: protocolType, Members: len(g.members)}
}

// protocolType is what ListGroups tells of streams groups.
const protocolType = "streams"

// Subscribed implements kind.Kind.
func (k *Kind) Subscribed(id, topic string) bool {
	g := k.Groups[id]
	return g != nil && len(g.members) > 0 && g.reads(topic)
}

// TopicsChanged implements kind.Kind: groups of those topics look at them again
// with the next heartbeat.
func (k *Kind) TopicsChanged(t *kind.Turn, names []string) {
	var stale []*group
	for _, g := range k.Groups {
		if slices.ContainsFunc(names, g.reads) {
			stale = append(stale, g)
		}
	}
	if len(stale) > 0 {
		t.Then(func() {
			for _, g := range stale {
				g.soft.stale = true
			}
		})
	}
}

// Bury implements kind.Kind.
func (k *Kind) Bury(t *kind.Turn, id string) {
	if g := k.Groups[id]; g != nil {
		k.edit(t, g).bury()
	}
}

// Size implements kind.Entry.
func (g *group) Size() int { return len(g.members) }

// Records tells all of a group. The members come before what is about them.
func (g *group) Records() []coordinator.Record {
	var out []coordinator.Record
	write := func(recordType int16, member string, value []byte) {
		key := schema.AppendKey(nil, schema.Key{Type: recordType, Group: g.id, Member: member})
		out = append(out, coordinator.Record{Key: key, Value: value})
	}
	write(schema.StreamsGroupMetadata, "", schema.AppendStreamsGroup(nil, g.meta))
	if g.topology != nil {
		write(schema.StreamsTopology, "", schema.AppendStreamsTopology(nil, *g.topology))
	}
	for _, id := range g.ids {
		write(schema.StreamsMember, id, schema.AppendStreamsMember(nil, g.members[id].said))
	}
	for _, id := range slices.Sorted(maps.Keys(g.target)) {
		write(schema.StreamsTargetMember, id, schema.AppendStreamsTarget(nil, g.target[id].value(false)))
	}
	write(schema.StreamsTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: g.targetEpoch, AtMs: g.targetAt}))
	for _, id := range g.ids {
		write(schema.StreamsCurrent, id, schema.AppendStreamsCurrent(nil, g.members[id].current()))
	}
	return out
}

var (
	_ kind.Kind      = (*Kind)(nil)
	_ kind.Committer = (*Kind)(nil)
)
