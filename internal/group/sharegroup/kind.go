package sharegroup

import (
	"maps"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// Kind holds the share groups of a partition.
type Kind struct {
	kind.Book[*group]
	s    Settings
	host kind.Host
}

// New makes the kind for a machine.
func New(s Settings) func(kind.Host) kind.Kind {
	return func(h kind.Host) kind.Kind {
		return &Kind{Book: kind.NewBook(schema.ShareGroupMetadata, newGroup, s.Count), s: s, host: h}
	}
}

// Type implements kind.Kind.
func (k *Kind) Type() kind.Type { return kind.Share }

// Owns implements kind.Kind.
func (k *Kind) Owns(recordType int16) bool {
	return recordType >= schema.ShareMember && recordType <= schema.ShareState
}

// sessionKey and sessionDue: a member was silent for its session timeout.
type (
	sessionKey struct{ group, member string }
	sessionDue struct{ group, member string }
	// told: somebody heard of members that are gone.
	told struct{}
)

// Step implements kind.Kind. This is the table of all commands and timers.
func (k *Kind) Step(t *kind.Turn, cmd any) (bool, error) {
	var err error
	switch c := cmd.(type) {
	case Heartbeat:
		err = k.heartbeat(t, &c)
	case Describe:
		err = k.describe(t, &c)
	case States:
		err = k.tellStates(t, &c)
	case AddStates:
		err = k.addStates(t, &c)
	case DropStates:
		err = k.dropStates(t, &c)
	case sessionDue:
		k.sessionDue(t, c)
	case told:
	default:
		return false, nil
	}
	return true, err
}

// Loaded implements kind.Kind: every member has its whole session to come
// again, and topics may have changed.
func (k *Kind) Loaded(t *kind.Turn) {
	for _, id := range k.IDs() {
		g := k.Groups[id]
		for _, m := range g.ids() {
			k.alive(t, id, m)
		}
		t.Then(func() { g.stale = true })
	}
}

// Expires implements kind.Kind: where a share group stands does not expire.
func (k *Kind) Expires() bool { return false }

// Show implements kind.Kind.
func (k *Kind) Show(id string) kind.Shown {
	g := k.Groups[id]
	if g == nil {
		return kind.Shown{State: "Dead"}
	}
	return kind.Shown{State: g.state(), ProtocolType: protocolType, Members: len(g.members)}
}

// protocolType is what ListGroups tells of share groups.
const protocolType = "share"

// Subscribed implements kind.Kind.
func (k *Kind) Subscribed(id, topic string) bool {
	g := k.Groups[id]
	return g != nil && g.reads(topic)
}

// TopicsChanged implements kind.Kind: groups that read one of the topics look
// at them again with the next heartbeat.
func (k *Kind) TopicsChanged(t *kind.Turn, names []string) {
	for _, g := range k.Groups {
		if slices.ContainsFunc(names, g.reads) {
			t.Then(func() { g.stale = true })
		}
	}
}

// Bury implements kind.Kind.
func (k *Kind) Bury(t *kind.Turn, id string) {
	g := k.Groups[id]
	if g == nil {
		return
	}
	e := k.edit(t, g)
	for _, m := range g.ids() {
		e.remove(m)
	}
	e.write(schema.ShareState, "", nil)
	e.write(schema.ShareTarget, "", nil)
	e.write(schema.ShareGroupMetadata, "", nil)
}

// Size implements kind.Entry.
func (g *group) Size() int { return len(g.members) }

// Records tells all of a group.
func (g *group) Records() []coordinator.Record {
	var out []coordinator.Record
	write := func(recordType int16, member string, value []byte) {
		key := schema.AppendKey(nil, schema.Key{Type: recordType, Group: g.id, Member: member})
		out = append(out, coordinator.Record{Key: key, Value: value})
	}
	write(schema.ShareGroupMetadata, "", schema.AppendShareGroup(nil, schema.ShareGroupValue{Epoch: g.epoch, Hash: g.hash}))
	for _, id := range g.ids() {
		write(schema.ShareMember, id, schema.AppendShareMember(nil, g.members[id].said))
	}
	for _, id := range slices.Sorted(maps.Keys(g.target)) {
		write(schema.ShareTargetMember, id, schema.AppendTargetMember(nil, g.target[id]))
	}
	write(schema.ShareTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: g.targetEpoch, AtMs: g.targetAt}))
	for _, id := range g.ids() {
		write(schema.ShareCurrent, id, schema.AppendShareCurrent(nil, g.members[id].current()))
	}
	if s := g.states; len(s.Initializing)+len(s.Initialized)+len(s.Deleting) > 0 {
		write(schema.ShareState, "", schema.AppendShareState(nil, s))
	}
	return out
}

// current is where a member stands, as it is stored.
func (m *member) current() schema.ShareCurrentValue {
	return schema.ShareCurrentValue{Epoch: m.epoch, Previous: m.previous, Assigned: m.assigned}
}

var _ kind.Kind = (*Kind)(nil)
