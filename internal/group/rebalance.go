package group

import (
	"time"

	"ottla/internal/wire"
)

// rebalanceOrComplete goes on after a change of the members: a rebalance
// begins, or the one that runs may now be complete.
func (t *turn) rebalanceOrComplete(d *live) {
	if d.state == PreparingRebalance {
		t.completeIfJoined(d)
		return
	}
	t.prepare(d)
}

// completeIfJoined ends the waiting for joins when nobody is waited for. An
// empty group that became one waits its initial delay out first.
func (t *turn) completeIfJoined(d *live) {
	if d.state == PreparingRebalance && d.before != Empty && d.allJoined() {
		t.complete(d)
	}
}

// prepare begins a rebalance. The members learn of it by their heartbeats. A
// group that was empty waits for more members first
// (group.initial.rebalance.delay.ms, KIP-134).
func (t *turn) prepare(d *live) {
	if d.state == CompletingRebalance {
		t.failSyncs(d)
	}
	t.dropSyncs(d)
	initial := d.state == Empty
	d.to(PreparingRebalance, t.wall)
	wait := d.members.rebalanceTime()
	switch {
	case initial:
		d.lastJoin = t.now
		t.timer(joinKey{t.id}, t.m.s.InitialDelay, joinDue{t.id, true, t.now.Add(max(wait, t.m.s.InitialDelay))})
	case d.allJoined():
		t.complete(d)
	default:
		t.timer(joinKey{t.id}, wait, joinDue{group: t.id})
	}
}

// failSyncs sends those who wait for the assignment back to joining.
func (t *turn) failSyncs(d *live) {
	for i := range d.members {
		m := d.change(i)
		m.assignment = nil
		if m.sync != 0 {
			t.reply(m.sync, SyncReply{Code: wire.RebalanceInProgress})
			m.sync = 0
			t.alive(t.id, m)
		}
	}
}

// dropSyncs forgets who has not synced yet.
func (t *turn) dropSyncs(d *live) {
	for i := range d.members {
		if d.members[i].owesSync {
			d.change(i).owesSync = false
		}
	}
	t.cancel(syncKey{t.id})
}

// joinDue ends the wait for joins. While an empty group waits, each new member
// moves the end, until it has been quiet for the delay or the rebalance
// timeout is over. (Kafka looks only once a delay, so it can wait almost twice
// as long for the same quiet.)
func (t *turn) joinDue(c joinDue) {
	g := t.m.groups[c.group]
	if g == nil || g.live.state != PreparingRebalance {
		return
	}
	if c.initial && g.live.before == Empty {
		quiet := g.live.lastJoin.Add(t.m.s.InitialDelay)
		if quiet.After(t.now) && c.end.After(t.now) {
			t.timer(joinKey{c.group}, earlier(quiet, c.end).Sub(t.now), c)
			return
		}
	}
	t.complete(t.edit(c.group, g.live))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// complete makes the next generation of those who joined. Dynamic members that
// did not are out; static ones keep their place until their session ends.
func (t *turn) complete(d *live) {
	t.cancel(joinKey{t.id})
	for i := len(d.members) - 1; i >= 0; i-- {
		if m := d.members[i]; m.join == 0 && m.instanceID == nil {
			t.remove(d, m.id)
			t.cancel(sessionKey{t.id, m.id})
		}
	}
	if len(d.members) > 0 && !d.elect() {
		// Only static members are left and none has come: wait on.
		t.timer(joinKey{t.id}, d.members.rebalanceTime(), joinDue{group: t.id})
		return
	}
	d.generation++
	if len(d.members) == 0 {
		d.protocol = nil
		d.learnTopics()
		d.to(Empty, t.wall)
		t.store(d)
		return
	}
	chosen := d.members.choose()
	d.protocol = &chosen
	d.learnTopics()
	d.to(CompletingRebalance, t.wall)
	for i := range d.members {
		m := d.change(i)
		t.reply(m.join, d.joined(m.id))
		m.join, m.isNew, m.owesSync = 0, false, true
		t.alive(t.id, m)
	}
	t.timer(syncKey{t.id}, d.members.rebalanceTime(), syncDue{t.id, d.generation})
}

// elect makes sure that the leader has joined; false when nobody has.
func (d *live) elect() bool {
	if m := d.members.get(d.leader); m != nil && m.join != 0 {
		return true
	}
	for _, m := range d.members {
		if m.join != 0 {
			d.leader = m.id
			return true
		}
	}
	return false
}
