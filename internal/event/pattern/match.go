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
	ids = s.try(m, hashKey(keyAlways, 0, 0, nil), false, ids)
	for i := range m.values {
		if v := &m.values[i]; v.step.uses != nil {
			ids = s.tryValue(m, v, ids)
		}
	}
	if found := ids[from:]; len(found) > 1 {
		slices.Sort(found)
		ids = ids[:from+len(slices.Compact(found))]
	}
	return ids, nil
}

// tryValue tries the rules that are filed by a key of a value.
func (s *Set) tryValue(m *Matcher, v *value, ids []ID) []ID {
	u, path := v.step.uses, v.step.path
	again := m.several(path)
	if u.whole > 0 {
		ids = s.tryWhole(m, v, again, ids)
	}
	if u.present > 0 {
		ids = s.try(m, hashKey(keyPresent, 0, path, nil), again, ids)
	}
	if v.kind == kindNumber {
		if f, ok := v.numeric(); ok && u.number > 0 {
			var room [8]byte
			ids = s.try(m, hashKey(keyNumber, 0, path, appendNumber(room[:0], f)), again, ids)
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
		ids = s.try(m, hashKey(keyFold, 0, path, m.lower[:len(v.text)]), again, ids)
	}
	for i := 0; u.headSet>>i != 0 && partSizes[i] <= len(v.text); i++ {
		if u.headSet>>i&1 != 0 {
			ids = s.try(m, hashKey(keyHead, uint8(i), path, v.text[:partSizes[i]]), again, ids)
		}
	}
	for i := 0; u.tailSet>>i != 0 && partSizes[i] <= len(v.text); i++ {
		if u.tailSet>>i&1 != 0 {
			ids = s.try(m, hashKey(keyTail, uint8(i), path, v.text[len(v.text)-partSizes[i]:]), again, ids)
		}
	}
	if u.networkSet != 0 {
		if a := v.ip(); a.size > 0 {
			for i := 0; u.networkSet>>i != 0 && networkSizes[i] <= 8*int(a.size); i++ {
				if u.networkSet>>i&1 != 0 {
					ids = s.try(m, hashNetwork(path, uint8(i), *a), again, ids)
				}
			}
		}
	}
	return ids
}

// tryWhole tries the rules that are filed by the whole of a value, alone or with
// the whole of another one.
func (s *Set) tryWhole(m *Matcher, v *value, again bool, ids []ID) []ID {
	h := v.whole()
	f, ok := s.index.get(h)
	if !ok || again && m.wasTried(h) {
		return ids
	}
	ids = f.try(m, ids)
	b := f.many
	if b == nil {
		return ids
	}
	for i := range b.partners {
		other := b.partners[i].path
		both := again || m.several(other)
		for at := m.first(other); at >= 0; at = m.values[at].next {
			ids = s.try(m, hashPair(h, m.values[at].whole()), both, ids)
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
func (s *Set) try(m *Matcher, hash uint64, again bool, ids []ID) []ID {
	if f, ok := s.index.get(hash); ok && !(again && m.wasTried(hash)) {
		return f.try(m, ids)
	}
	return ids
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

// wasTried tells whether it was called for the hash in this event before. A list
// of a thousand equal values tries its rules once.
func (m *Matcher) wasTried(hash uint64) bool {
	if 2*m.triedCount >= len(m.tried) {
		old := m.tried
		m.tried, m.triedCount = make([]tried, max(64, 2*len(old))), 0
		for _, t := range old {
			if t.round == m.round {
				m.wasTried(t.hash)
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

func (f found) try(m *Matcher, ids []ID) []ID {
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
