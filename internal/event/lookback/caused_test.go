package lookback

import (
	"fmt"
	"strings"
	"testing"

	"ottla/internal/event/envelope"
)

func TestWhatWasCausedStandsBehindItsCause(t *testing.T) {
	l := newLinks("a")
	put := func(id, cause, correlated string, ms int64) {
		e := &envelope.Event{ID: id, Type: "T", Source: "s"}
		e.Set(causation, cause)
		e.Set(correlation, correlated)
		if !l.take("shop", place{topic: "shop", offset: ms, putMs: ms}, e) {
			t.Errorf("%s is not taken", id)
		}
	}
	put("c", "b", "a", 3)
	put("b", "a", "", 2)
	put("d", "", "a", 1)
	put("a", "c", "", 4) // round: it is told once
	put("b", "a", "", 5) // forwarded within the bus: it is told twice at most
	put("f", "e", "", 6) // its cause comes later
	put("e", "b", "", 7)
	put("h", "gone", "a", 8) // its cause is not there, and it names what all began with
	put("x", "y", "", 9)
	put("plain", "", "", 10)
	var got []string
	for _, c := range l.caused() {
		got = append(got, fmt.Sprintf("%d %s by %s at %d", c.Depth, c.ID, c.By, c.Offset))
	}
	if want := "1 d by correlationid at 1, 1 b by causationid at 2, 2 e by causationid at 7, 3 f by causationid at 6, 1 c by correlationid at 3, 1 h by correlationid at 8"; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestLinksAreBounded(t *testing.T) {
	l := newLinks("a")
	take := func(id, cause string) bool {
		e := &envelope.Event{ID: id, Type: strings.Repeat("t", 10_000)}
		e.Set(causation, cause)
		return l.take("shop", place{}, e)
	}
	for i := range mostLinks + 1 {
		if !take(fmt.Sprint("x", i), "other") { // nobody asked for them
			t.Fatal("what may not be wanted makes a trace say that it is cut")
		}
	}
	for i := range mostLinks {
		if !take(fmt.Sprint("b", i), "a") {
			t.Fatal("what is wanted has no room beside what is not")
		}
	}
	if take("c", "a") || take(strings.Repeat("c", mostID+1), "a") || len(l.others) != mostLinks || len(l.sure[0].Type) > mostWord+len("…") {
		t.Error("there is no bound")
	}
	if !take(strings.Repeat("c", mostID+1), "other") {
		t.Error("an id that is too long, of what nobody asked for, makes a trace say that it is cut")
	}
}
