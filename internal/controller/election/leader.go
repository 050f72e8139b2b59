package election

import (
	"slices"

	"ottla/internal/metadata"
)

// elect finds who leads. The present leader goes on where it may; else the
// first of the replicas, by preference, that is in sync; where none is left in
// sync, the first that is eligible. What is no clean choice comes after these:
// the leader that was the last, when nobody is left to be preferred to it, and
// anybody alive where the rules allow it.
func (d *draft) elect(preferred bool, r Rules) {
	lead := func(id int32) bool {
		in := slices.Contains(d.isr, id) || len(d.isr) == 0 && slices.Contains(d.elr, id)
		return in && r.MayLead(d.was, id)
	}
	first := func(may func(int32) bool) (int32, bool) {
		if at := slices.IndexFunc(d.replicas, may); at >= 0 {
			return d.replicas[at], true
		}
		return metadata.NoLeader, false
	}
	if preferred && lead(d.replicas[0]) {
		d.lead(d.replicas[0])
		return
	}
	if d.leader >= 0 && lead(d.leader) {
		d.lead(d.leader)
		return
	}
	id, ok := first(lead)
	if !ok {
		id, ok = d.lastLeader(r)
		if !ok && r.Unclean {
			id, ok = first(func(id int32) bool { return r.MayLead(d.was, id) })
		}
		d.unclean = ok
	}
	d.lead(id)
}

// lastLeader is the leader that was the last when nobody is in sync or eligible
// any more: no other has more records, and whoever waited for it would wait in
// vain (KIP-966's balanced recovery).
func (d *draft) lastLeader(r Rules) (int32, bool) {
	if len(d.isr)+len(d.elr) > 0 || len(d.was.LastELR) != 1 {
		return metadata.NoLeader, false
	}
	id := d.was.LastELR[0]
	if !slices.Contains(d.replicas, id) || !r.MayLead(d.was, id) {
		return metadata.NoLeader, false
	}
	return id, true
}

// lead puts a leader at its place: one that comes from outside the ISR is all
// that is in sync.
func (d *draft) lead(id int32) {
	d.leader = id
	switch {
	case id < 0:
	case d.unclean:
		d.isr, d.elr = []int32{id}, nil
	case !slices.Contains(d.isr, id):
		d.isr, d.elr = []int32{id}, Without(d.elr, id)
	}
}
