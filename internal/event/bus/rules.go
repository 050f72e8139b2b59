package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// PutRule makes a rule or changes it: change is called with its Spec, the zero one
// of a rule that is not there, perhaps more than once. Targets stay as they are. It
// answers when the rule's runners go by it; it takes events that are put from then on.
func (s *Service) PutRule(ctx context.Context, ref RuleRef, change func(*RuleSpec) error) (r Rule, created bool, err error) {
	return s.changeRule(ctx, ref, changing{make: true, how: func(n *noteOfRule) error { return change(&n.RuleSpec) }})
}

// UpdateRule is PutRule of a rule that is there; ErrNotFound when it is not.
func (s *Service) UpdateRule(ctx context.Context, ref RuleRef, change func(*RuleSpec) error) (Rule, error) {
	r, _, err := s.changeRule(ctx, ref, changing{how: func(n *noteOfRule) error { return change(&n.RuleSpec) }})
	return r, err
}

// EnableRule lets a rule take events from now on.
func (s *Service) EnableRule(ctx context.Context, ref RuleRef) (Rule, error) {
	return s.UpdateRule(ctx, ref, func(spec *RuleSpec) error { spec.Disabled = false; return nil })
}

// DisableRule lets events pass the rule by, until EnableRule.
func (s *Service) DisableRule(ctx context.Context, ref RuleRef) (Rule, error) {
	return s.UpdateRule(ctx, ref, func(spec *RuleSpec) error { spec.Disabled = true; return nil })
}

// changing is a change of a rule's object.
type changing struct {
	make    bool // where there is none
	managed bool // it is this package's own
	how     func(*noteOfRule) error
	owner   object.Object // whose it is; the zero one: the bus's
}

func (s *Service) changeRule(ctx context.Context, ref RuleRef, c changing) (r Rule, created bool, err error) {
	ref = RuleRefOf(ref.Full())
	if err := checkName(ref.Full()); err != nil {
		return Rule{}, false, err
	}
	for try := 1; ; try++ {
		r, created, err = s.changeOnce(ctx, ref, c)
		if !again(ctx, err, try) {
			break
		}
	}
	if err == nil {
		err = s.applied(ctx, ref)
	}
	return r, created, err
}

func (s *Service) changeOnce(ctx context.Context, ref RuleRef, c changing) (Rule, bool, error) {
	old, err := s.Rule(ctx, ref)
	created := errors.Is(err, ErrNotFound)
	switch {
	case err != nil && (!created || !c.make):
		return Rule{}, false, err
	case old.ManagedBy != "" && !c.managed:
		return Rule{}, false, fmt.Errorf("%s is of the archive %s: %w", ref.Full(), old.ManagedBy, ErrManaged)
	}
	b, err := s.used(ctx, ref.Of())
	if err != nil {
		return Rule{}, false, err
	}
	old.RuleRef = ref
	note := noteOfRule{old.RuleSpec, slices.Clone(old.Targets), old.From}
	note.Tags, note.Extra = maps.Clone(note.Tags), maps.Clone(note.Extra)
	if err := c.how(&note); err != nil {
		return Rule{}, false, err
	}
	if !c.managed {
		if note.ManagedBy = ""; created && managedName(ref.Name) {
			return Rule{}, false, invalid("name", "names that begin with %s are of archives' rules", archiveRule)
		}
	}
	if err := note.check(); err != nil {
		return Rule{}, false, err
	}
	if created {
		if err := s.checkRoom(ctx, b.Ref); err != nil {
			return Rule{}, false, err
		}
	}
	if err := s.begin(ctx, b, &note, created || old.Disabled && !note.Disabled); err != nil {
		return Rule{}, false, err
	}
	owner := b.object()
	if c.owner.ID != "" {
		owner = c.owner
	}
	r, err := s.putRule(ctx, owner, old, &note)
	return r, created, err
}

// putRule writes the object of a rule, which is owner's, and has its schedule say the same.
// Whoever is killed in between, with a rule that runs at no time, has not told that it does;
// it is made whole later.
func (s *Service) putRule(ctx context.Context, owner object.Object, old Rule, note *noteOfRule) (Rule, error) {
	ref := RuleRefOf(old.Full())
	if note.Schedule != "" && s.o.Schedules == nil {
		return Rule{}, invalid("schedule", "this node has no schedules")
	}
	text, err := json.Marshal(note)
	if err != nil {
		return Rule{}, fmt.Errorf("write %s: %w", ref.Full(), err)
	}
	if old.Schedule != "" && note.Schedule == "" {
		if err := s.dropSchedule(ctx, ref); err != nil {
			return Rule{}, err
		}
	}
	o, err := s.o.Objects.PutUnder(ctx, object.Object{Ref: ref.Full(), ID: old.ID, Version: old.Version, Spec: text}, owner)
	if err = objectError(ref.Full(), err); old.Schedule == "" && note.Schedule == "" {
		if err != nil {
			return Rule{}, err
		}
		return ruleOf(&o)
	}
	if kept := s.keepSchedule(ctx, ref); err != nil || kept != nil { // as it was, where nothing was written
		return Rule{}, errors.Join(err, kept)
	}
	return ruleOf(&o)
}

// begin notes from which offsets what is new holds: a rule that is new or enabled
// again, else the targets that are.
func (s *Service) begin(ctx context.Context, b Bus, note *noteOfRule, whole bool) error {
	unplaced := slices.ContainsFunc(note.Targets, func(t Target) bool { return t.From == nil })
	if !whole && !unplaced {
		return nil
	}
	ends, err := s.ends(ctx, b)
	if err != nil {
		return err
	}
	if whole {
		note.From = ends
	}
	note.From = slices.Clone(note.From)
	for p := range min(len(note.From), len(ends)) { // a topic that was made anew since is shorter
		note.From[p] = min(note.From[p], ends[p])
	}
	for i := range note.Targets {
		if whole || note.Targets[i].From == nil {
			note.Targets[i].From = ends
		}
	}
	return nil
}

// checkRoom tells whether a bus may have one more rule.
func (s *Service) checkRoom(ctx context.Context, bus Ref) error {
	if s.o.MostRules == 0 {
		return nil
	}
	rules, _, err := s.Rules(ctx, bus, "", "", 1<<30)
	if err == nil && len(rules) >= s.o.MostRules {
		err = fmt.Errorf("%s has %d rules: %w", bus.Full(), len(rules), ErrLimit)
	}
	return err
}

// Rule finds a rule; ErrNotFound when there is none.
func (s *Service) Rule(ctx context.Context, ref RuleRef) (Rule, error) {
	full := ref.Full()
	if err := checkName(full); err != nil {
		return Rule{}, err
	}
	o, err := s.o.Objects.Get(ctx, full)
	if err != nil {
		return Rule{RuleRef: RuleRefOf(full)}, objectError(full, err)
	}
	return ruleOf(&o)
}

// Rules gives the rules of a bus whose names begin with prefix, by name, after the
// one named after; next is to go on after, "" at the end. ErrNotFound when there is no
// such bus.
func (s *Service) Rules(ctx context.Context, bus Ref, prefix, after string, most int) (out []Rule, next string, err error) {
	bus = bus.Filled()
	begin := bus.Rule(prefix).Full()
	if after != "" {
		after = bus.Name + "/" + after
	}
	for {
		all, more, err := s.o.Objects.List(ctx, begin, after, most-len(out))
		if err != nil {
			return nil, "", unavailable("list rules", err)
		}
		for i := range all {
			r, err := ruleOf(&all[i])
			if err != nil {
				return nil, "", err
			}
			if r.Bus == bus.Name { // else it is of a bus whose name goes on with /
				out = append(out, r)
			}
		}
		if more == "" || len(out) >= most {
			return out, strings.TrimPrefix(more, bus.Name+"/"), nil
		}
		after = more
	}
}

// RulesTo gives the rules of a bus that have a target, by name.
func (s *Service) RulesTo(ctx context.Context, bus Ref, target string) ([]Rule, error) {
	want, err := parsePlace(target, bus.Full())
	if err != nil {
		return nil, err
	}
	all, _, err := s.Rules(ctx, bus, "", "", 1<<30)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r Rule) bool {
		return !slices.ContainsFunc(r.Targets, func(t Target) bool {
			p, err := parsePlace(t.To, bus.Full())
			return t.To == target || err == nil && p.same(want)
		})
	}), nil
}

// same tells whether two places are one.
func (p place) same(o place) bool {
	p.native, o.native = false, false
	return p == o
}

// DeleteRule deletes a rule. One that has targets is ErrInUse, unless force.
func (s *Service) DeleteRule(ctx context.Context, ref RuleRef, force bool) error {
	return s.deleteRule(ctx, ref, force, false)
}

func (s *Service) deleteRule(ctx context.Context, ref RuleRef, force, managed bool) error {
	for try := 1; ; try++ {
		r, err := s.Rule(ctx, ref)
		switch {
		case err != nil:
			return err
		case r.ManagedBy != "" && !managed:
			return fmt.Errorf("%s is of the archive %s: %w", ref.Full(), r.ManagedBy, ErrManaged)
		case len(r.Targets) > 0 && !force:
			return fmt.Errorf("%s has %d targets: %w", ref.Full(), len(r.Targets), ErrInUse)
		}
		if r.Schedule != "" {
			if err := s.dropSchedule(ctx, r.RuleRef); err != nil {
				return err
			}
		}
		err = objectError(ref.Full(), s.o.Objects.Remove(ctx, object.Object{Ref: ref.Full(), ID: r.ID, Version: r.Version}))
		if !again(ctx, err, try) {
			if err != nil && r.Schedule != "" {
				err = errors.Join(err, s.keepSchedule(ctx, r.RuleRef))
			}
			s.sources.flush()
			return err
		}
	}
}

// CallersOf gives the rules, of all buses of all places, whose targets call an API
// destination.
func (s *Service) CallersOf(ctx context.Context, destination name.Ref) (out []name.Ref, err error) {
	all, err := s.rulesFrom(ctx, name.Ref{Kind: name.Rule})
	for _, r := range all {
		if slices.ContainsFunc(r.Targets, func(t Target) bool {
			p, err := parsePlace(t.To, r.Full())
			return err == nil && p.destination == destination
		}) {
			out = append(out, r.Full())
		}
	}
	return out, err
}

// sortTargets puts targets in the order of their ids.
func sortTargets(all []Target) {
	slices.SortFunc(all, func(a, b Target) int { return strings.Compare(a.ID, b.ID) })
}

// AllRules gives the rules of all buses of a place, as List does.
func (s *Service) AllRules(ctx context.Context, at Ref) ([]Rule, error) {
	begin := at.Full()
	begin.Kind, begin.Name = name.Rule, ""
	return s.rulesFrom(ctx, begin)
}

// rulesFrom gives all rules whose names begin so.
func (s *Service) rulesFrom(ctx context.Context, begin name.Ref) (out []Rule, err error) {
	all, _, err := s.o.Objects.List(ctx, begin, "", 1<<30)
	if err != nil {
		return nil, unavailable("list rules", err)
	}
	for i := range all {
		r, err := ruleOf(&all[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
