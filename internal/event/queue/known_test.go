package queue

import (
	"encoding/json"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// What a queue is said to be is what its object says now.
func TestAQueueIsReadAnewWhenItsObjectChanged(t *testing.T) {
	var k known
	read := func(id string, version, visibilityMs int64) Queue {
		t.Helper()
		spec, err := json.Marshal(Spec{VisibilityMs: visibilityMs})
		if err != nil {
			t.Fatal(err)
		}
		q, err := k.queue(&object.Object{Ref: name.Of(name.Queue, "q"), ID: id, Version: version, Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	for _, c := range []struct {
		id                  string
		version, told, want int64
	}{{"a", 1, 10, 10}, {"a", 1, 99, 10}, {"a", 2, 20, 20}, {"b", 2, 30, 30}, {"b", 1, 40, 40}} {
		if got := read(c.id, c.version, c.told); got.VisibilityMs != c.want || got.Version != c.version || got.ID != c.id {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
	if _, err := k.queue(&object.Object{Ref: name.Of(name.Queue, "bad"), Spec: []byte("{")}); err == nil {
		t.Error("an object that cannot be read is a queue")
	}
	again := &object.Object{Ref: name.Of(name.Queue, "q"), ID: "b", Version: 1}
	if n := testing.AllocsPerRun(100, func() { _, _ = k.queue(again) }); n > 0 {
		t.Errorf("a queue that is known costs %v allocations", n)
	}
}
