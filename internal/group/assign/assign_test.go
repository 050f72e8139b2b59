package assign

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// world is a group that changes: topics grow and go, members come, go, move and
// read something else.
type world struct {
	r       *rand.Rand
	topics  []int // partitions of each, 0 when it is not there
	racks   int   // 0 when nobody says where it is
	members map[string]*reader
	has     map[string][]Part
	next    int
	alike   bool
}

type reader struct {
	instance, rack string
	topics         []int
}

func newWorld(seed uint64, alike bool) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 11)), members: map[string]*reader{}, has: map[string][]Part{}, alike: alike}
	w.racks = w.r.IntN(4)
	for range 1 + w.r.IntN(6) {
		w.topics = append(w.topics, w.r.IntN(12))
	}
	return w
}

// change does one thing that may happen to a group.
func (w *world) change() {
	switch n := w.r.IntN(10); {
	case n < 4 || len(w.members) == 0:
		w.next++
		m := &reader{topics: w.choose()}
		if w.r.IntN(3) == 0 {
			m.instance = fmt.Sprint("i", w.next)
		}
		if w.racks > 0 && w.r.IntN(4) > 0 {
			m.rack = fmt.Sprint("r", w.r.IntN(w.racks))
		}
		w.members[fmt.Sprintf("m%03d", w.r.IntN(1000)*1000+w.next)] = m
	case n < 7:
		ids := w.ids()
		id := ids[w.r.IntN(len(ids))]
		delete(w.members, id)
		delete(w.has, id)
	case n < 9:
		w.topics[w.r.IntN(len(w.topics))] += w.r.IntN(4)
	case w.alike:
		w.topics[w.r.IntN(len(w.topics))] = 0
	default:
		ids := w.ids()
		w.members[ids[w.r.IntN(len(ids))]].topics = w.choose()
	}
}

func (w *world) choose() (out []int) {
	for t := range w.topics {
		if w.alike || w.r.IntN(2) == 0 {
			out = append(out, t)
		}
	}
	return out
}

func (w *world) ids() []string {
	var ids []string
	for id := range w.members {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (w *world) spec() *Spec {
	s := &Spec{}
	for t, n := range w.topics {
		row := Topic{Partitions: n}
		if w.racks > 0 {
			for p := range n {
				row.Racks = append(row.Racks, []string{fmt.Sprint("r", (p+t)%w.racks)})
			}
		}
		s.Topics = append(s.Topics, row)
	}
	for _, id := range w.ids() {
		m := w.members[id]
		s.Members = append(s.Members, Member{ID: id, Instance: m.instance, Rack: m.rack, Topics: m.topics, Has: w.has[id]})
	}
	return s
}

// take makes an answer what the members have.
func (w *world) take(s *Spec, parts [][]Part) {
	for i := range s.Members {
		w.has[s.Members[i].ID] = parts[i]
	}
}

// whole holds that every partition that is read has one owner, who reads it.
func whole(t *testing.T, s *Spec, parts [][]Part) {
	t.Helper()
	owners := map[Part]int{}
	for m := range parts {
		if !slices.IsSortedFunc(parts[m], func(a, b Part) int { return (a.Topic-b.Topic)*1000 + int(a.Partition-b.Partition) }) {
			t.Errorf("member %d: %v is out of order", m, parts[m])
		}
		for _, p := range parts[m] {
			owners[p]++
			if !s.reads(m, p.Topic) {
				t.Errorf("member %d has %v and does not read it", m, p)
			}
		}
	}
	for topic := range s.Topics {
		read := slices.ContainsFunc(s.Members, func(m Member) bool { return slices.Contains(m.Topics, topic) })
		for p := range int32(s.Topics[topic].Partitions) {
			want := 0
			if read {
				want = 1
			}
			if got := owners[Part{topic, p}]; got != want {
				t.Errorf("partition %d of topic %d has %d owners, want %d", p, topic, got, want)
			}
			delete(owners, Part{topic, p})
		}
	}
	if len(owners) > 0 {
		t.Errorf("partitions that are not there have owners: %v", owners)
	}
}

// balanced holds that no partition could go from a member to one with two
// fewer, by whatever way. It is the naive twin of ways: a closure over who can
// give to whom.
func balanced(t *testing.T, s *Spec, parts [][]Part) {
	t.Helper()
	n := len(parts)
	reach := make([][]bool, n)
	for a := range parts {
		reach[a] = make([]bool, n)
		for _, p := range parts[a] {
			for b := range parts {
				reach[a][b] = reach[a][b] || s.reads(b, p.Topic)
			}
		}
	}
	for k := range n {
		for a := range n {
			for b := range n {
				reach[a][b] = reach[a][b] || reach[a][k] && reach[k][b]
			}
		}
	}
	for a := range n {
		for b := range n {
			if reach[a][b] && len(parts[a]) >= len(parts[b])+2 {
				t.Errorf("member %d has %d partitions, and one could go to member %d, who has %d", a, len(parts[a]), b, len(parts[b]))
			}
		}
	}
}

// moved counts the partitions that changed hands between two who are there.
func moved(s *Spec, parts [][]Part) (n int) {
	had := map[Part]int{}
	for m := range s.Members {
		for _, p := range s.Members[m].Has {
			had[p] = m
		}
	}
	for m := range parts {
		for _, p := range parts[m] {
			if before, ok := had[p]; ok && before != m && s.reads(before, p.Topic) {
				n++
			}
		}
	}
	return n
}

// mustMove is the least that must change hands for balance among members that
// all read the same, when nobody says where it is.
func mustMove(s *Spec) (n int) {
	total := 0
	for _, t := range s.Members[0].Topics {
		total += s.Topics[t].Partitions
	}
	share, more := total/len(s.Members), total%len(s.Members)
	for m := range s.Members {
		has := 0
		for _, p := range s.Members[m].Has {
			if int(p.Partition) < s.Topics[p.Topic].Partitions {
				has++
			}
		}
		if has > share && more > 0 {
			more--
			has--
		}
		n += max(has-share, 0)
	}
	return n
}

func TestEveryPartitionHasOneOwnerWhateverHappens(t *testing.T) {
	for seed := range uint64(300) {
		w := newWorld(seed, seed%2 == 0)
		for step := range 30 {
			w.change()
			s := w.spec()
			if len(s.Members) == 0 {
				continue
			}
			uniform := Uniform(s)
			whole(t, s, uniform)
			balanced(t, s, uniform)
			if again := Uniform(s); !reflect.DeepEqual(again, uniform) {
				t.Errorf("the same question has two answers: %v and %v", uniform, again)
			}
			if w.alike && w.racks == 0 && moved(s, uniform) != mustMove(s) {
				t.Errorf("%d partitions changed hands, %d had to", moved(s, uniform), mustMove(s))
			}
			whole(t, s, Range(s))
			w.take(s, uniform)
			if n := w.settled(); n > 0 {
				t.Errorf("nothing happened, and %d partitions changed hands", n)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d, topics %v, members %+v", seed, step, w.topics, s.Members)
			}
		}
	}
}

// settled counts what changes hands when nothing happened any more; near
// partitions may be found in a few rounds.
func (w *world) settled() (n int) {
	for range 20 {
		s := w.spec()
		parts := Uniform(s)
		if n = moved(s, parts); n == 0 {
			return 0
		}
		w.take(s, parts)
	}
	return n
}

func TestPartitionsGoToMembersNearTheirReplicas(t *testing.T) {
	s := &Spec{Topics: []Topic{{Partitions: 6, Racks: [][]string{{"a"}, {"b"}, {"a"}, {"b"}, {"a", "b"}, nil}}}}
	for i, rack := range []string{"b", "a", ""} {
		s.Members = append(s.Members, Member{ID: fmt.Sprint("m", i), Rack: rack, Topics: []int{0}})
	}
	got := Uniform(s)
	whole(t, s, got)
	for m, parts := range got[:2] {
		for _, p := range parts {
			racks := s.Topics[0].Racks[p.Partition]
			if racks != nil && !slices.Contains(racks, s.Members[m].Rack) {
				t.Errorf("member in %s has partition %d of %v: %v", s.Members[m].Rack, p.Partition, racks, got)
			}
		}
	}
}

func TestRangesAreRunsAndTheSameInTopicsOfOneSize(t *testing.T) {
	s := &Spec{Topics: []Topic{{Partitions: 7}, {Partitions: 7}, {Partitions: 2}}}
	for _, id := range []string{"a", "b", "c"} {
		s.Members = append(s.Members, Member{ID: id, Topics: []int{0, 1, 2}})
	}
	s.Members[2].Instance = "first" // static members come first
	want := [][]Part{
		{{0, 3}, {0, 4}, {1, 3}, {1, 4}, {2, 1}},
		{{0, 5}, {0, 6}, {1, 5}, {1, 6}},
		{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {2, 0}},
	}
	got := Range(s)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	// A newcomer, whatever its name, goes to the end: the others keep their
	// places and give up at most what has to go.
	for m := range s.Members {
		s.Members[m].Has = got[m]
	}
	s.Members = append([]Member{{ID: "0", Topics: []int{0, 1, 2}}}, s.Members...)
	got = Range(s)
	if len(got[0]) != 2 || got[0][0] != (Part{0, 6}) {
		t.Errorf("the newcomer has %v, want the end of the larger topics", got[0])
	}
}

func TestAssignorsAreFoundByName(t *testing.T) {
	for name, known := range map[string]bool{"uniform": true, "range": true, "sticky": false, "": false} {
		if got := ByName(name) != nil; got != known {
			t.Errorf("%q is known: %v, want %v", name, got, known)
		}
	}
	for _, a := range []Assignor{Uniform, Range} {
		if got := a(&Spec{Topics: []Topic{{Partitions: 3}}}); len(got) != 0 {
			t.Errorf("without members: %v", got)
		}
		if got := a(&Spec{Members: []Member{{ID: "a", Has: []Part{{-1, 0}, {7, 1}}}}}); len(got) != 1 || len(got[0]) != 0 {
			t.Errorf("without topics: %v", got)
		}
	}
}

// large is a group of so many members and partitions, as it was before one
// member came.
func large(members, partitions int, alike bool) *Spec {
	s := &Spec{}
	for range 10 {
		s.Topics = append(s.Topics, Topic{Partitions: partitions / 10})
	}
	r := rand.New(rand.NewPCG(1, 1))
	for m := range members {
		row := Member{ID: fmt.Sprintf("m%05d", m)}
		for t := range s.Topics {
			if alike || r.IntN(2) == 0 {
				row.Topics = append(row.Topics, t)
			}
		}
		s.Members = append(s.Members, row)
	}
	before := Uniform(&Spec{Topics: s.Topics, Members: s.Members[1:]})
	for m, parts := range before {
		s.Members[m+1].Has = parts
	}
	return s
}

func BenchmarkAssign(b *testing.B) {
	for _, c := range []struct {
		name  string
		a     Assignor
		alike bool
	}{{"uniform", Uniform, true}, {"uniform, mixed", Uniform, false}, {"range", Range, true}} {
		for _, n := range []int{100, 1000} {
			b.Run(fmt.Sprintf("%s/%d members, %d partitions", c.name, n, n), func(b *testing.B) {
				s := large(n, n, c.alike)
				b.ReportAllocs()
				for b.Loop() {
					c.a(s)
				}
			})
		}
	}
}
