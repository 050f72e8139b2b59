package pattern

import "slices"

// Match adds the ids of all rules that an event fits to ids, each once, in
// ascending order. An event that is no JSON object, or is deeper or longer than
// the limits, is an *EventError and fits nothing.
func (s *Set) Match(event []byte, m *Matcher, ids []ID) ([]ID, error) {
	if err := m.read(s.root, s.paths, event); err != nil {
		return ids, err
	}
	from := len(ids)
	in := lookup{index: &s.index}
	ids = in.try(m, hashKey(keyAlways, 0, 0, nil), false, ids)
	for i := range m.values {
		if v := &m.values[i]; v.step.uses != nil {
			ids = in.tryValue(m, v.step.uses, v, ids)
		}
	}
	if found := ids[from:]; len(found) > 1 {
		slices.Sort(found)
		ids = ids[:from+len(slices.Compact(found))]
	}
	return ids, nil
}

// lookup is where rules are looked up: in the Set, or in a bucket of it.
type lookup struct {
	index *table[found]
	outer uint64 // the bucket's key; 0: the Set
}

// try tries the rules of a bucket that have a key of another field there.
func (x *inner) try(m *Matcher, outer uint64, ids []ID) []ID {
	in := lookup{&x.index, outer}
	for i := range x.paths {
		p := &x.paths[i]
		for at := m.first(p.path); at >= 0; at = m.values[at].next {
			ids = in.tryValue(m, p.uses, &m.values[at], ids)
		}
	}
	return ids
}

// tryValue tries the rules that are filed by a key of a value; u says which kinds of
// keys there are at its path.
func (in lookup) tryValue(m *Matcher, u *uses, v *value, ids []ID) []ID {
	path := v.step.path
	again := m.several(path)
	if u.whole > 0 {
		ids = in.try(m, v.whole(), again, ids)
	}
	if u.present > 0 {
		ids = in.try(m, hashKey(keyPresent, 0, path, nil), again, ids)
	}
	if v.kind == kindNumber {
		if f, ok := v.numeric(); ok && u.number > 0 {
			var room [8]byte
			ids = in.try(m, hashKey(keyNumber, 0, path, appendNumber(room[:0], f)), again, ids)
		}
		return ids
	}
	if v.kind != kindText {
		return ids
	}
	if u.fold > 0 && len(v.text) <= len(m.lower) {
		for i, c := range v.text {
			m.lower[i] = lowerASCII(c)
		}
		ids = in.try(m, hashKey(keyFold, 0, path, m.lower[:len(v.text)]), again, ids)
	}
	for i := 0; u.headSet>>i != 0 && partSizes[i] <= len(v.text); i++ {
		if u.headSet>>i&1 != 0 {
			ids = in.try(m, hashKey(keyHead, uint8(i), path, v.text[:partSizes[i]]), again, ids)
		}
	}
	for i := 0; u.tailSet>>i != 0 && partSizes[i] <= len(v.text); i++ {
		if u.tailSet>>i&1 != 0 {
			ids = in.try(m, hashKey(keyTail, uint8(i), path, v.text[len(v.text)-partSizes[i]:]), again, ids)
		}
	}
	if u.networkSet != 0 {
		if a := v.ip(); a.size > 0 {
			for i := 0; u.networkSet>>i != 0 && networkSizes[i] <= 8*int(a.size); i++ {
				if u.networkSet>>i&1 != 0 {
					ids = in.try(m, hashNetwork(path, uint8(i), *a), again, ids)
				}
			}
		}
	}
	return ids
}

// whole is the hash of the value as a key.
func (v *value) whole() uint64 {
	if v.read&readHash == 0 {
		v.read |= readHash
		kind := keyText
		if v.kind != kindText {
			kind = keyRaw
		}
		v.hash = hashKey(kind, 0, v.step.path, v.text)
	}
	return v.hash
}

// try tries the rules of one bucket; again tells that this event may have had it
// tried already.
func (in lookup) try(m *Matcher, hash uint64, again bool, ids []ID) []ID {
	f, ok := in.index.get(hash)
	if !ok || again && m.wasTried(in.outer, hash) {
		return ids
	}
	return f.try(m, hash, ids)
}

// several tells whether a path has more than one value.
func (m *Matcher) several(path uint32) bool {
	h := &m.heads[path-1]
	return h.round == m.round && h.first != h.last
}

// tried is a bucket that the event of a round has had tried.
type tried struct {
	hash  uint64
	round uint32
}

// wasTried tells whether it was called for the key, among those that have the outer
// one, in this event before. A list of a thousand equal values tries its rules once.
func (m *Matcher) wasTried(outer, hash uint64) bool {
	if outer != 0 {
		hash = hashPair(outer, hash)
	}
	return m.wasSeen(hash)
}

func (m *Matcher) wasSeen(hash uint64) bool {
	if 2*m.triedCount >= len(m.tried) {
		old := m.tried
		m.tried, m.triedCount = make([]tried, max(64, 2*len(old))), 0
		for _, t := range old {
			if t.round == m.round {
				m.wasSeen(t.hash)
			}
		}
	}
	mask := uint64(len(m.tried) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch t := &m.tried[i]; {
		case t.round != m.round:
			*t = tried{hash, m.round}
			m.triedCount++
			return false
		case t.hash == hash:
			return true
		}
	}
}

// try tries the rules that a key leads to.
func (f found) try(m *Matcher, hash uint64, ids []ID) []ID {
	if r := f.only; r != nil {
		if m.fits(r.program) {
			ids = append(ids, r.id)
		}
		return ids
	}
	b := f.many
	for _, r := range b.few {
		if m.fits(r.program) {
			ids = append(ids, r.id)
		}
	}
	if b.size > 0 {
		ids = tryAll(b.many.root, m, ids)
	}
	if b.inner != nil {
		ids = b.inner.try(m, hash, ids)
	}
	return ids
}

func tryAll(n *tableNode[*rule], m *Matcher, ids []ID) []ID {
	for _, below := range n.below {
		ids = tryAll(below, m, ids)
	}
	for i := range n.leaves {
		if r := n.leaves[i].value; m.fits(r.program) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// fits tells whether the event that was read passes a program: one test of each
// field by one value. Where values lie in lists of objects, they must lie in the
// same element of each list; that is looked at only if it can matter.
func (m *Matcher) fits(program string) bool {
	inLists, together := 0, false
	for at := 0; at < len(program); {
		path, tests, next := nextField(program, at)
		at = next
		switch m.field(path, tests) {
		case fieldFails:
			return false
		case fieldInList:
			inLists++
		case fieldAbsentInElement:
			together = true
		}
	}
	return inLists < 2 && !together || m.consistent(program)
}

type verdict uint8

const (
	fieldFails verdict = iota
	fieldPasses
	fieldInList          // it passes by values in elements of lists only
	fieldAbsentInElement // it is absent only from some elements
)

// field tells how a field does alone.
func (m *Matcher) field(path uint32, tests string) verdict {
	first := m.first(path)
	if first < 0 {
		if mayBeAbsent(tests) {
			return fieldPasses
		}
		return fieldFails
	}
	v, direct := fieldFails, false
	for at := first; at >= 0; at = m.values[at].next {
		value := &m.values[at]
		direct = direct || value.scope == 0
		if value.passes(tests) {
			if value.scope == 0 {
				return fieldPasses
			}
			v = fieldInList
		}
	}
	if mayBeAbsent(tests) && !direct {
		return fieldAbsentInElement
	}
	return v
}
