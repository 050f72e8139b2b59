package pattern

import "sort"

// Values of different elements of one list must not make a match together: a rule
// for an item that is red and large is not for a red item and a large one. Formally
// (EventBridge): each field is passed by one value, such that no two of these lie
// in different elements of the same list. A field that shall be absent has no value
// that could be added to those of the fields before it, by path.
//
// Lists lie in each other as a tree, so no combinations have to be tried: within
// an element, fields that pass directly are done, and the others are divided by
// the list that holds their values; each list must have one element in which all
// of its fields pass. That takes time in proportion to the event.

// search is the memory of one search.
type search struct {
	fields []wanted
	values []int32 // of all fields
	sets   []int32 // of fields, as the recursion needs them
	// deep tells to take a value in a list where a field has direct ones, too: it
	// ties the list down, which may make another field absent.
	deep bool
}

// wanted is one field.
type wanted struct {
	absent     bool // it is wanted to be absent
	either     bool // a value or absence is right
	from, upTo int32
	all        [2]int32 // its values that do not matter, too
	list       int32    // where its values lie, in the current step
}

// mostEither bounds the fields that may be there or not for which both are tried.
const mostEither = 4

// consistent tells whether the event's values pass a program together.
func (m *Matcher) consistent(program string) bool {
	s := &m.search
	s.fields, s.values, s.sets = s.fields[:0], s.values[:0], s.sets[:0]
	either := 0
	for at := 0; at < len(program); {
		path, tests, next := nextField(program, at)
		at = next
		w := wanted{absent: mayBeAbsent(tests), from: int32(len(s.values))}
		for v := m.first(path); v >= 0; v = m.values[v].next {
			if m.values[v].passes(tests) {
				s.values = append(s.values, v)
			}
		}
		w.upTo = int32(len(s.values))
		for v := m.first(path); w.absent && v >= 0; v = m.values[v].next {
			s.values = append(s.values, v)
		}
		w.all = [2]int32{w.upTo, int32(len(s.values))}
		if w.either = w.absent && w.upTo > w.from; w.either {
			either++
		}
		s.fields = append(s.fields, w)
	}
	either = min(either, mostEither)
	for choice := range 2 << either {
		if m.searchWith(choice) {
			return true
		}
	}
	return false
}

// searchWith searches with one choice for each field that may be absent or not.
func (m *Matcher) searchWith(choice int) bool {
	s := &m.search
	s.deep, choice = choice&1 != 0, choice>>1
	s.sets = s.sets[:0]
	for i := range s.fields {
		if w := &s.fields[i]; w.either {
			w.absent, choice = choice&1 != 0, choice>>1
		}
		s.sets = append(s.sets, int32(i))
	}
	return m.within(0, 0, int32(len(s.fields)))
}

// none is no list.
const none = -1

// within tells whether the fields sets[from:upTo] pass by values in a scope.
func (m *Matcher) within(in, from, upTo int32) bool {
	s := &m.search
	for i := from; i < upTo; i++ {
		ok := false
		w := &s.fields[s.sets[i]]
		if w.absent {
			w.list, ok = m.lacking(in, w)
		} else {
			w.list, ok = m.having(in, w)
		}
		if !ok {
			return false
		}
	}
	// The fields that are left lie in lists. Take them list by list: their places
	// stay as they are until the list has been looked at.
	for i := from; i < upTo; i++ {
		list := s.fields[s.sets[i]].list
		if list == none {
			continue
		}
		if s.fields[s.sets[i]].absent {
			return false // nothing before it ties the list down
		}
		inner := int32(len(s.sets))
		for j := i; j < upTo; j++ {
			if f := s.sets[j]; s.fields[f].list == list {
				s.sets = append(s.sets, f)
				s.fields[f].list = none
			}
		}
		ok := m.someElement(in, list, inner, int32(len(s.sets)))
		for _, f := range s.sets[inner:] {
			s.fields[f].list = none // the search in the list used it, too
		}
		s.sets = s.sets[:inner]
		if !ok {
			return false
		}
	}
	return true
}

// someElement tells whether the fields pass within one element of a list.
func (m *Matcher) someElement(in, list, from, upTo int32) bool {
	for c := in + 1; c < m.scopes[in].end; c = m.scopes[c].end {
		if m.scopes[c].list == list && m.within(c, from, upTo) {
			return true
		}
	}
	return false
}

// having looks for a value of a field in a scope: it passes directly, or in a
// list.
func (m *Matcher) having(in int32, w *wanted) (list int32, ok bool) {
	list = none
	for _, v := range m.inScope(in, w.from, w.upTo) {
		if m.values[v].scope == in {
			ok = true
			continue
		}
		if list == none {
			list = m.listTowards(in, m.values[v].scope)
		}
	}
	if ok && !m.search.deep {
		list = none
	}
	return list, ok || list != none
}

// lacking tells whether a field is absent from a scope, or may be from an element
// of a list.
func (m *Matcher) lacking(in int32, w *wanted) (list int32, ok bool) {
	list = none
	for _, v := range m.inScope(in, w.all[0], w.all[1]) {
		if m.values[v].scope == in {
			return none, false
		}
		if list == none {
			list = m.listTowards(in, m.values[v].scope)
		}
	}
	return list, true
}

// inScope are those of a field's values that lie in a scope, however deep.
func (m *Matcher) inScope(in, from, upTo int32) []int32 {
	all := m.search.values[from:upTo]
	if in == 0 {
		return all
	}
	s := m.scopes[in]
	low := sort.Search(len(all), func(i int) bool { return all[i] >= s.first })
	high := low + sort.Search(len(all)-low, func(i int) bool { return all[low+i] >= s.last })
	return all[low:high]
}

// listTowards is the list in scope in that leads to a scope within.
func (m *Matcher) listTowards(in, to int32) int32 {
	for m.scopes[to].parent != in {
		to = m.scopes[to].parent
	}
	return m.scopes[to].list
}
