package object

import (
	"context"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/nearest"
)

// Here asks whether an object is there for others to use; ErrNotFound when it is not, or is
// being made or deleted.
func Here(ctx context.Context, store interface {
	Get(ctx context.Context, ref name.Ref) (Object, error)
	Current(ctx context.Context, ref name.Ref) (Object, error)
}, ref name.Ref) error {
	o, err := store.Get(ctx, ref)
	if err == nil && !o.There() { // or it was so a moment ago
		o, err = store.Current(ctx, ref)
	}
	if err == nil && !o.There() {
		err = fmt.Errorf("%s is being made or deleted: %w", ref, ErrNotFound)
	}
	return err
}

// mostNear bounds the names that are compared with one that is not there.
const mostNear = 1000

// Near asks whether another object of the kind and place was meant, that has nearly the
// same name: "; did you mean NAME?", or "".
func Near(ctx context.Context, store interface {
	List(ctx context.Context, begin name.Ref, after string, most int) ([]Object, string, error)
}, ref name.Ref) (string, error) {
	begin := ref
	begin.Name = ""
	all, _, err := store.List(ctx, begin, "", mostNear)
	if err != nil {
		return "", err
	}
	var known []string
	for i := range all {
		if all[i].There() && all[i].Ref.Name != ref.Name { // or it is made at this moment
			known = append(known, all[i].Ref.Name)
		}
	}
	if near := nearest.Of(ref.Name, known); near != "" {
		return "; did you mean " + near + "?", nil
	}
	return "", nil
}
