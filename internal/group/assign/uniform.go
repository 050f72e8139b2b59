package assign

// Uniform gives every member the same number of partitions, or one more.
func Uniform(s *Spec) [][]Part {
	if len(s.Members) == 0 {
		return [][]Part{}
	}
	sh := newSharing(s)
	if s.alike() {
		sh.even()
	} else {
		sh.mixed()
	}
	return sh.result()
}

// even shares out among members that all read the same. Everybody keeps what
// it had up to its share; what is left over goes to those with less, near ones
// first.
func (sh *sharing) even() {
	var all []int
	for _, t := range sh.spec.Members[0].Topics {
		for p := sh.first[t]; p < sh.first[t+1]; p++ {
			all = append(all, p)
		}
	}
	n := len(sh.spec.Members)
	share, more := len(all)/n, len(all)%n
	// who may have one more: those that had more already, then by place
	most := sh.shares(all, share, more)
	sh.keep(all, most, true)
	sh.spread(all, most, true)
	sh.keep(all, most, false)
	sh.spread(all, most, false)
}

// shares tells how many partitions each member shall have.
func (sh *sharing) shares(all []int, share, more int) []int {
	had := make([]int, len(sh.load))
	for _, p := range all {
		if m := sh.before[p]; m != nobody {
			had[m]++
		}
	}
	most := make([]int, len(had))
	for m := range most {
		most[m] = share
		if had[m] > share && more > 0 {
			most[m]++
			more--
		}
	}
	for _, m := range sh.spec.places() {
		if more > 0 && most[m] == share {
			most[m]++
			more--
		}
	}
	return most
}

// keep lets members keep what they had, as long as there is room; nearOnly
// passes over what is far from its member.
func (sh *sharing) keep(all, most []int, nearOnly bool) {
	for _, p := range all {
		m := int(sh.before[p])
		if sh.owner[p] == nobody && m != nobody && sh.load[m] < most[m] && (!nearOnly || sh.near(m, p)) {
			sh.give(m, p)
		}
	}
}

// spread gives the partitions without an owner to members with room, going
// round so that one topic does not end up at one member; nearOnly gives to near
// members alone. Partitions that are far from the member that had them wait for
// a near one in the first round.
func (sh *sharing) spread(all, most []int, nearOnly bool) {
	if nearOnly && !sh.racks {
		return
	}
	order := sh.spec.places()
	open := make([]int, 0, len(order))
	for _, m := range order {
		if sh.load[m] < most[m] {
			open = append(open, m)
		}
	}
	next := 0
	for _, p := range all {
		if sh.owner[p] != nobody {
			continue
		}
		for range open {
			if next >= len(open) {
				next = 0
			}
			m := open[next]
			if nearOnly && !sh.near(m, p) {
				next++
				continue
			}
			sh.give(m, p)
			if sh.load[m] == most[m] {
				open = append(open[:next], open[next+1:]...)
			} else {
				next++
			}
			break
		}
	}
}
