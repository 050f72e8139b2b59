package pattern

// Set is a number of rules that events are matched with together. It is
// immutable, so any number of goroutines may use it, each with a Matcher of its
// own; an Edit makes the next one, which shares all that is the same.
type Set struct {
	root  *step
	rules table[*rule]
	index table[found]
	names table[string] // of paths, by number
	free  []uint32      // numbers of paths that are in use no more
	paths int           // numbers given so far
	size  int
}

// NewSet returns a Set without rules.
func NewSet() *Set { return &Set{root: &step{}} }

// Len is how many rules there are.
func (s *Set) Len() int { return s.size }

// Has tells whether there is a rule.
func (s *Set) Has(id ID) bool {
	_, ok := s.rules.get(mix(uint64(id)))
	return ok
}

// With is a Set with one more rule; if it has the id, the rule takes the other's
// place.
func (s *Set) With(id ID, p *Pattern) *Set {
	e := s.Edit()
	e.Put(id, p)
	return e.Set()
}

// Without is a Set without a rule.
func (s *Set) Without(id ID) *Set {
	e := s.Edit()
	e.Remove(id)
	return e.Set()
}

// Edit makes a Set from another with many rules changed. A change costs what the
// rule itself is, however many there are. One goroutine uses it at a time.
type Edit struct {
	set Set
	own *owner
}

// Edit begins a change.
func (s *Set) Edit() *Edit {
	e := &Edit{set: *s, own: &owner{}}
	e.set.free = append([]uint32(nil), s.free...)
	return e
}

// Set is what the Edit has made so far. It does not change when the Edit goes on.
func (e *Edit) Set() *Set {
	s := e.set
	s.free = append([]uint32(nil), s.free...)
	e.own = &owner{} // what s has is shared from now on
	return &s
}

// Put adds a rule, or changes it if the Set has the id.
func (e *Edit) Put(id ID, p *Pattern) {
	e.Remove(id)
	var first *rule
	var room [512]byte
	for i, b := range p.branches {
		fields := make([]numbered, len(b))
		for j, f := range b {
			fields[j] = numbered{e.path(f.path), f.tests}
		}
		r := &rule{id: id, program: string(appendProgram(room[:0], fields)), next: first, number: uint32(i)}
		r.filed = e.choose(r.program)
		e.file(r, 1)
		first = r
	}
	e.set.rules.put(e.own, mix(uint64(id)), first)
	e.set.size++
}

// Remove takes a rule out and tells whether there was one.
func (e *Edit) Remove(id ID) bool {
	r, ok := e.set.rules.get(mix(uint64(id)))
	if !ok {
		return false
	}
	e.set.rules.remove(e.own, mix(uint64(id)))
	e.set.size--
	for ; r != nil; r = r.next {
		e.file(r, -1)
		for at := 0; at < len(r.program); {
			var path uint32
			path, _, at = nextField(r.program, at)
			e.release(path)
		}
	}
	return true
}

// path is the number of a path that one more alternative names.
func (e *Edit) path(name string) (number uint32) {
	e.set.root = e.set.root.change(e.own, name, func(s *step) {
		if s.path == 0 {
			s.path = e.number()
			e.set.names.put(e.own, mix(uint64(s.path)), name)
		}
		s.refs++
		number = s.path
	})
	return number
}

// number is one that no path has.
func (e *Edit) number() uint32 {
	if n := len(e.set.free); n > 0 {
		number := e.set.free[n-1]
		e.set.free = e.set.free[:n-1]
		return number
	}
	e.set.paths++
	return uint32(e.set.paths)
}

// release is path's counterpart.
func (e *Edit) release(number uint32) {
	name, _ := e.set.names.get(mix(uint64(number)))
	e.set.root = e.set.root.change(e.own, name, func(s *step) {
		if s.refs--; s.refs == 0 {
			s.path, s.uses = 0, nil
			e.set.free = append(e.set.free, number)
			e.set.names.remove(e.own, mix(uint64(number)))
		}
	})
}
