package controller

import (
	"cmp"
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// placer chooses brokers for the replicas of new partitions. It walks a ring:
// the live brokers, interleaved by rack, so that neighbours are in different
// racks where there are several. Each partition begins one further than the
// one before, beginning with the number of partitions there are, so leaders
// spread evenly over topics of one partition too; nothing is drawn by chance.
type placer struct {
	ring   []*metadata.Broker // the live brokers first, then the fenced
	live   int                // how many of them are live
	next   int                // where the next partition begins
	rounds int                // partitions placed, for the shift of followers
}

// placer looks at the brokers as they are now.
func (c *Controller) placer() *placer {
	p := &placer{next: c.image().PartitionCount()}
	var live, fenced []*metadata.Broker
	for b := range c.image().Brokers() {
		switch {
		case cordoned(b), reserved(b):
			// takes no new replicas
		case b.Live():
			live = append(live, b)
		default:
			fenced = append(fenced, b)
		}
	}
	p.live = len(live)
	p.ring = append(interleave(live), interleave(fenced)...)
	p.rounds = p.next
	return p
}

// interleave orders brokers so that racks alternate: the first of each rack,
// then the second of each, …; racks by name, brokers by id.
func interleave(brokers []*metadata.Broker) []*metadata.Broker {
	place := make(map[int32]int) // of the broker within its rack
	seen := make(map[string]int)
	for _, b := range brokers { // by id
		place[b.ID] = seen[b.Rack]
		seen[b.Rack]++
	}
	ordered := slices.Clone(brokers)
	slices.SortFunc(ordered, func(a, b *metadata.Broker) int {
		return cmp.Or(cmp.Compare(place[a.ID], place[b.ID]), cmp.Compare(a.Rack, b.Rack), cmp.Compare(a.ID, b.ID))
	})
	return ordered
}

// partitions places n partitions of so many replicas each.
func (p *placer) partitions(n, replicas int) ([][]int32, error) {
	unable := func(reason string, args ...any) error {
		return wire.Errorf(wire.InvalidReplicationFactor, "Unable to replicate the partition %d time(s): "+reason, append([]any{replicas}, args...)...)
	}
	switch {
	case replicas <= 0:
		return nil, unable("Invalid replication factor %d: the replication factor must be positive.", replicas)
	case n <= 0:
		return nil, wire.Errorf(wire.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.")
	case p.live == 0:
		return nil, unable("All brokers are currently fenced, or have all their log directories cordoned.")
	case replicas > len(p.ring):
		return nil, unable("The target replication factor of %d cannot be reached because only %d broker(s) are registered or some brokers have all their log directories cordoned.", replicas, len(p.ring))
	}
	all := make([]int32, 0, n*replicas) // one allocation for all lists
	lists := make([][]int32, 0, n)
	for range n {
		begin := len(all)
		all = p.one(all, replicas)
		lists = append(lists, all[begin:len(all):len(all)])
	}
	return lists, nil
}

// one appends the replicas of the next partition: a live leader, then
// followers round the ring of live brokers, from racks that have none first;
// fenced brokers only where the live ones do not suffice.
func (p *placer) one(dst []int32, replicas int) []int32 {
	begin := len(dst)
	leader := p.next % p.live
	// Followers begin further along with each round of leaders, so that the
	// load of a lost leader spreads over all others.
	shift := 0
	if p.live > 1 {
		shift = (p.rounds / p.live) % (p.live - 1)
	}
	p.next++
	p.rounds++
	dst = append(dst, p.ring[leader].ID)
	if replicas == 1 {
		return dst
	}
	used := map[string]bool{p.ring[leader].Rack: true}
	follower := func(i int) *metadata.Broker { // 0 .. live-2
		return p.ring[(leader+1+(i+shift)%(p.live-1))%p.live]
	}
	for _, anyRack := range []bool{false, true} {
		for i := 0; i < p.live-1 && len(dst)-begin < replicas; i++ {
			b := follower(i)
			if (anyRack || !used[b.Rack]) && !slices.Contains(dst[begin:], b.ID) {
				used[b.Rack] = true
				dst = append(dst, b.ID)
			}
		}
	}
	for i := p.live; len(dst)-begin < replicas; i++ {
		dst = append(dst, p.ring[i].ID)
	}
	return dst
}
