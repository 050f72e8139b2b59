package consumer

import (
	"slices"
	"time"

	"ottla/internal/group/kind"
	"ottla/internal/wire"
)

// heartbeat steps a Heartbeat: the member is made or renewed, the group gets
// another target if it needs one, and the member goes a step towards it.
func (k *Kind) heartbeat(t *kind.Turn, c *Heartbeat) error {
	if err := k.valid(c); err != nil {
		return err
	}
	if c.Epoch == leaving || c.Epoch == leavingSoon {
		return k.leave(t, c)
	}
	e, err := k.open(t, c)
	if err != nil {
		return err
	}
	if c.MemberID == "" {
		c.MemberID = c.NewID
	}
	if e.g.members[c.MemberID] == nil && len(e.g.members) >= k.s.MaxSize {
		return wire.Errorf(wire.GroupMaxSizeReached, "The consumer group has reached its maximum capacity of %d members.", k.s.MaxSize)
	}
	owned := slotsOf(c.Owned)
	old, err := k.find(e, c, owned)
	if err != nil {
		return err
	}
	m := old.renewed(c)
	changed, err := e.subscribe(old, m)
	if err != nil {
		return err
	}
	e.refresh(changed.bump || e.anew || e.g.epoch == 0)
	e.assign()
	now, err := e.reconcile(e.g.members[m.id], changed.any, owned, c.SaidOwned)
	if err != nil {
		return err
	}
	k.alive(t, e.g.id, now)
	beat := Beat{MemberID: now.id, Epoch: now.epoch, Interval: k.interval(e.g.id)}
	if c.Epoch == joining || c.full() || !samePlaces(old.assigned, now.assigned) {
		beat.Assigned, beat.Assignment = true, now.assigned.parts(false)
	}
	t.Answer(beat)
	return nil
}

// full tells whether a member says everything, as it does after an error.
func (c *Heartbeat) full() bool {
	return c.RebalanceMs != -1 && (c.SaidTopics || c.Regex != nil) && c.SaidOwned
}

// interval is when a member shall report again.
func (k *Kind) interval(group string) time.Duration {
	if d := k.s.Of(group).Heartbeat; d > 0 {
		return d
	}
	return k.s.Pace()
}

// renewed is the member with what a heartbeat says anew.
func (m *member) renewed(c *Heartbeat) *member {
	n := *m
	n.said.ClientID, n.said.ClientHost, n.said.Classic = c.ClientID, c.ClientHost, nil
	if c.InstanceID != nil {
		n.said.InstanceID = c.InstanceID
	}
	if c.RackID != nil {
		n.said.RackID = c.RackID
	}
	if c.RebalanceMs != -1 {
		n.said.RebalanceMs = c.RebalanceMs
	}
	if c.Assignor != nil {
		n.said.Assignor = c.Assignor
	}
	if c.SaidTopics {
		n.said.Topics = distinct(c.Topics)
	}
	if c.Regex != nil {
		n.said.Regex = c.Regex
	}
	return &n
}

// distinct sorts names, each once; nil when there is none.
func distinct(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

// alive starts a member's session anew.
func (k *Kind) alive(t *kind.Turn, group string, m *member) {
	t.Timer(sessionKey{group, m.id}, m.session(k.s.Of(group).Session), sessionDue{group, m.id})
}

// watchRevoking gives a member its rebalance timeout to give up what it must.
// Classic members are watched by their joins and syncs.
func (k *Kind) watchRevoking(t *kind.Turn, group string, m *member) {
	if m.classic() {
		return
	}
	if m.state == unrevoked {
		t.Timer(rebalanceKey{group, m.id}, m.rebalance(), rebalanceDue{group, m.id, m.epoch})
	}
}

// forget takes all of a member's timers away.
func (e *edit) forget(id string) {
	e.t.Cancel(sessionKey{e.g.id, id})
	e.t.Cancel(rebalanceKey{e.g.id, id})
	e.t.Cancel(joinKey{e.g.id, id})
	e.t.Cancel(syncKey{e.g.id, id})
	if e.g.late[id] {
		e.then(func(g *group) { delete(g.late, id) })
	}
}

// subscription tells how a heartbeat changed what a member reads.
type subscription struct {
	any  bool // it reads something else now
	bump bool // and the target must follow at once
}

// subscribe writes what a member says anew.
func (e *edit) subscribe(old, m *member) (subscription, error) {
	isNew := e.g.members[m.id] == nil
	names := !slices.Equal(old.said.Topics, m.said.Topics)
	sub, err := e.changeRegex(old, m)
	if err != nil {
		return sub, err
	}
	if isNew || !m.sameSaid(old) {
		e.said(m)
	}
	sub.any = sub.any || names
	sub.bump = sub.bump || names
	e.resolve()
	return sub, nil
}
