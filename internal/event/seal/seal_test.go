package seal_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/seal"
)

// objects are a store that two boxes share.
type objects struct {
	mu  sync.Mutex
	all map[string]object.Object
}

func (o *objects) Put(_ context.Context, x object.Object) (object.Object, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, there := o.all[x.Ref.Key()]; there {
		return object.Object{}, object.ErrConflict
	}
	o.all[x.Ref.Key()] = x
	return x, nil
}

func (o *objects) Get(_ context.Context, ref name.Ref) (object.Object, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x, there := o.all[ref.Key()]
	if !there {
		return object.Object{}, object.ErrNotFound
	}
	return x, nil
}

func TestWhatOneNodeSealsAnotherOpens(t *testing.T) {
	store := &objects{all: map[string]object.Object{}}
	one, other := seal.New(store), seal.New(store)
	text, err := one.Seal(t.Context(), []byte("hush"), "connection/1")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "hush") {
		t.Errorf("sealed it is %s", text)
	}
	if got, err := other.Open(t.Context(), text, "connection/1"); err != nil || string(got) != "hush" {
		t.Errorf("opened it is %q: %v", got, err)
	}
	again, err := one.Seal(t.Context(), []byte("hush"), "connection/1")
	if err != nil || again == text {
		t.Errorf("the same text is sealed alike: %v", err)
	}
}

func TestWhatWasChangedOrMovedDoesNotOpen(t *testing.T) {
	box := seal.New(&objects{all: map[string]object.Object{}})
	text, err := box.Seal(t.Context(), []byte("hush"), "connection/1")
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(text)
	changed[len(changed)-3] ^= 1
	for what, c := range map[string][2]string{
		"moved": {text, "connection/2"}, "changed": {string(changed), "connection/1"}, "cut": {text[:12], "connection/1"}, "bare": {"hush", "connection/1"}, "empty": {"", "connection/1"},
	} {
		if got, err := box.Open(t.Context(), c[0], c[1]); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
}
