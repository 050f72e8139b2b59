package pattern

import "strings"

// ID names a rule in a Set. It is the caller's.
type ID uint64

// rule is one alternative of a rule's pattern in a Set. It never changes.
type rule struct {
	id      ID
	program string
	next    *rule // the rule's other alternatives
	number  uint32
	filed   filing
}

// hash is the rule's own, for tables of rules.
func (r *rule) hash() uint64 { return mix(uint64(r.id)*0x9e3779b97f4a7c15 ^ uint64(r.number)) }

// filing says by what a rule is filed.
type filing struct {
	by    filedBy // the first field, in the Set
	inner filedBy // the second, among those that have the first one's key; or byNothing
	// first and second are fields of the program.
	first, second uint16
}

type filedBy uint8

const (
	byNothing filedBy = iota // it is tried on every event
	byPresent                // any value of the field
	byKey                    // the keys of the field
)

// nextField reads a field of a program.
func nextField(program string, at int) (path uint32, tests string, next int) {
	n, at := readSize(program, at)
	size, at := readSize(program, at)
	return uint32(n), program[at : at+size], at + size
}

// fieldAt is one field of a program, by its place.
func fieldAt(program string, n uint16) (path uint32, tests string) {
	at := 0
	for range n + 1 {
		path, tests, at = nextField(program, at)
	}
	return path, tests
}

// How rules are filed. An event finds a rule if it has one of the rule's keys, so
// a good key is one that few rules share: the choice looks at how many are filed
// by it already. A value that many share, such as a source, leads to an index of
// its own, by another field. What is chosen changes how many rules are tried, and
// never the answer.

const (
	// crowded is from how many rules on a key is not good enough alone.
	crowded = 4
	// mostPairs bounds how many keys two fields may have together.
	mostPairs = 64
	// gate is the field that rules are filed by first, where they name it. Nearly
	// all do, and an event has one source: what rules of all others look for is not
	// looked up. By their second field alone, which may be the better one, each
	// event would be looked up among the rules of everybody.
	gate = "source"
)

// choose finds by what a rule is filed best.
func (e *Edit) choose(program string) filing {
	outer, gated := e.gated(program)
	if !gated {
		outer = e.best(program, nil, -1)
	}
	if outer.by != byKey {
		return outer
	}
	var room, more [mostKeys]key
	_, keys := fieldKeys(room[:0], program, byKey, outer.first)
	if e.crowd(nil, keys) < crowded {
		return outer
	}
	second := e.best(program, keys, int(outer.first))
	if second.by == byNothing {
		return outer
	}
	if _, others := fieldKeys(more[:0], program, second.by, second.first); len(keys)*len(others) > mostPairs {
		return e.best(program, nil, -1)
	}
	outer.inner, outer.second = second.by, second.first
	return outer
}

// gated files a rule by the gate, if that has keys in it.
func (e *Edit) gated(program string) (filing, bool) {
	door := e.set.root.kid([]byte(gate))
	if door == nil {
		return filing{}, false
	}
	for at, n := 0, uint16(0); at < len(program); n++ {
		path, tests, next := nextField(program, at)
		at = next
		if path != door.path || !isWhole(program, n) {
			continue
		}
		var room [mostKeys]key
		_, ok := keysOf(room[:0], path, tests) // it may name too many
		return filing{by: byKey, first: n}, ok
	}
	return filing{}, false
}

// best is the field that files the rule best, among those that have one of the keys
// of outer; nil: in the Set. One field is left out.
func (e *Edit) best(program string, outer []key, without int) filing {
	best, least, depth := filing{}, -1, 0
	n := uint16(0)
	for at := 0; at < len(program); n++ {
		path, tests, next := nextField(program, at)
		at = next
		if mayBeAbsent(tests) || int(n) == without {
			continue
		}
		f := filing{by: byKey, first: n}
		var room [mostKeys]key
		keys, ok := keysOf(room[:0], path, tests)
		if !ok {
			f.by = byPresent
			_, keys = fieldKeys(room[:0], program, byPresent, n)
		}
		crowd := e.crowd(outer, keys)
		if f.by == byPresent {
			crowd = crowd*4 + crowded // most events have the field
		}
		name, _ := e.set.names.get(mix(uint64(path)))
		dots := strings.Count(name, ".")
		if least < 0 || crowd < least || crowd == least && dots > depth {
			best, least, depth = f, crowd, dots
		}
	}
	return best
}

// mayBeAbsent tells whether an event without the field may pass.
func mayBeAbsent(tests string) bool {
	for at := 0; at < len(tests); {
		if op(tests[at]) == opAbsent {
			return true
		}
		size, next := readSize(tests, at+1)
		at = next + size
	}
	return false
}

// isWhole tells whether all that a field is tested for is to be some string or
// word.
func isWhole(program string, n uint16) bool {
	_, tests := fieldAt(program, n)
	for at := 0; at < len(tests); {
		if o := op(tests[at]); o != opText && o != opWord {
			return false
		}
		size, next := readSize(tests, at+1)
		at = next + size
	}
	return true
}

// crowd is how many rules are filed by one of some keys, where they are most, among
// those that have one of the keys of outer; nil: in the Set.
func (e *Edit) crowd(outer, keys []key) (most int) {
	in := func(index *table[found]) {
		for _, k := range keys {
			f, _ := index.get(k.hash)
			most = max(most, f.len())
		}
	}
	if outer == nil {
		in(&e.set.index)
		return most
	}
	for _, o := range outer {
		if f, _ := e.set.index.get(o.hash); f.many != nil && f.many.inner != nil {
			in(&f.many.inner.index)
		}
	}
	return most
}

// fieldKeys adds the keys that a rule is filed by where it is so by a field.
func fieldKeys(room []key, program string, by filedBy, n uint16) (path uint32, keys []key) {
	if by == byNothing {
		return 0, append(room, key{hashKey(keyAlways, 0, 0, nil), keyAlways, 0})
	}
	path, tests := fieldAt(program, n)
	if by == byPresent {
		return path, append(room, key{hashKey(keyPresent, 0, path, nil), keyPresent, 0})
	}
	keys, _ = keysOf(room, path, tests)
	return path, keys
}

// file puts a rule into its buckets (by 1) or takes it out (by -1).
func (e *Edit) file(r *rule, by int32) {
	var room, more [mostKeys]key
	path, keys := fieldKeys(room[:0], r.program, r.filed.by, r.filed.first)
	other, others := uint32(0), []key(nil)
	if r.filed.inner != byNothing {
		other, others = fieldKeys(more[:0], r.program, r.filed.inner, r.filed.second)
	}
	in := func(index *table[found], hash uint64) {
		index.change(e.own, hash, func(f found) (found, bool) {
			if by > 0 {
				f = f.with(e.own, r)
			} else {
				f = f.without(e.own, r)
			}
			return f, f != found{}
		})
	}
	for _, k := range keys {
		if others == nil {
			in(&e.set.index, k.hash)
			continue
		}
		e.set.index.change(e.own, k.hash, func(f found) (found, bool) {
			f = f.within(e.own, func(x *inner) {
				for _, o := range others {
					in(&x.index, o.hash)
					x.count(other, o, by)
				}
			})
			return f, f != found{}
		})
	}
	if path == 0 {
		return
	}
	name, _ := e.set.names.get(mix(uint64(path)))
	e.set.root = e.set.root.change(e.own, name, func(s *step) {
		if s.uses == nil {
			s.uses = &uses{}
		}
		for _, k := range keys {
			s.uses.add(k, by)
		}
	})
}
