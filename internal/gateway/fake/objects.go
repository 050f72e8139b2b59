package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/timer"
)

// Objects is a store of objects in memory, as event/object has one in a topic.
type Objects struct {
	mu  sync.Mutex // guards all
	all map[string]object.Object
	// deleted has the tokens by which a key was deleted.
	deleted map[[2]string]bool
	Now     func() time.Time
}

// Put writes an object at the version that it names.
func (f *Objects) Put(_ context.Context, o object.Object) (object.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.all[o.Ref.Key()]
	if old.Version != o.Version {
		return object.Object{}, fmt.Errorf("%s: %w", o.Ref, object.ErrConflict)
	}
	if f.all == nil {
		f.all = map[string]object.Object{}
	}
	o.ID, o.Created, o.Modified = old.ID, old.Created, f.Now()
	if o.Version == 0 {
		o.ID, o.Created = o.Ref.Key(), o.Modified
	}
	o.Version++
	f.all[o.Ref.Key()] = o
	return o, nil
}

// Delete deletes an object at a version.
func (f *Objects) Delete(ctx context.Context, ref name.Ref, version int64) error {
	return f.DeleteOnce(ctx, ref, version, "")
}

// DeleteOnce is Delete for a request that its token names.
func (f *Objects) DeleteOnce(_ context.Context, ref name.Ref, version int64, token string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch o, ok := f.all[ref.Key()]; {
	case !ok:
		return fmt.Errorf("%s: %w", ref, object.ErrNotFound)
	case o.Version != version:
		return fmt.Errorf("%s: %w", ref, object.ErrConflict)
	}
	delete(f.all, ref.Key())
	if f.deleted == nil {
		f.deleted = map[[2]string]bool{}
	}
	f.deleted[[2]string{ref.Key(), token}] = token != ""
	return nil
}

// DeletedBy tells whether DeleteOnce was asked with this token.
func (f *Objects) DeletedBy(_ context.Context, ref name.Ref, token string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deleted[[2]string{ref.Key(), token}], nil
}

// Get finds an object.
func (f *Objects) Get(_ context.Context, ref name.Ref) (object.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o, ok := f.all[ref.Key()]; ok {
		return o, nil
	}
	return object.Object{}, fmt.Errorf("%s: %w", ref, object.ErrNotFound)
}

// Current is Get.
func (f *Objects) Current(ctx context.Context, ref name.Ref) (object.Object, error) {
	return f.Get(ctx, ref)
}

// List gives objects by name.
func (f *Objects) List(_ context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []object.Object
	for _, k := range slices.Sorted(maps.Keys(f.all)) {
		o := f.all[k]
		if !strings.HasPrefix(k, begin.Key()) || after != "" && o.Ref.Name <= after {
			continue
		}
		if len(out) == most {
			return out, out[most-1].Ref.Name, nil
		}
		out = append(out, o)
	}
	return out, "", nil
}

// Watch tells nothing: what runs by what is told is not under test here.
func (f *Objects) Watch(name.Ref, func(object.News)) func() { return func() {} }

// Timers take every timer and never fire.
type Timers struct{}

// Set takes timers.
func (Timers) Set(_ context.Context, timers []timer.Timer) []error {
	return make([]error, len(timers))
}

// Cancel forgets timers.
func (Timers) Cancel(_ context.Context, keys []string) []error { return make([]error, len(keys)) }
