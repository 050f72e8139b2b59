package pattern

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// mustParse parses a pattern that is right.
func mustParse(t testing.TB, text string) *Pattern {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func TestMatchesAreThoseOfTheNaiveTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const rules = 40
	fits, pairs := 0, 0
	var m Matcher
	for range 16 {
		e := NewSet().Edit()
		texts := make([]string, rules)
		for i := range texts {
			texts[i] = drawPattern(rng)
			e.Put(ID(i), mustParse(t, texts[i]))
		}
		s := e.Set()
		for range 40 {
			event := drawEvent(rng, 3)
			ids, err := s.Match([]byte(event), &m, nil)
			if err != nil {
				t.Fatalf("%s: %v", event, err)
			}
			for i, text := range texts {
				want := twinMatches(text, event)
				if got := slices.Contains(ids, ID(i)); got != want {
					t.Fatalf("pattern %s\nevent   %s\ngot %v, the twin says %v", text, event, got, want)
				}
				pairs++
				if want {
					fits++
				}
			}
		}
	}
	if fits*20 < pairs || fits*2 > pairs {
		t.Errorf("%d of %d pairs fit: what is drawn says little", fits, pairs)
	}
}

func TestEachRuleIsFoundOnceInAscendingOrder(t *testing.T) {
	s := NewSet().
		With(9, mustParse(t, `{"a":["x","y"],"b":["x","y"]}`)).
		With(3, mustParse(t, `{"$or":[{"a":["x"]},{"b":["y"]}]}`)).
		With(5, mustParse(t, `{"c":[{"exists":false}]}`))
	var m Matcher
	before := []ID{77, 1}
	ids, err := s.Match([]byte(`{"a":["x","y","x"],"b":["y","x"]}`), &m, before)
	if err != nil {
		t.Fatal(err)
	}
	if want := []ID{77, 1, 3, 5, 9}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func TestAMatcherServesManySets(t *testing.T) {
	one := NewSet().With(1, mustParse(t, `{"a":["x"]}`))
	many := NewSet().Edit()
	for i := range 100 {
		many.Put(ID(i), mustParse(t, `{"n`+string(rune('a'+i%26))+string(rune('a'+i/26))+`":["x"],"a":["x"]}`))
	}
	large := many.Set()
	var m Matcher
	for range 3 {
		for _, c := range []struct {
			s     *Set
			event string
			want  []ID
		}{
			{one, `{"a":"x"}`, []ID{1}},
			{large, `{"a":"x","nba":"x"}`, []ID{1}},
			{large, `{"a":"y","nba":"x"}`, nil},
			{one, `{"nba":"x"}`, nil},
		} {
			got, err := c.s.Match([]byte(c.event), &m, nil)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, %v, want %v", c.event, got, err, c.want)
			}
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	e := NewSet().Edit()
	for i, text := range []string{
		`{"source":["shop"],"detail":{"total":[{"numeric":[">",10]}]}}`,
		`{"source":["shop"],"detail":{"items":{"sku":["a-1"],"n":[2]}}}`,
		`{"source":[{"prefix":"sh"}],"detail":{"ip":[{"cidr":"10.0.0.0/8"}]}}`,
		`{"source":[{"equals-ignore-case":"SHOP"}],"detail":{"note":[{"wildcard":"*x*"}]}}`,
		`{"source":[{"anything-but":["bank"]}],"detail":{"gone":[{"exists":false}]}}`,
		`{"source":[{"suffix":"op"}],"detail":{"total":[12.5]}}`,
	} {
		e.Put(ID(i), mustParse(t, text))
	}
	s := e.Set()
	event := []byte(`{"source":"shop","detail":{"total":12.5,"ip":"10.1.2.3","note":"a\u0078b","items":[{"sku":"a-2","n":2},{"sku":"a-1","n":2}]}}`)
	var m Matcher
	ids, err := s.Match(event, &m, make([]ID, 0, 16))
	if err != nil || len(ids) != 6 {
		t.Fatalf("got %v, %v", ids, err)
	}
	if n := testing.AllocsPerRun(200, func() {
		if ids, err = s.Match(event, &m, ids[:0]); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a match allocates %v times", n)
	}
}
