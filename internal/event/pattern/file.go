package pattern

import (
	"slices"
	"strings"
)

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
	by            filedBy
	first, second uint16 // fields of the program
}

type filedBy uint8

const (
	byNothing filedBy = iota // it is tried on every event
	byPresent                // any value of the first field
	byKey                    // the keys of the first field
	byPair                   // the keys of both fields together
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

// found is what a key leads to: the one rule that is filed by it, or a bucket.
type found struct {
	only *rule
	many *bucket
}

// len is how many rules the key leads to.
func (f found) len() int {
	switch {
	case f.only != nil:
		return 1
	case f.many != nil:
		return len(f.many.few) + f.many.size
	}
	return 0
}

// with is what a key leads to with one more rule; own may change what it made.
func (f found) with(own *owner, r *rule) found {
	if f == (found{}) {
		return found{only: r}
	}
	b := f.bucket(own)
	b.add(r)
	return found{many: b}
}

// without is what a key leads to with a rule less.
func (f found) without(own *owner, r *rule) found {
	if f.only == r {
		return found{}
	}
	b := f.bucket(own)
	b.remove(r)
	return b.found()
}

// bucket is a bucket that own may change, with what the key leads to.
func (f found) bucket(own *owner) *bucket {
	switch {
	case f.only != nil:
		return &bucket{own: own, few: []*rule{f.only}}
	case f.many == nil:
		return &bucket{own: own}
	}
	return f.many.mine(own)
}

// bucket holds the rules that are filed by one key, where they are several or
// keys of other fields go with it.
type bucket struct {
	own  *owner
	few  []*rule // while they are few
	many table[*rule]
	size int // of many
	// partners are the paths of second keys: rules are filed by this key and one
	// of there.
	partners []partner
}

type partner struct {
	path  uint32
	count int32
}

// fewRules is how many rules a bucket copies to add one more.
const fewRules = 32

// found is what leads to the bucket, or to what is left of it.
func (b *bucket) found() found {
	switch {
	case len(b.partners) > 0 || b.size > 0 || len(b.few) > 1:
		return found{many: b}
	case len(b.few) == 1:
		return found{only: b.few[0]}
	}
	return found{}
}

// mine is the bucket, or a copy if it is another's.
func (b *bucket) mine(own *owner) *bucket {
	if b.own == own {
		return b
	}
	c := *b
	c.own, c.few, c.partners = own, slices.Clone(b.few), slices.Clone(b.partners)
	return &c
}

func (b *bucket) add(r *rule) {
	if len(b.few) < fewRules {
		b.few = append(b.few, r)
		return
	}
	b.many.put(b.own, r.hash(), r)
	b.size++
}

func (b *bucket) remove(r *rule) {
	if i := slices.Index(b.few, r); i >= 0 {
		b.few = slices.Delete(b.few, i, i+1)
		return
	}
	if _, ok := b.many.get(r.hash()); ok {
		b.many.remove(b.own, r.hash())
		b.size--
	}
}

// pair counts rules that are filed by this key and one of a path.
func (b *bucket) pair(path uint32, by int32) {
	i := slices.IndexFunc(b.partners, func(p partner) bool { return p.path == path })
	if i < 0 {
		b.partners = append(b.partners, partner{path, by})
		return
	}
	if b.partners[i].count += by; b.partners[i].count == 0 {
		b.partners = slices.Delete(b.partners, i, i+1)
	}
}

// How rules are filed. An event finds a rule if it has one of the rule's keys, so
// a good key is one that few rules share: the choice looks at how many are filed
// by it already. A value such as an order's number soon has a key of its own,
// while source and type, which hundreds of rules share, are taken together. What
// is chosen changes how many rules are tried, and never the answer.

const (
	// crowded is from how many rules on a key is not good enough alone.
	crowded = 4
	// pairWeight is how many rules filed by two keys cost as much as one filed by
	// one.
	pairWeight = 8
)

// choose finds by what a rule is filed best.
func (e *Edit) choose(program string) filing {
	single, pair := e.bestKey(program), filing{}
	if single.by == byKey && e.crowd(program, single) < crowded {
		return single
	}
	// What a key has is tried on many more events than what two have together.
	best, least := single, pairWeight*e.crowd(program, single)
	n := uint16(0)
	for at := 0; at < len(program); n++ {
		_, _, at = nextField(program, at)
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			pair = filing{byPair, i, j}
			if !isWhole(program, i) || !isWhole(program, j) {
				continue
			}
			if crowd := e.crowd(program, pair); crowd < least {
				best, least = pair, crowd
			}
		}
	}
	return best
}

// mostPairs bounds how many keys two fields may have together.
const mostPairs = 64

// bestKey is the field that files the rule best alone.
func (e *Edit) bestKey(program string) filing {
	best, least, depth := filing{}, -1, 0
	n := uint16(0)
	for at := 0; at < len(program); n++ {
		path, tests, next := nextField(program, at)
		at = next
		if mayBeAbsent(tests) {
			continue
		}
		f := filing{byKey, n, 0}
		var room [mostKeys]key
		if _, ok := keysOf(room[:0], path, tests); !ok {
			f.by = byPresent
		}
		crowd := e.crowd(program, f)
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
// word: what pairs are made of.
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

// crowd is how many rules are filed by what f says, where they are most.
func (e *Edit) crowd(program string, f filing) (most int) {
	e.keys(program, f, func(hash uint64, _ uint32, _ key) {
		f, _ := e.set.index.get(hash)
		most = max(most, f.len())
	})
	if f.by == byPair {
		path, tests := fieldAt(program, f.first)
		other, others := fieldAt(program, f.second)
		var room, more [mostKeys]key
		a, ok := keysOf(room[:0], path, tests)
		b, also := keysOf(more[:0], other, others)
		if !ok || !also || len(a)*len(b) > mostPairs {
			return int(^uint(0) >> 1)
		}
	}
	return most
}

// keys calls fn with the hash of each bucket that a rule is in, the path of its
// first key, and that key.
func (e *Edit) keys(program string, f filing, fn func(hash uint64, path uint32, k key)) {
	if f.by == byNothing {
		fn(hashKey(keyAlways, 0, 0, nil), 0, key{kind: keyAlways})
		return
	}
	path, tests := fieldAt(program, f.first)
	if f.by == byPresent {
		k := key{hashKey(keyPresent, 0, path, nil), keyPresent, 0}
		fn(k.hash, path, k)
		return
	}
	var room, more [mostKeys]key
	first, _ := keysOf(room[:0], path, tests)
	if f.by == byKey {
		for _, k := range first {
			fn(k.hash, path, k)
		}
		return
	}
	other, others := fieldAt(program, f.second)
	second, _ := keysOf(more[:0], other, others)
	for _, a := range first {
		for _, b := range second {
			fn(hashPair(a.hash, b.hash), path, a)
		}
	}
}

// file puts a rule into its buckets (by 1) or takes it out (by -1).
func (e *Edit) file(r *rule, by int32) {
	e.keys(r.program, r.filed, func(hash uint64, path uint32, k key) {
		e.set.index.change(e.own, hash, func(f found) (found, bool) {
			if by > 0 {
				f = f.with(e.own, r)
			} else {
				f = f.without(e.own, r)
			}
			return f, f != found{}
		})
		if r.filed.by == byPair {
			other, _ := fieldAt(r.program, r.filed.second)
			e.set.index.change(e.own, k.hash, func(f found) (found, bool) {
				b := f.bucket(e.own)
				b.pair(other, by)
				f = b.found()
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
			s.uses.add(k, by)
		})
	})
}
