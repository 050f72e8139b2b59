package schedule

import (
	"context"
	"errors"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// checkThere tells whether what a Spec names is there. What old, which may be nil, names
// already stays. As in AWS an ARN may name what comes later; what has another name is most
// likely mistyped.
func (s *Service) checkThere(ctx context.Context, of Ref, spec, old *Spec) error {
	if old == nil {
		old = &Spec{}
	}
	if err := s.checkTarget(ctx, of, &spec.Target, &old.Target); err != nil || spec.DeadLetters == old.DeadLetters {
		return err
	}
	return s.checkLetters(ctx, of, spec.DeadLetters)
}

// checkTarget is checkThere of a target.
func (s *Service) checkTarget(ctx context.Context, of Ref, t, old *Target) error {
	kind, field, text := t.named()
	if k, _, was := old.named(); k == kind && was == text {
		return nil
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
	return s.isThere(ctx, field, ref)
}

// checkLetters is checkThere of the queue for dead letters: of one that is mistyped nobody
// would know before a run that was given up is lost.
func (s *Service) checkLetters(ctx context.Context, of Ref, text string) error {
	if text == "" || strings.HasPrefix(text, "arn:") {
		return nil
	}
	ref, err := refOf(name.Queue, text, of)
	if err != nil {
		return because("dead_letters", err)
	}
	return s.isThere(ctx, "dead_letters", ref)
}

// isThere tells whether the object is there that a field names.
func (s *Service) isThere(ctx context.Context, field string, ref name.Ref) error {
	err := object.CheckThere(ctx, s.o.Objects, field, ref)
	if err == nil || errors.Is(err, ErrInvalid) {
		return err
	}
	return unavailable("look for "+ref.String(), err)
}
