package election

// eligible finds who could lead later: those that were in sync, or eligible,
// when fewer than min.insync.replicas stayed. Without the feature only what a
// partition has from before counts, until it has a leader again.
func (d *draft) eligible(lost []int32, r Rules) {
	switch {
	case !r.ELR:
		d.elr = Without(within(d.was.ELR, d.replicas), append(lost[:len(lost):len(lost)], d.isr...)...)
	case len(d.isr) >= d.enough(r):
		d.elr = nil
	default:
		d.elr = Without(Without(within(d.replicas, d.was.ELR, d.was.ISR), d.isr...), lost...)
	}
}

// enough is how many must be in sync for records to be committed.
func (d *draft) enough(r Rules) int { return max(1, min(r.MinISR, len(d.replicas))) }

// settle says what follows from there being a leader, or none.
func (d *draft) settle(r Rules) {
	d.last = within(d.was.LastELR, d.replicas)
	switch {
	case d.leader >= 0:
		d.last = nil
		if !r.ELR || len(d.isr) >= d.enough(r) { // the leader itself may be enough
			d.elr = nil
		}
	case len(d.isr) > 0:
	case !r.ELR && len(d.elr) == 0 && len(d.was.ISR) > 0:
		// Without the feature the last in sync stay on the list: they say who
		// may lead.
		d.isr = within(d.was.ISR, d.replicas)
	case d.was.Leader >= 0 && len(within(d.replicas, []int32{d.was.Leader})) > 0:
		d.last = []int32{d.was.Leader}
	case len(d.elr)+len(d.last) == 0:
		// The last eligible one lost records, and the last leader is no replica
		// any more: nobody has more than the one that was eligible.
		held := within(d.replicas, d.was.ISR, d.was.ELR)
		d.last = held[:min(len(held), 1)]
	}
}
