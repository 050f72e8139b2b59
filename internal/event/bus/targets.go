package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
)

// PutTargets adds targets to a rule, or puts them in the place of those with the same
// ids. errs has an error for each that cannot be: then none is put, as at AWS, where such
// a call fails whole. err is that of all.
func (s *Service) PutTargets(ctx context.Context, ref RuleRef, targets []Target) (r Rule, errs []error, err error) {
	ref = RuleRefOf(ref.Full())
	errs = make([]error, len(targets))
	r, _, err = s.changeRule(ctx, ref, changing{how: func(n *noteOfRule) error {
		bad := 0
		for i := range targets {
			if errs[i] = s.putTarget(ctx, ref, n, targets[i], s.o.Sealer); errs[i] != nil {
				bad++
			}
			if unknown := errors.Is(errs[i], ErrUnavailable); unknown {
				return errs[i]
			}
		}
		if bad > 0 {
			return errNothing
		}
		sortTargets(n.Targets)
		return nil
	}})
	if errors.Is(err, errNothing) {
		r, err = s.Rule(ctx, ref)
	}
	return r, errs, err
}

// ApplyRule makes a rule be as it is told, whole: one that is there gets this Spec, and
// these targets in place of its own; nil leaves it its targets. Nothing is changed when
// a target cannot be.
func (s *Service) ApplyRule(ctx context.Context, ref RuleRef, spec RuleSpec, targets []Target) (r Rule, created bool, err error) {
	ref = RuleRefOf(ref.Full())
	return s.changeRule(ctx, ref, changing{make: true, how: func(n *noteOfRule) error { return s.putWhole(ctx, ref, n, spec, targets, s.o.Sealer) }})
}

// putWhole puts a Spec and targets in the place of those that a rule has.
func (s *Service) putWhole(ctx context.Context, rule RuleRef, n *noteOfRule, spec RuleSpec, targets []Target, by Sealer) error {
	n.RuleSpec = spec
	if targets == nil {
		return nil
	}
	n.Targets = slices.DeleteFunc(n.Targets, func(o Target) bool {
		return !slices.ContainsFunc(targets, func(t Target) bool { return t.ID == o.ID })
	})
	for i := range targets {
		if err := s.putTarget(ctx, rule, n, targets[i], by); err != nil {
			return fmt.Errorf("target %s: %w", targets[i].ID, err)
		}
	}
	sortTargets(n.Targets)
	return nil
}

// UpdateTarget changes a target; ErrNotFound when there is none.
func (s *Service) UpdateTarget(ctx context.Context, ref RuleRef, id string, change func(*Target) error) (Rule, error) {
	ref = RuleRefOf(ref.Full())
	r, _, err := s.changeRule(ctx, ref, changing{how: func(n *noteOfRule) error {
		at := slices.IndexFunc(n.Targets, func(t Target) bool { return t.ID == id })
		if at < 0 {
			return fmt.Errorf("target %s of %s: %w", id, ref.Full(), ErrNotFound)
		}
		t := n.Targets[at].clone()
		if err := change(&t); err != nil {
			return err
		}
		if t.ID != id {
			return invalid("id", "it does not change")
		}
		return s.putTarget(ctx, ref, n, t, s.o.Sealer)
	}})
	return r, err
}

// clone copies a target so that a change of one is none of the other.
func (t Target) clone() Target {
	t.Paths, t.Headers, t.Query = maps.Clone(t.Paths), maps.Clone(t.Headers), maps.Clone(t.Query)
	t.Path, t.Secrets, t.Retry.WaitsMs = slices.Clone(t.Path), slices.Clone(t.Secrets), slices.Clone(t.Retry.WaitsMs)
	if t.Retry.Retries != nil {
		n := *t.Retry.Retries
		t.Retry.Retries = &n
	}
	if t.Batch != nil {
		b := *t.Batch
		t.Batch = &b
	}
	return t
}

// errNothing ends a change that changes nothing.
var errNothing = errors.New("nothing is to be changed")

// putTarget puts one target into a rule that is being changed; its secrets are sealed by.
func (s *Service) putTarget(ctx context.Context, rule RuleRef, n *noteOfRule, t Target, by Sealer) error {
	t.From, t.Disabled = nil, ""
	if err := t.check(rule); err != nil {
		return err
	}
	if err := s.checkThere(ctx, &t, rule); err != nil {
		return err
	}
	i := slices.IndexFunc(n.Targets, func(o Target) bool { return o.ID == t.ID })
	var secrets []string
	var letters string
	if i >= 0 {
		secrets, letters = n.Targets[i].Secrets, n.Targets[i].DeadLetters
	}
	if t.DeadLetters != letters {
		if err := s.checkLetters(ctx, t.DeadLetters, rule.Full()); err != nil {
			return err
		}
	}
	if err := sealSecrets(ctx, by, rule, &t, secrets); err != nil {
		return err
	}
	if i >= 0 {
		t.From = n.Targets[i].From
		n.Targets[i] = t
		return nil
	}
	if len(n.Targets) >= s.o.MostTargets {
		return fmt.Errorf("%s has %d targets: %w", rule.Full(), len(n.Targets), ErrLimit)
	}
	n.Targets = append(n.Targets, t)
	return nil
}

// checkThere tells whether what a target names is there. As in AWS an ARN may name
// what comes later; what has another name is most likely mistyped.
func (s *Service) checkThere(ctx context.Context, t *Target, rule RuleRef) error {
	where, err := parsePlace(t.To, rule.Full())
	if err != nil {
		return err
	}
	switch {
	case where.destination != (name.Ref{}) && s.o.Destinations == nil:
		return invalid("to", "this node has no API destinations")
	case where.function != "" && s.o.Functions != nil && !s.o.Functions(where.function):
		return invalid("to", "there is no function %s: a file on the server declares them (functions.file)", where.function)
	case where.function != "" && s.o.Functions == nil:
		return invalid("to", "this node has no functions")
	case where.Kind == plan.Bus && where.Ref.Name == Default: // it is there when it is used
		_, err := s.used(ctx, RefOf(where.Ref))
		return err
	case !where.native || where.function != "":
		return nil
	case where.Kind == plan.Topic:
		if s.o.Partitions(where.Topic) == 0 {
			return invalid("to", "there is no topic %s", where.Topic)
		}
		return nil
	}
	ref := where.Ref
	if where.Kind == plan.Call {
		ref = where.destination
	}
	return s.isThere(ctx, "to", ref)
}

// isThere tells whether the object is there that a field names.
func (s *Service) isThere(ctx context.Context, field string, ref name.Ref) error {
	err := object.CheckThere(ctx, s.o.Objects, field, ref)
	if errors.Is(err, ErrInvalid) {
		return err
	}
	return objectError(ref, err)
}

// checkLetters is checkThere of the queue for dead letters of a target, or a bus: of one
// that is mistyped nobody would know before what it was to keep is lost.
func (s *Service) checkLetters(ctx context.Context, text string, at name.Ref) error {
	if text == "" || strings.Contains(text, "arn:") {
		return nil
	}
	ref, err := queueOf("dead_letters", text, at)
	if err != nil {
		return err
	}
	return s.isThere(ctx, "dead_letters", ref)
}

// RemoveTargets takes targets from a rule. errs has ErrNotFound for each that was
// not there.
func (s *Service) RemoveTargets(ctx context.Context, ref RuleRef, ids []string) (r Rule, errs []error, err error) {
	errs = make([]error, len(ids))
	r, _, err = s.changeRule(ctx, ref, changing{how: func(n *noteOfRule) error {
		before := len(n.Targets)
		for i, id := range ids {
			at := slices.IndexFunc(n.Targets, func(t Target) bool { return t.ID == id })
			if errs[i] = nil; at < 0 {
				errs[i] = fmt.Errorf("target %s of %s: %w", id, ref.Full(), ErrNotFound)
				continue
			}
			n.Targets = slices.Delete(n.Targets, at, at+1)
		}
		if len(n.Targets) == before {
			return errNothing
		}
		return nil
	}})
	if errors.Is(err, errNothing) {
		r, err = s.Rule(ctx, ref)
	}
	return r, errs, err
}

// disableTarget notes that nothing more is sent to a target.
func (s *Service) disableTarget(ctx context.Context, rule RuleRef, id, why string) error {
	_, _, err := s.changeRule(ctx, rule, changing{managed: true, how: func(n *noteOfRule) error {
		at := slices.IndexFunc(n.Targets, func(t Target) bool { return t.ID == id })
		if at < 0 || n.Targets[at].Disabled != "" {
			return errNothing
		}
		n.Targets[at].Disabled = or(why, "it is gone")
		return nil
	}})
	if errors.Is(err, errNothing) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
