package object_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

func having(topic, rest string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"topic":%q%s}`, topic, rest))
}

// Of objects of several kinds that name one topic at the same moment, at several nodes,
// one is written.
func TestATopicIsOfOneObject(t *testing.T) {
	ctx, all := stores(t, 3)
	kinds := []name.Kind{name.Queue, name.Bus, name.SNS, name.Archive}
	for round := range 5 {
		topic := fmt.Sprint("orders-", round)
		var mu sync.Mutex // guards won
		var won []name.Ref
		var working sync.WaitGroup
		for i, kind := range kinds {
			working.Go(func() {
				ref := name.Of(kind, fmt.Sprint(kind, round))
				_, err := all[i%len(all)].Put(ctx, object.Object{Ref: ref, Spec: having(topic, `,"making":true`)})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, ref)
				} else if !errors.Is(err, object.ErrConflict) {
					t.Errorf("%s: %v", ref, err)
				}
			})
		}
		working.Wait()
		if len(won) != 1 {
			t.Fatalf("%s is of %v", topic, won)
		}
		for _, s := range all {
			if by, held, err := s.HolderOf(ctx, topic, name.Ref{}); err != nil || !held || by != won[0] {
				t.Errorf("%s is of %s, %v, %v; want %s", topic, by, held, err, won[0])
			}
			if by, held, err := s.HolderOf(ctx, topic, won[0]); err != nil || held {
				t.Errorf("%s is of %s, too: %v", topic, by, err)
			}
		}
	}
}

// A topic is free when its object is gone or has another, and when it stays as the object
// goes; objects of other kinds have none.
func TestWhenATopicIsFree(t *testing.T) {
	ctx, all := stores(t, 1)
	s := all[0]
	a, b := name.Of(name.Queue, "a"), name.Of(name.Bus, "b")
	put := func(ref name.Ref, version int64, spec json.RawMessage) (object.Object, error) {
		return s.Put(ctx, object.Object{Ref: ref, Version: version, Spec: spec})
	}
	must := func(o object.Object, err error) object.Object {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	refused := func(what string, _ object.Object, err error) {
		t.Helper()
		if !errors.Is(err, object.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(put(name.Of(name.Schedule, "default/x"), 0, having("orders", "")))
	must(put(a, 0, having("orders", "")))
	must(put(a, 1, having("orders", `,"more":1`))) // it stays his own
	o, err := put(b, 0, having("orders", ""))
	refused("another's", o, err)
	must(put(b, 0, having("", "")))
	o, err = put(b, 1, having("orders", ""))
	refused("taken later", o, err)
	must(put(a, 2, having("orders", `,"ending":true`)))
	o, err = put(b, 1, having("orders", ""))
	refused("of one that is deleted with it", o, err)
	must(put(a, 3, having("orders", `,"ending":true,"adopted":true`)))
	must(put(b, 1, having("orders", "")))
	if err := s.Delete(ctx, b, 2); err != nil {
		t.Fatal(err)
	}
	must(put(name.Of(name.SNS, "c"), 0, having("orders", "")))
}

// What belongs to an object is put only while that is there, and what has another ID by
// now is neither changed nor removed.
func TestChangesAreOfTheObjectThatIsMeant(t *testing.T) {
	ctx, all := stores(t, 2)
	s := all[0]
	bus, rule := name.Of(name.Bus, "shop"), name.Of(name.Rule, "shop/x")
	put := func(o object.Object) object.Object {
		t.Helper()
		o, err := s.Put(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	under := func(owner object.Object) error {
		_, err := all[1].PutUnder(ctx, object.Object{Ref: rule, Spec: spec("x")}, owner)
		return err
	}
	first := put(object.Object{Ref: bus, Spec: having("shop", "")})
	ending := put(object.Object{Ref: bus, ID: first.ID, Version: 1, Spec: having("shop", `,"ending":true`)})
	if err := under(first); !errors.Is(err, object.ErrConflict) {
		t.Errorf("put under a bus that goes: %v", err)
	}
	if err := s.Remove(ctx, ending); err != nil {
		t.Fatal(err)
	}
	if err := under(first); !errors.Is(err, object.ErrConflict) {
		t.Errorf("put under a bus that is gone: %v", err)
	}
	put(object.Object{Ref: bus, Spec: having("shop", "")})
	second := put(object.Object{Ref: bus, Version: 1, Spec: having("shop", "")})
	if err := under(first); !errors.Is(err, object.ErrConflict) {
		t.Errorf("put under another bus: %v", err)
	}
	if err := s.Remove(ctx, ending); !errors.Is(err, object.ErrConflict) {
		t.Errorf("another bus of that version was removed: %v", err)
	}
	if _, err := s.Put(ctx, object.Object{Ref: bus, ID: first.ID, Version: 2, Spec: spec("x")}); !errors.Is(err, object.ErrConflict) {
		t.Errorf("another bus of that version was changed: %v", err)
	}
	if err := under(second); err != nil {
		t.Errorf("put under the bus that is there: %v", err)
	}
	if _, err := s.Current(context.Background(), rule); err != nil {
		t.Error(err)
	}
}
