package schedule

import (
	"context"
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// defaultBus is the bus that is always there.
const defaultBus = "default"

// checkThere tells whether what a target names is there, unless old, which may be nil,
// names the same. As in AWS an ARN may name what comes later; what has another name is
// most likely mistyped.
func (s *Service) checkThere(ctx context.Context, of Ref, t, old *Target) error {
	kind, field, text := t.named()
	if old != nil {
		if k, _, was := old.named(); k == kind && was == text {
			return nil
		}
	}
	ref, err := t.Place(of)
	switch {
	case err != nil:
		return err
	case kind == "", ref.Name != text: // an address, an ARN
		return nil
	case kind == name.Topic:
		if s.o.Partitions(text) == 0 {
			return invalid(field, "there is no topic %s", text)
		}
		return nil
	case kind == name.Function:
		if s.o.Functions == nil || !s.o.Functions.Has(text) {
			return invalid(field, "there is no function %s: a file on the server declares them (functions.file)", text)
		}
		return nil
	case kind == name.Bus && text == defaultBus:
		return nil
	}
	there, err := s.there(ctx, ref)
	if err != nil || there {
		return err
	}
	near, err := object.Near(ctx, s.o.Objects, ref)
	if err != nil {
		return unavailable("look for "+ref.String(), err)
	}
	return invalid(field, "there is no %s%s", ref, near)
}

// there tells whether there is an object.
func (s *Service) there(ctx context.Context, ref name.Ref) (bool, error) {
	o, err := s.o.Objects.Get(ctx, ref)
	if err == nil && !o.There() { // or it was so a moment ago
		o, err = s.o.Objects.Current(ctx, ref)
	}
	switch {
	case errors.Is(err, object.ErrNotFound):
		return false, nil
	case err != nil:
		return false, unavailable(fmt.Sprintf("look for %s", ref), err)
	}
	return o.There(), nil
}
