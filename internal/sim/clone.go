package sim

import "slices"

// Clone copies the disk as it is now, with all that is not synced, for a
// process of its own: handles and locks of this one are not among it. What a
// crash of the clone leaves is drawn from seed. Called from a hook, it sees the
// disk just before the operation.
func (d *Disk) Clone(seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &Disk{capacity: d.capacity, now: d.now, nodes: d.nodes, hits: make(map[Fault]int), off: d.off, cuts: d.cuts}
	c.seed(seed)
	twins := make(map[*node]*node)
	c.root = d.root.clone(twins)
	for _, n := range d.dirty {
		c.dirty = append(c.dirty, n.clone(twins))
	}
	for _, op := range d.pending {
		var twin nameOp
		for _, s := range op.steps {
			s.dir = s.dir.clone(twins)
			if s.node != nil {
				s.node = s.node.clone(twins)
			}
			twin.steps = append(twin.steps, s)
		}
		for _, n := range op.nodes {
			twin.nodes = append(twin.nodes, n.clone(twins))
		}
		c.pending = append(c.pending, twin)
	}
	c.recount()
	return c
}

// clone copies a node and what lies below it, each once.
func (n *node) clone(twins map[*node]*node) *node {
	if t := twins[n]; t != nil {
		return t
	}
	t := &node{
		id: n.id, dir: n.dir, names: n.names, allocated: n.allocated, modified: n.modified,
		live: slices.Clone(n.live), disk: slices.Clone(n.disk), changes: slices.Clone(n.changes),
	}
	twins[n] = t
	for page := range n.forgotten {
		t.forget(page*PageSize, page*PageSize+1)
	}
	if n.dir {
		t.entries, t.durable = make(map[string]*node), make(map[string]*node)
	}
	for name, child := range n.entries {
		t.entries[name] = child.clone(twins)
	}
	for name, child := range n.durable {
		t.durable[name] = child.clone(twins)
	}
	return t
}
