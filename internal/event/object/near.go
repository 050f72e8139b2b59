package object

import (
	"context"
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/nearest"
)

// Known is what a Store knows of objects.
type Known interface {
	Get(ctx context.Context, ref name.Ref) (Object, error)
	Current(ctx context.Context, ref name.Ref) (Object, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]Object, string, error)
}

// CheckThere tells whether the object that a field of a Spec names is there for others to
// use, which it is not while it is made or deleted: an InvalidError where it is not, with
// the name that may have been meant.
func CheckThere(ctx context.Context, store Known, field string, ref name.Ref) error {
	o, err := store.Get(ctx, ref)
	if err == nil && !o.There() { // or it was so a moment ago
		o, err = store.Current(ctx, ref)
	}
	if err == nil && o.There() {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	meant, err := meantBy(ctx, store, ref)
	if err != nil {
		return err
	}
	return &InvalidError{Field: field, Why: fmt.Sprintf("there is no %s%s", ref, meant)}
}

// mostNear bounds the names that are compared with one that is not there.
const mostNear = 1000

// meantBy asks whether another object of the kind and place was meant, that has nearly the
// same name: "; did you mean NAME?", or "".
func meantBy(ctx context.Context, store Known, ref name.Ref) (string, error) {
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
