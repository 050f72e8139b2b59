package streams

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// heartbeat steps a Heartbeat: the member is made or renewed, the topology
// looked at, the group gets another target if it needs one, and the member goes
// a step towards it.
func (k *Kind) heartbeat(t *kind.Turn, c *Heartbeat) error {
	if err := valid(c); err != nil {
		return err
	}
	if c.Epoch == leaving || c.Epoch == leavingSoon {
		return k.leave(t, c)
	}
	e, err := k.open(t, c)
	if err != nil {
		return err
	}
	if e.g.members[c.MemberID] == nil && len(e.g.members) >= k.s.MaxSize {
		return wire.Errorf(wire.GroupMaxSizeReached, "The streams group has reached its maximum capacity of %d members.", k.s.MaxSize)
	}
	owned := roleTasksOf(c.Owned)
	old, err := k.find(e, c, owned)
	if err != nil {
		return err
	}
	m := old.renewed(c)
	first := len(e.g.members) == 0
	must, err := e.subscribe(old, m, c)
	if err != nil {
		return err
	}
	p := e.look()
	if err := p.ownsWhatThereIs(owned); err != nil {
		return err
	}
	e.refresh(must)
	if first {
		e.delay()
	}
	done := !(first && k.s.Of(c.Group).Delay > 0) && e.assign()
	e.create(p)
	now := e.reconcile(e.g.members[m.id], owned, c.saidAll())
	k.alive(t, c.Group, now.id)
	t.Answer(e.beat(c, old, now, done))
	return nil
}

// subscribe writes what a member says anew, and the topology if it brings the
// group's first; true when the group must be assigned anew.
func (e *edit) subscribe(old, m *member, c *Heartbeat) (bool, error) {
	must := e.g.members[m.id] == nil || !m.sameSaid(old)
	if must {
		e.said(m)
	}
	if c.Topology == nil {
		return must, nil
	}
	return must, e.bring(c.Topology)
}

// bring takes over a group's first topology; a later one must be the same. One
// of an older epoch is let pass: the member hears of it.
func (e *edit) bring(t *schema.StreamsTopologyValue) error {
	t = ordered(t)
	have := e.g.topology
	switch {
	case have == nil:
		e.write(schema.StreamsTopology, "", schema.AppendStreamsTopology(nil, *t))
	case have.Epoch > t.Epoch:
	case !sameTopology(have, t):
		return wire.Errorf(wire.InvalidRequest, "Topology updates are not supported yet.")
	}
	return nil
}

// ordered is a topology with what has no order of its own sorted.
func ordered(t *schema.StreamsTopologyValue) *schema.StreamsTopologyValue {
	o := schema.StreamsTopologyValue{Epoch: t.Epoch, Subtopologies: slices.Clone(t.Subtopologies)}
	slices.SortFunc(o.Subtopologies, func(a, b schema.Subtopology) int { return strings.Compare(a.ID, b.ID) })
	for i := range o.Subtopologies {
		s := &o.Subtopologies[i]
		for _, list := range []*[]schema.StreamsTopic{&s.Changelogs, &s.Repartitions} {
			*list = slices.Clone(*list)
			for j := range *list {
				(*list)[j].Configs = slices.Clone((*list)[j].Configs)
				slices.SortFunc((*list)[j].Configs, comparePairs)
			}
		}
	}
	return &o
}

func comparePairs(a, b schema.StreamsPair) int {
	if c := strings.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

// sameTopology compares by what would be written.
func sameTopology(a, b *schema.StreamsTopologyValue) bool {
	return reflect.DeepEqual(schema.AppendStreamsTopology(nil, *a), schema.AppendStreamsTopology(nil, *b))
}

// beat is the answer to a member.
func (e *edit) beat(c *Heartbeat, old, now *member, assigned bool) Beat {
	s := e.g.soft
	b := Beat{MemberID: now.id, Epoch: now.epoch, Interval: e.k.interval(c.Group), EndpointEpoch: s.endpointEpoch}
	changed := !old.assigned.samePlaces(now.assigned)
	if changed || !reflect.DeepEqual(old.said.Endpoint, now.said.Endpoint) {
		b.EndpointEpoch++
		e.then(func(s *soft) { s.endpointEpoch++ })
	}
	if c.Epoch == joining || c.full() || changed {
		b.Assigned, b.Tasks = true, now.assigned.value(false)
	}
	if c.EndpointEpoch != b.EndpointEpoch {
		b.SaidEndpoints, b.Endpoints = true, e.endpoints()
	}
	if c.SaidOffsets || c.SaidEnds {
		p := s.offsets[now.id]
		if c.SaidOffsets {
			p.offsets = c.Offsets
		}
		if c.SaidEnds {
			p.ends = c.Ends
		}
		e.then(func(s *soft) { s.offsets[now.id] = p })
	}
	by := s.shutdown
	if c.Shutdown {
		by = now.id
		e.then(func(s *soft) { s.shutdown = by })
	}
	b.Status = e.statuses(c, now, by, assigned)
	return b
}

// full tells whether a member says everything, as it does after an error.
func (c *Heartbeat) full() bool { return c.RebalanceMs != -1 && c.saidAll() }

// statuses are what a member must know that is not an error.
func (e *edit) statuses(c *Heartbeat, m *member, shutdown string, assigned bool) []Status {
	var out []Status
	if m.said.TopologyEpoch < e.g.topology.Epoch {
		out = append(out, Status{StaleTopology, fmt.Sprintf("The member's topology epoch %d is behind the group's topology epoch %d.", m.said.TopologyEpoch, e.g.topology.Epoch)})
	}
	if p := e.look().problem; p != nil {
		s := *p
		if s.Code == MissingInternal {
			s.Detail += e.whyNotMade()
		}
		out = append(out, s)
	}
	if shutdown != "" {
		out = append(out, Status{ShutdownApplication, fmt.Sprintf("Streams group member %s encountered a fatal error and requested a shutdown for the entire application.", shutdown)})
	}
	if !assigned {
		out = append(out, Status{AssignmentDelayed, "The assignment was delayed by the coordinator."})
	}
	var lacks []string
	for _, tag := range e.k.s.Of(c.Group).Tags {
		if m.tag(tag) == "" {
			lacks = append(lacks, tag)
		}
	}
	if len(lacks) > 0 && c.Version >= 1 {
		out = append(out, Status{MissingClientTags, fmt.Sprintf("Missing required client tags for rack-aware standby assignment: %s. Configure them via 'client.tag.<tagKey>' in your Streams config.", strings.Join(lacks, ", "))})
	}
	return out
}

// whyNotMade tells which internal topics could not be made.
func (e *edit) whyNotMade() string {
	failed := e.g.soft.failed
	if len(failed) == 0 {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		list = append(list, name+" ("+failed[name]+")")
	}
	return "; Creation failed: " + strings.Join(list, ", ") + "."
}

// interval is when a member shall report again.
func (k *Kind) interval(group string) time.Duration {
	if d := k.s.Of(group).Heartbeat; d > 0 {
		return d
	}
	return k.s.Pace()
}

// alive starts a member's session anew.
func (k *Kind) alive(t *kind.Turn, group, id string) {
	t.Timer(sessionKey{group, id}, k.s.Of(group).Session, sessionDue{group, id})
}

// watchRevoking gives a member its rebalance timeout to give up what it must.
func (k *Kind) watchRevoking(t *kind.Turn, group string, m *member) {
	if m.state == unrevoked {
		t.Timer(rebalanceKey{group, m.id}, m.rebalance(), rebalanceDue{group, m.id, m.epoch})
	}
}
