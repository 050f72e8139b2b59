package pattern

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"
)

// step is one name on the way to the paths that rules name. Steps are shared
// between Sets: whoever changes one copies it first.
type step struct {
	own  *owner
	path uint32 // the number of the path that ends here; 0: none does
	refs int32  // how many alternatives of rules name that path
	uses *uses  // what rules are filed by here; nil: nothing

	kids []kid // few, searched one after the other
	many table[[]kid]
	size int // of many
}

type kid struct {
	name string
	step *step
}

// fewKids is how many names are searched one after the other.
const fewKids = 8

// seed makes hashes that nobody outside can aim at. Nothing that a Set answers
// depends on it.
var seed = maphash.MakeSeed()

func (s *step) hasKids() bool { return len(s.kids) > 0 || s.size > 0 }

// under finds the step of a name of an event. A dot in it is as good as an object
// within an object: a path is its names joined by dots.
func (s *step) under(name []byte) *step {
	through := s.size > 0
	for i := range s.kids {
		k := &s.kids[i]
		if n := len(k.name); n == len(name) && string(name) == k.name {
			return k.step
		} else if n < len(name) && name[n] == '.' {
			through = true // most names go on from none of those here
		}
	}
	if !through {
		return nil
	}
	if k := s.kid(name); k != nil {
		return k
	}
	for {
		dot := bytes.IndexByte(name, '.')
		if dot < 0 {
			return s.kid(name)
		}
		if s = s.kid(name[:dot]); s == nil {
			return nil
		}
		name = name[dot+1:]
	}
}

func (s *step) kid(name []byte) *step {
	for i := range s.kids {
		if k := &s.kids[i]; string(name) == k.name {
			return k.step
		}
	}
	if s.size > 0 {
		same, _ := s.many.get(maphash.Bytes(seed, name))
		for i := range same {
			if k := &same[i]; string(name) == k.name {
				return k.step
			}
		}
	}
	return nil
}

// mine is the step, or a copy if it is another's.
func (s *step) mine(own *owner) *step {
	if s.own == own {
		return s
	}
	c := *s
	c.own = own
	if s.uses != nil {
		u := *s.uses
		c.uses = &u
	}
	c.kids = slices.Clone(s.kids)
	return &c
}

// change gives fn the step of a path, made if there is none, to be changed. The
// result takes the place of s. Steps that are of no use any more are gone.
func (s *step) change(own *owner, path string, fn func(*step)) *step {
	s = s.mine(own)
	name, rest, deeper := strings.Cut(path, ".")
	below := s.kid([]byte(name))
	had := below != nil
	if !had {
		below = &step{own: own}
	}
	if deeper {
		below = below.change(own, rest, fn)
	} else {
		below = below.mine(own)
		fn(below)
	}
	switch empty := below.path == 0 && !below.hasKids(); {
	case !empty:
		s.setKid(own, name, below)
	case had:
		s.removeKid(own, name)
	}
	return s
}

// setKid puts a step under a name, in a step that may be changed.
func (s *step) setKid(own *owner, name string, below *step) {
	for i := range s.kids {
		if s.kids[i].name == name {
			s.kids[i].step = below
			return
		}
	}
	h := maphash.String(seed, name)
	same, _ := s.many.get(h)
	i := slices.IndexFunc(same, func(k kid) bool { return k.name == name })
	switch {
	case i >= 0:
		same = slices.Clone(same)
		same[i].step = below
	case len(s.kids) < fewKids:
		s.kids = append(s.kids, kid{name, below})
		return
	default:
		same = append(slices.Clone(same), kid{name, below})
		s.size++
	}
	s.many.put(own, h, same)
}

// removeKid takes a name out of a step that may be changed.
func (s *step) removeKid(own *owner, name string) {
	is := func(k kid) bool { return k.name == name }
	if i := slices.IndexFunc(s.kids, is); i >= 0 {
		s.kids = slices.Delete(s.kids, i, i+1)
		return
	}
	h := maphash.String(seed, name)
	same, _ := s.many.get(h)
	i := slices.IndexFunc(same, is)
	if i < 0 {
		return
	}
	if s.size--; len(same) == 1 {
		s.many.remove(own, h)
		return
	}
	s.many.put(own, h, slices.Delete(slices.Clone(same), i, i+1))
}
