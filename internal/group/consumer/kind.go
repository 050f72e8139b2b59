package consumer

import (
	"maps"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// Kind holds the consumer groups of a partition.
type Kind struct {
	kind.Book[*group]
	s    Settings
	host kind.Host
}

// New makes the kind for a machine.
func New(s Settings) func(kind.Host) kind.Kind {
	return func(h kind.Host) kind.Kind {
		return &Kind{Book: kind.NewBook(schema.ConsumerGroupMetadata, newGroup, s.Count), s: s, host: h}
	}
}

// Type implements kind.Kind.
func (k *Kind) Type() kind.Type { return kind.Consumer }

// Owns implements kind.Kind.
func (k *Kind) Owns(recordType int16) bool {
	switch recordType {
	case schema.ConsumerGroupMetadata, schema.ConsumerPartitionMetadata, schema.ConsumerMember,
		schema.ConsumerTarget, schema.ConsumerTargetMember, schema.ConsumerCurrent, schema.ConsumerRegex:
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
		k.rebalanceDue(t, c)
	case joinDue:
		k.fenceDue(t, c.group, c.member)
	case syncDue:
		k.fenceDue(t, c.group, c.member)
	case resolved:
		k.resolved(t, &c)
	default:
		return false, nil
	}
	return true, err
}

// Apply implements kind.Kind. What earlier Kafkas wrote of partitions is read
// by nobody, and makes no group.
func (k *Kind) Apply(key schema.Key, value []byte) {
	if key.Type != schema.ConsumerPartitionMetadata {
		k.Book.Apply(key, value)
	}
}

// Loaded implements kind.Kind: every member has its whole session to come
// again, and time to give up what it must.
func (k *Kind) Loaded(t *kind.Turn) {
	for _, id := range k.IDs() {
		g := k.Groups[id]
		for _, m := range g.ids {
			k.alive(t, id, g.members[m])
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

// protocolType is what ListGroups tells of consumers of either protocol.
const protocolType = "consumer"

// Subscribed implements kind.Kind.
func (k *Kind) Subscribed(id, topic string) bool {
	g := k.Groups[id]
	return g != nil && g.reads(topic)
}

// TopicsChanged implements kind.Kind: groups that read one of the topics look
// at them again with the next heartbeat.
func (k *Kind) TopicsChanged(t *kind.Turn, names []string) {
	var stale []*group
	for _, g := range k.Groups {
		if len(g.readers) > 0 || slices.ContainsFunc(names, g.reads) {
			stale = append(stale, g)
		}
	}
	if len(stale) > 0 {
		t.Then(func() {
			for _, g := range stale {
				g.stale = true
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

// Records tells all of a group. The members come first, as they are what the
// rest is about.
func (g *group) Records() []coordinator.Record {
	var out []coordinator.Record
	write := func(recordType int16, member string, value []byte) {
		key := schema.AppendKey(nil, schema.Key{Type: recordType, Group: g.id, Member: member})
		out = append(out, coordinator.Record{Key: key, Value: value})
	}
	write(schema.ConsumerGroupMetadata, "", schema.AppendConsumerGroup(nil, schema.ConsumerGroupValue{Epoch: g.epoch, Hash: g.hash}))
	for _, id := range g.ids {
		write(schema.ConsumerMember, id, schema.AppendConsumerMember(nil, g.members[id].said))
	}
	for _, regex := range slices.Sorted(maps.Keys(g.regexes)) {
		write(schema.ConsumerRegex, regex, schema.AppendRegex(nil, g.regexes[regex]))
	}
	for _, id := range slices.Sorted(maps.Keys(g.target)) {
		write(schema.ConsumerTargetMember, id, schema.AppendTargetMember(nil, g.target[id].parts(false)))
	}
	write(schema.ConsumerTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: g.targetEpoch, AtMs: g.targetAt}))
	for _, id := range g.ids {
		write(schema.ConsumerCurrent, id, schema.AppendCurrent(nil, g.members[id].current()))
	}
	return out
}

var (
	_ kind.Kind      = (*Kind)(nil)
	_ kind.Committer = (*Kind)(nil)
	_ kind.Mixed     = (*Kind)(nil)
)
