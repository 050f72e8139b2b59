package pattern

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestExplanationsNameTheFirstFieldThatFails(t *testing.T) {
	const event = `{"source":"shop.orders","Region":"eu","n":"17","detail":{"total":99.5,"state":"placed","ok":"true","items":[{"sku":"tea","qty":2},{"sku":"cup","qty":1}],"long":"` + `x` + `"}}`
	for _, c := range []struct{ pattern, want string }{
		{`{"source":["shop.orders"]}`, "matches"},
		{`{"source":["shop.returns"],"detail":{"total":[1]}}`, `source (line 1, column 2) wants "shop.returns"; got "shop.orders"`},
		{"{\"source\":[\"shop.orders\"],\n \"detail\":{\"total\":[{\"numeric\":[\">=\",100]},0]}}", `detail.total (line 2, column 12) wants {"numeric":[">=",100]} or 0; got 99.5`},
		{`{"source":["Shop.Orders"]}`, "source (line 1, column 2) wants \"Shop.Orders\"; got \"shop.orders\"\n\"Shop.Orders\" and \"shop.orders\" differ in case; equals-ignore-case does not look at it"},
		{`{"source":["shop.order"]}`, "source (line 1, column 2) wants \"shop.order\"; got \"shop.orders\"\n\"shop.order\" and \"shop.orders\" are a slip apart"},
		{`{"source":["shop.orders "]}`, "source (line 1, column 2) wants \"shop.orders \"; got \"shop.orders\"\n\"shop.orders \" and \"shop.orders\" differ in space"},
		{`{"region":["eu"]}`, "region (line 1, column 2) wants \"eu\"; the event has no value there\nthe event has \"Region\"; is that meant?"},
		{`{"detail":{"stat":["placed"]}}`, "detail.stat (line 1, column 12) wants \"placed\"; the event has no value there\nthe event has \"detail.state\"; is that meant?"},
		{`{"detail":{"items":["tea"]}}`, "detail.items (line 1, column 12) wants \"tea\"; the event has no value there\nthere the event has an object, and tests look at values only: name one of its fields"},
		{`{"source":{"name":["x"]}}`, "source.name (line 1, column 12) wants \"x\"; the event has no value there\nthe event's source is no object"},
		{`{"n":[17]}`, "n (line 1, column 2) wants 17; got \"17\"\nthe event has \"17\", which is a string; 17 is none"},
		{`{"n":[{"numeric":["=",17]}]}`, "n (line 1, column 2) wants {\"numeric\":[\"=\",17]}; got \"17\"\nthe event has \"17\", which is a string; numeric compares numbers only"},
		{`{"detail":{"ok":[true]}}`, "detail.ok (line 1, column 12) wants true; got \"true\"\nthe event has \"true\", which is a string; true is none"},
		{`{"detail":{"total":["99.5"]}}`, "detail.total (line 1, column 12) wants \"99.5\"; got 99.5\nthe event has 99.5 without quotation marks, which is no string"},
		{`{"detail":{"items":{"sku":["tea"],"qty":[1]}}}`, `detail.items.qty (line 1, column 35) wants 1; got 2, 1, but in other elements of a list than the fields before it`},
		{`{"source":["x"],"$or":[{"n":[1]},{"detail":{"state":["placed"]}}]}`, `none of 2 alternatives; the nearest: source (line 1, column 2) wants "x"; got "shop.orders"`},
		{`{"detail":{"gone":[{"exists":true}]}}`, `detail.gone (line 1, column 12) wants {"exists":true}; the event has no value there`},
		{`{"detail":{"state":[{"exists":false}]}}`, `detail.state (line 1, column 12) wants {"exists":false}; got "placed"`},
	} {
		x, err := mustParse(t, c.pattern).Explain([]byte(event))
		if err != nil || x.String() != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", c.pattern, err, x, c.want)
		}
	}
}

func TestAnExplanationAgreesWithTheMatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	apart := 0
	for range 3000 {
		p, event := mustParse(t, drawPattern(rng)), []byte(drawEvent(rng, 3))
		fits, err := p.Matches(event)
		x, also := p.Explain(event)
		if err != nil || also != nil || fits != x.Matched || !fits && (x.Path == "" || len(x.Wanted) == 0) {
			t.Fatalf("%s: %v, %v, explained as %+v, %v", event, fits, err, x, also)
		}
		if x.Apart {
			apart++
		}
	}
	if apart == 0 {
		t.Error("no field was apart from the others: what is drawn says little")
	}
}

func TestExplanationsAreShort(t *testing.T) {
	event := `{"a":["` + strings.Repeat("é", 5000) + `",` + strings.Repeat("1,", 100) + `2]}`
	x, err := mustParse(t, `{"a":["x"]}`).Explain([]byte(event))
	if err != nil || len(x.Got) != mostGot || len(x.String()) > 400 {
		t.Errorf("%v, %d values, %d bytes", err, len(x.Got), len(x.String()))
	}
}
