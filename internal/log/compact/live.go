package compact

// liveMost bounds the set of live offsets: 16 MiB, for a range of 134 million.
const liveMost = 1 << 27

// live is the set of offsets in [from, to) that are the last of their keys: one
// bit each. The second pass needs no key to decide on them, and no record of a
// batch that has none.
type live struct {
	from, to int64
	words    []uint64
}

// liveOf takes the set out of a table that knows all offsets in [from, to). It is
// nil where the range is too large: then keys decide.
func liveOf(k *Keys, from, to int64) *live {
	if to <= from || to-from > liveMost {
		return nil
	}
	l := &live{from: from, to: to, words: make([]uint64, (to-from+63)/64)}
	for i := range k.slots {
		if at := k.slots[i].next - 1 - from; k.slots[i].next > 0 && at >= 0 && at < to-from {
			l.words[at/64] |= 1 << (at % 64)
		}
	}
	return l
}

// covers tells whether the set decides on all of [first, last].
func (l *live) covers(first, last int64) bool { return l != nil && first >= l.from && last < l.to }

func (l *live) has(offset int64) bool {
	at := offset - l.from
	return l.words[at/64]>>(at%64)&1 == 1
}

// none tells whether no offset of [first, last] is in the set, which covers it.
func (l *live) none(first, last int64) bool {
	first, last = first-l.from, last-l.from
	for w := first / 64; w <= last/64; w++ {
		word := l.words[w]
		if w == first/64 {
			word = word >> (first % 64) << (first % 64)
		}
		if w == last/64 {
			word = word << (63 - last%64) >> (63 - last%64)
		}
		if word != 0 {
			return false
		}
	}
	return true
}
