package epoch

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func cache(entries ...Entry) *Cache {
	c := new(Cache)
	c.Replace(entries)
	return c
}

func TestEndOfAnswersAsKafka(t *testing.T) {
	c := cache(Entry{2, 10}, Entry{5, 30}, Entry{6, 40})
	for _, w := range []struct {
		asked, epoch int32
		end          int64
	}{
		{0, 0, 10}, {2, 2, 30}, {3, 2, 30}, {4, 2, 30}, {5, 5, 40}, {6, 6, 99}, {7, -1, -1}, {-1, -1, -1},
		{-2, -2, 10}, // Kafka too takes only -1 for none
	} {
		if e, end := c.EndOf(w.asked, 99); e != w.epoch || end != w.end {
			t.Errorf("epoch %d: %d ends at %d, want %d at %d", w.asked, e, end, w.epoch, w.end)
		}
	}
	if e, end := new(Cache).EndOf(0, 5); e != -1 || end != -1 {
		t.Errorf("empty cache: %d, %d, want -1, -1", e, end)
	}
}

func TestAssignLetsContradictionsGiveWay(t *testing.T) {
	for _, c := range []struct {
		name  string
		from  []Entry
		epoch int32
		start int64
		want  []Entry
	}{
		{"first", nil, 3, 0, []Entry{{3, 0}}},
		{"next", []Entry{{3, 0}}, 4, 7, []Entry{{3, 0}, {4, 7}}},
		{"known already", []Entry{{3, 0}}, 3, 7, []Entry{{3, 0}}},
		{"known, earlier start", []Entry{{3, 9}}, 3, 7, []Entry{{3, 7}}},
		{"same start", []Entry{{3, 0}, {4, 7}}, 5, 7, []Entry{{3, 0}, {5, 7}}},
		{"older epoch", []Entry{{3, 0}, {6, 7}}, 5, 9, []Entry{{3, 0}, {5, 9}}},
		{"negative", []Entry{{3, 0}}, -1, 9, []Entry{{3, 0}}},
	} {
		k := cache(c.from...)
		k.Assign(c.epoch, c.start)
		if got := k.All(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTruncations(t *testing.T) {
	all := []Entry{{2, 10}, {5, 30}, {6, 40}}
	for offset, want := range map[int64][]Entry{5: {}, 10: {}, 11: all[:1], 30: all[:1], 40: all[:2], 41: all} {
		c := cache(all...)
		c.TruncateEnd(offset)
		if got := c.All(); !slices.Equal(got, want) {
			t.Errorf("end at %d: %v, want %v", offset, got, want)
		}
	}
	for offset, want := range map[int64][]Entry{5: all, 10: all, 20: {{2, 20}, {5, 30}, {6, 40}}, 30: {{5, 30}, {6, 40}}, 90: {{6, 90}}} {
		c := cache(all...)
		c.TruncateStart(offset)
		if got := c.All(); !slices.Equal(got, want) {
			t.Errorf("start at %d: %v, want %v", offset, got, want)
		}
	}
}

func TestDisorderIsNotTakenOver(t *testing.T) {
	for _, bad := range [][]Entry{{{3, 0}, {2, 5}}, {{3, 5}, {4, 5}}, {{-1, 0}}, {{1, -1}}} {
		c := cache(Entry{1, 1})
		if c.Replace(bad) || len(c.All()) != 0 {
			t.Errorf("%v: taken over as %v", bad, c.All())
		}
	}
}

func TestLookupsAgreeWithAWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		c := new(Cache)
		for range r.IntN(8) {
			c.Assign(r.Int32N(20), r.Int64N(50))
		}
		for o := range int64(55) {
			want, ok := int32(0), false
			for _, e := range c.All() {
				if e.Start <= o {
					want, ok = e.Epoch, true
				}
			}
			if got, k := c.EpochOf(o); got != want || k != ok {
				t.Fatalf("%v: offset %d is of epoch %d %v, want %d %v", c.All(), o, got, k, want, ok)
			}
		}
		if !slices.IsSortedFunc(c.All(), func(a, b Entry) int { return int(a.Epoch - b.Epoch) }) {
			t.Fatalf("%v does not rise", c.All())
		}
	}
}

func TestVersionMovesWithEveryChangeAndNoOther(t *testing.T) {
	c := cache(Entry{2, 10})
	v := c.Version()
	c.Assign(2, 20)
	c.TruncateEnd(50)
	c.TruncateStart(3)
	if c.Version() != v {
		t.Errorf("version %d after nothing changed, want %d", c.Version(), v)
	}
	for _, f := range []func(){func() { c.Assign(3, 30) }, func() { c.TruncateEnd(30) }, func() { c.TruncateStart(20) }} {
		if f(); c.Version() == v {
			t.Errorf("version still %d after a change: %v", v, c.All())
		}
		v = c.Version()
	}
}
