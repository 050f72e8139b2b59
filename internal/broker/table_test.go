package broker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// The table against two plain maps, under random changes.
func TestTableAgreesWithAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tab := newTable()
	twin := map[string]*topic{}
	for step := range 2000 {
		var out, in []*topic
		touched := map[string]bool{} // a step changes a topic once
		for range r.IntN(5) {
			name := fmt.Sprint("t", r.IntN(300))
			if touched[name] {
				continue
			}
			touched[name] = true
			if old := twin[name]; old != nil && r.IntN(2) == 0 {
				out = append(out, old)
				delete(twin, name)
			} else {
				x := &topic{name: name, id: uuid.UUID{byte(step >> 8), byte(step), 15: byte(r.IntN(256))}}
				if old != nil {
					x.id = old.id
				}
				in = append(in, x)
				twin[name] = x
			}
		}
		tab.change(out, in)
	}
	n := 0
	for x := range tab.topics() {
		n++
		if twin[x.name] != x {
			t.Fatalf("%s is listed and should not be", x.name)
		}
	}
	if n != len(twin) {
		t.Errorf("%d topics are listed, want %d", n, len(twin))
	}
	for name, x := range twin {
		if tab.byName([]byte(name)) != x || tab.byID(x.id) != x {
			t.Errorf("%s is not found", name)
		}
	}
	if _, code := tab.byName([]byte("nobody")).serve(0, wire.UnknownTopicOrPartition); code != wire.UnknownTopicOrPartition {
		t.Errorf("an unknown name: %v", code)
	}
}

func BenchmarkByName(b *testing.B) {
	tab := newTable()
	var all []*topic
	for n := range 10_000 {
		all = append(all, &topic{name: fmt.Sprint("topic-", n), id: uuid.UUID{byte(n >> 8), byte(n), 15: byte(n)}, parts: make([]*held, 1)})
	}
	tab.change(nil, all)
	name := []byte("topic-7777")
	b.ReportAllocs()
	for b.Loop() {
		tab.byName(name).serve(0, wire.UnknownTopicOrPartition)
	}
}

// BenchmarkCreate is what one more topic costs beside 10,000 others.
func BenchmarkCreate(b *testing.B) {
	tab := newTable()
	var all []*topic
	for n := range 10_000 {
		all = append(all, &topic{name: fmt.Sprint("topic-", n), id: uuid.UUID{byte(n >> 8), byte(n), 15: byte(n)}})
	}
	tab.change(nil, all)
	one := []*topic{{name: "one", id: uuid.UUID{1, 15: 9}}}
	b.ReportAllocs()
	for b.Loop() {
		tab.change(nil, one)
		tab.change(one, nil)
	}
}
