package pattern

import "slices"

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
		return len(f.many.few) + f.many.size + f.many.inner.len()
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

// within is what a key leads to after a change of the rules that have another key
// there.
func (f found) within(own *owner, change func(*inner)) found {
	b := f.bucket(own)
	b.inner = b.inner.mine(own)
	change(b.inner)
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

// bucket holds the rules that are filed by one key, where they are several or have
// keys of other fields there.
type bucket struct {
	own   *owner
	few   []*rule // while they are few
	many  table[*rule]
	size  int    // of many
	inner *inner // nil without
}

// fewRules is how many rules a bucket copies to add one more.
const fewRules = 32

// found is what leads to the bucket, or to what is left of it.
func (b *bucket) found() found {
	if b.inner.len() == 0 {
		b.inner = nil
	}
	switch {
	case b.inner != nil || b.size > 0 || len(b.few) > 1:
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
	c.own, c.few = own, slices.Clone(b.few)
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

// inner finds the rules of a bucket by keys of their other fields. An event that does
// not have the bucket's key never comes to them: where rules of a hundred sources
// have the numbers of orders, only those of its own source are looked up.
type inner struct {
	own   *owner
	index table[found]
	size  int       // rules, each counted once a key
	paths []pathUse // that rules are filed by here
}

// pathUse says by what rules are filed at a path.
type pathUse struct {
	path uint32
	keys int32
	uses *uses
}

func (x *inner) len() int {
	if x == nil {
		return 0
	}
	return x.size
}

// mine is x, or a copy if it is another's, or is not there.
func (x *inner) mine(own *owner) *inner {
	switch {
	case x == nil:
		return &inner{own: own}
	case x.own == own:
		return x
	}
	c := *x
	c.own, c.paths = own, slices.Clone(x.paths)
	for i := range c.paths {
		u := *c.paths[i].uses
		c.paths[i].uses = &u
	}
	return &c
}

// count notes that a key is filed (by 1) or taken out (by -1).
func (x *inner) count(path uint32, k key, by int32) {
	x.size += int(by)
	i := slices.IndexFunc(x.paths, func(p pathUse) bool { return p.path == path })
	if i < 0 {
		i = len(x.paths)
		x.paths = append(x.paths, pathUse{path: path, uses: &uses{}})
	}
	x.paths[i].uses.add(k, by)
	if x.paths[i].keys += by; x.paths[i].keys == 0 {
		x.paths = slices.Delete(x.paths, i, i+1)
	}
}
