package schedule

import (
	"context"
	"errors"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

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
	case kind == name.Bus && text == name.DefaultBus:
		return nil
	}
	err = object.Here(ctx, s.o.Objects, ref)
	if err == nil {
		return nil
	}
	near := ""
	if errors.Is(err, object.ErrNotFound) {
		near, err = object.Near(ctx, s.o.Objects, ref)
	}
	if err != nil {
		return unavailable("look for "+ref.String(), err)
	}
	return invalid(field, "there is no %s%s", ref, near)
}
