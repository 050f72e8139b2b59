package pattern

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// checkSet compares what a Set finds with what each rule says alone.
func checkSet(t *testing.T, s *Set, rules map[ID]*Pattern, events []string) {
	t.Helper()
	var m Matcher
	if s.Len() != len(rules) {
		t.Fatalf("%d rules, want %d", s.Len(), len(rules))
	}
	for _, event := range events {
		var want []ID
		for id, p := range rules {
			if fits, err := p.Matches([]byte(event)); err != nil {
				t.Fatal(err)
			} else if fits {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		got, err := s.Match([]byte(event), &m, nil)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, %v, want %v", event, got, err, want)
		}
	}
}

func TestVersionsOfASetDoNotChange(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	events := make([]string, 12)
	for i := range events {
		events[i] = drawEvent(rng, 2)
	}
	type version struct {
		set   *Set
		rules map[ID]*Pattern
	}
	clone := func(rules map[ID]*Pattern) map[ID]*Pattern {
		c := map[ID]*Pattern{}
		for id, p := range rules {
			c[id] = p
		}
		return c
	}
	now := version{NewSet(), map[ID]*Pattern{}}
	kept := []version{now}
	for i := range 60 {
		next := version{now.set, clone(now.rules)}
		e := now.set.Edit()
		for range 1 + rng.IntN(6) {
			id := ID(rng.IntN(40))
			if rng.IntN(3) == 0 {
				_, had := next.rules[id]
				if e.Remove(id) != had {
					t.Fatalf("Remove(%d) does not tell that there is one: %v", id, had)
				}
				delete(next.rules, id)
			} else {
				p := mustParse(t, drawPattern(rng))
				e.Put(id, p)
				next.rules[id] = p
			}
			if rng.IntN(4) == 0 { // the Edit goes on behind a version
				kept = append(kept, version{e.Set(), clone(next.rules)})
			}
		}
		next.set = e.Set()
		now = next
		if i%5 == 0 {
			kept = append(kept, now)
		}
	}
	for _, v := range kept {
		checkSet(t, v.set, v.rules, events)
	}
}

// Rules that share a key are filed by another field among those that have it, by all
// kinds of tests, while versions come and go; events have the key several times.
func TestRulesThatShareAKeyAreFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	sources := []string{`"s"`, `"t"`, `"s","t"`, `"s","u",null`}
	with := func(fields, object string) string {
		if object == "{}" {
			return "{" + fields + "}"
		}
		return "{" + fields + "," + object[1:]
	}
	type version struct {
		set    *Set
		rules  map[ID]*Pattern
		events []string
	}
	var kept []version
	set, rules := NewSet(), map[ID]*Pattern{}
	for range 40 {
		e := set.Edit()
		for range 30 {
			id := ID(rng.IntN(400))
			if rng.IntN(4) == 0 {
				e.Remove(id)
				delete(rules, id)
				continue
			}
			fields := pick(rng, `"source":[`, `"source":[`, `"kind":[`) + pick(rng, sources...) + "]"
			rules[id] = mustParse(t, with(fields, drawPattern(rng)))
			e.Put(id, rules[id])
		}
		set = e.Set()
		var events []string
		for range 8 {
			fields := pick(rng, `"source":["s","t","s"]`, `"source":["t","u",null,"t"]`, `"source":"s"`, `"source":"v"`) + pick(rng, "", `,"kind":"s"`, `,"kind":["u","t"]`)
			events = append(events, with(fields, drawEvent(rng, 2)))
		}
		checkSet(t, set, rules, events)
		kept = append(kept, version{set, maps.Clone(rules), events})
	}
	for _, v := range kept { // as they were
		checkSet(t, v.set, v.rules, v.events)
	}
	if f, _ := set.index.get(hashKey(keyText, 0, pathOf(t, set, gate), []byte("s"))); f.many == nil || f.many.inner.len() < 50 {
		t.Errorf("%d rules of one source are filed by another field: the test says little", f.len())
	}
	for id := range rules {
		set = set.Without(id)
	}
	if set.index.root != nil || set.root.hasKids() {
		t.Errorf("left: %v, %v", set.index.root, set.root.hasKids())
	}
}

// A rule may name more sources than it can have keys.
func TestARuleOfManySourcesIsFound(t *testing.T) {
	var many []string
	for i := range 2 * mostKeys {
		many = append(many, fmt.Sprintf(`"s%d"`, i))
	}
	rules := map[ID]*Pattern{}
	e := NewSet().Edit()
	for i := range 20 {
		sources := []string{strings.Join(many, ","), `"s1"`, strings.Join(many[:mostKeys], ",")}[i%3]
		rules[ID(i)] = mustParse(t, fmt.Sprintf(`{"source":[%s],"id":["%d","x"]}`, sources, i))
		e.Put(ID(i), rules[ID(i)])
	}
	var events []string
	for _, source := range many {
		events = append(events, `{"source":`+source+`,"id":"x"}`, `{"source":`+source+`,"id":"6"}`)
	}
	checkSet(t, e.Set(), rules, events)
}

// pathOf is the number of a path.
func pathOf(t *testing.T, s *Set, name string) uint32 {
	t.Helper()
	at := s.root.kid([]byte(name))
	if at == nil {
		t.Fatalf("no rule names %s", name)
	}
	return at.path
}

func TestASetIsEmptyWhenAllRulesAreGone(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	s := NewSet()
	const n = 300
	for i := range n {
		s = s.With(ID(i), mustParse(t, drawPattern(rng)))
	}
	for _, i := range rng.Perm(n) {
		if s = s.Without(ID(i)); s.Has(ID(i)) {
			t.Fatalf("rule %d is there still", i)
		}
	}
	if s.Len() != 0 || s.root.hasKids() || s.index.root != nil || s.rules.root != nil || s.names.root != nil || len(s.free) != s.paths {
		t.Errorf("left: %d rules, names %v, index %v, rules %v, numbers %d of %d free",
			s.Len(), s.root.hasKids(), s.index.root, s.rules.root, len(s.free), s.paths)
	}
}

func TestNumbersOfPathsAreUsedAgain(t *testing.T) {
	s := NewSet()
	for i := range 200 {
		p := mustParse(t, fmt.Sprintf(`{"n%d":{"x":["v"]},"m%d":["w"]}`, i, i))
		s = s.With(1, p) // takes the place of the one before
		checkSet(t, s, map[ID]*Pattern{1: p}, []string{fmt.Sprintf(`{"n%d":{"x":"v"},"m%d":"w"}`, i, i), fmt.Sprintf(`{"n%d":{"x":"v"}}`, i-1)})
	}
	if s.paths > 4 {
		t.Errorf("%d numbers for two paths at a time", s.paths)
	}
}

func TestManyNamesUnderOneAreFound(t *testing.T) {
	e := NewSet().Edit()
	rules := map[ID]*Pattern{}
	for i := range 500 {
		rules[ID(i)] = mustParse(t, fmt.Sprintf(`{"detail":{"field-%d":["x"]}}`, i))
		e.Put(ID(i), rules[ID(i)])
	}
	checkSet(t, e.Set(), rules, []string{`{"detail":{"field-0":"x","field-499":"x","field-500":"x"}}`, `{"detail.field-77":"x"}`})
	for i := range 490 {
		e.Remove(ID(i))
		delete(rules, ID(i))
	}
	checkSet(t, e.Set(), rules, []string{`{"detail":{"field-0":"x","field-499":"x","field-490":["x"]}}`})
}

func TestARuleIsFiledByWhatFewShare(t *testing.T) {
	e := NewSet().Edit()
	for i := range 1000 {
		e.Put(ID(i), mustParse(t, fmt.Sprintf(`{"source":["shop"],"detail-type":["T%d"],"detail":{"id":["%d"]}}`, i%10, i)))
	}
	for i := range 1000 {
		e.Put(ID(1000+i), mustParse(t, fmt.Sprintf(`{"source":["unit %d"],"detail-type":["type %d"],"detail":{"n":[{"numeric":[">",%d]}]}}`, i%10, i/10%10, i)))
	}
	s := e.Set()
	most := func(event string) (n int) {
		var m Matcher
		if err := m.read(s.root, s.paths, []byte(event)); err != nil {
			t.Fatal(err)
		}
		for i := range m.values {
			f, _ := s.index.get(m.values[i].whole())
			n += f.len()
			if f.many == nil || f.many.inner == nil {
				continue
			}
			n -= f.many.inner.len()
			for j := range m.values {
				own, _ := f.many.inner.index.get(m.values[j].whole())
				n += own.len()
			}
		}
		return n
	}
	if n := most(`{"source":"shop","detail-type":"T3","detail":{"id":"13"}}`); n > 12 {
		t.Errorf("%d rules are tried on an event with a number that one rule has", n)
	}
	if n := most(`{"source":"another","detail-type":"T3","detail":{"id":"13"}}`); n > 0 {
		t.Errorf("%d rules of others are tried on an event of a source that no rule names", n)
	}
	if n := most(`{"source":"unit 3","detail-type":"type 7","detail":{"n":1}}`); n > 20 {
		t.Errorf("%d rules are tried of a source and a type that ten rules share", n)
	}
}

func TestOneKeyOfManyRules(t *testing.T) {
	e := NewSet().Edit()
	for i := range 300 {
		e.Put(ID(i), mustParse(t, fmt.Sprintf(`{"n":[{"numeric":[">=",%d]}]}`, i)))
	}
	s, half := e.Set(), e.Set()
	for i := 0; i < 300; i += 2 {
		half = half.Without(ID(i))
	}
	var m Matcher
	for _, c := range []struct {
		s    *Set
		n    int
		want int
	}{{s, 299, 300}, {s, 0, 1}, {s, 100, 101}, {half, 299, 150}, {half, 100, 50}} {
		got, err := c.s.Match(fmt.Appendf(nil, `{"n":%d}`, c.n), &m, nil)
		if err != nil || len(got) != c.want || !slices.IsSorted(got) {
			t.Errorf("n=%d: %d rules, %v, want %d in order", c.n, len(got), err, c.want)
		}
	}
}

func TestReadersSeeOneVersionWhileOthersAreMade(t *testing.T) {
	first := NewSet()
	for i := range 50 {
		first = first.With(ID(i), mustParse(t, fmt.Sprintf(`{"a":["x"],"b":["%d"]}`, i%5)))
	}
	event := []byte(`{"a":"x","b":["1","2"]}`)
	var m Matcher
	want, err := first.Match(event, &m, nil)
	if err != nil || len(want) != 20 {
		t.Fatalf("%v, %v", want, err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			var m Matcher
			for range 200 {
				if got, err := first.Match(event, &m, nil); err != nil || !slices.Equal(got, want) {
					t.Errorf("a reader sees %v, %v", got, err)
					return
				}
			}
		})
	}
	s := first
	for i := range 200 {
		e := s.Edit()
		e.Put(ID(i%70), mustParse(t, fmt.Sprintf(`{"a":["x"],"b":["%d"],"c%d":["y"]}`, i%5, i%20)))
		e.Remove(ID(i * 7 % 70))
		s = e.Set()
	}
	readers.Wait()
}

func TestTablesHoldWhatMapsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var now table[int]
	want := map[uint64]int{}
	hashes := make([]uint64, 400)
	for i := range hashes {
		if hashes[i] = rng.Uint64(); i%4 == 0 {
			hashes[i] &= 3 << 60 // which differ in the last bits that are looked at
		}
	}
	own := &owner{}
	for i := range 20_000 {
		h := hashes[rng.IntN(len(hashes))]
		before, had := now.get(h)
		old := now
		if i%7 == 0 {
			own = &owner{} // what there is, is shared
		}
		if rng.IntN(2) == 0 {
			now.put(own, h, i)
			want[h] = i
		} else {
			now.remove(own, h)
			delete(want, h)
		}
		if v, ok := old.get(h); i%7 == 0 && (v != before || ok != had) {
			t.Fatalf("a version changed: %d, %v", v, ok)
		}
		got, ok := now.get(h)
		if w, has := want[h]; got != w || ok != has {
			t.Fatalf("%x: got %d, %v, want %d, %v", h, got, ok, w, has)
		}
	}
	for _, h := range hashes {
		now.remove(own, h)
	}
	if now.root != nil {
		t.Errorf("an empty table has nodes: %v", now.root)
	}
}
