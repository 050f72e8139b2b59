package hook

import (
	"context"
	"errors"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// Objects tell of what is written.
type Objects struct {
	*object.Store
	// Before is told what is about to be written, or to go; an error keeps it from that.
	// nil for nothing.
	Before func(o object.Object, gone bool) error
	// After is told what was written, or not; nil for nothing.
	After func(o object.Object)
}

func (h Objects) before(o object.Object, gone bool) error {
	if h.Before == nil {
		return nil
	}
	return h.Before(o, gone)
}

func (h Objects) after(o object.Object) {
	if h.After != nil {
		h.After(o)
	}
}

// Put is the store's.
func (h Objects) Put(ctx context.Context, o object.Object) (object.Object, error) {
	if err := h.before(o, false); err != nil {
		return o, err
	}
	out, err := h.Store.Put(ctx, o)
	h.after(o)
	return out, err
}

// PutUnder is the store's.
func (h Objects) PutUnder(ctx context.Context, o, owner object.Object) (object.Object, error) {
	if err := h.before(o, false); err != nil {
		return o, err
	}
	out, err := h.Store.PutUnder(ctx, o, owner)
	h.after(o)
	return out, err
}

// Remove is the store's.
func (h Objects) Remove(ctx context.Context, o object.Object) error {
	if err := h.before(o, true); err != nil {
		return err
	}
	return h.Store.Remove(ctx, o)
}

// Once is a Before that does something before the first write of an object of a kind, or
// before the first of them goes.
func Once(kind name.Kind, gone bool, do func()) func(object.Object, bool) error {
	then := Then(kind, do)
	return func(o object.Object, g bool) error {
		if g == gone {
			then(o)
		}
		return nil
	}
}

// Then is an After that does something after the first write of an object of a kind.
func Then(kind name.Kind, do func()) func(object.Object) {
	done := false
	return func(o object.Object) {
		if o.Ref.Kind == kind && !done {
			done = true
			do()
		}
	}
}

// ErrCut is what a service hears that is killed.
var ErrCut = errors.New("it was killed")

// CutAfter are the objects of a node that does something after its first write of an object
// of a kind, and then writes nothing more.
func CutAfter(store *object.Store, kind name.Kind, do func()) Objects {
	cut := false
	return Objects{
		Store: store,
		Before: func(object.Object, bool) error {
			if cut {
				return ErrCut
			}
			return nil
		},
		After: Then(kind, func() {
			do()
			cut = true
		}),
	}
}
