package bus

import (
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
)

// targetKey is a target's Key in plans.
func targetKey(r *Rule, t *Target) string { return r.RuleRef.Full().Key() + "#" + r.ID + "/" + t.ID }

// compile makes a rule as runners take it. One that is disabled takes nothing, and has
// no targets there: when it is enabled they begin anew. What is to be called already is.
func compile(r Rule) (*compiled, error) {
	full := r.Full()
	c := &compiled{calls: map[string]*call{}, rule: &plan.Rule{Ref: full, ID: r.ID, Version: r.Version, Paused: r.Paused, From: r.From}}
	p, err := r.Takes()
	if err != nil {
		return nil, err
	}
	if !r.Disabled {
		c.pattern = p
	}
	for i := range r.Targets {
		t := &r.Targets[i]
		where, err := parsePlace(t.To, full)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.ID, err)
		}
		out := &plan.Target{
			Key: targetKey(&r, t), ID: t.ID, To: where.Place, From: latest(r.From, t.From), Retry: t.Retry.plan(),
		}
		if out.Render, err = t.render(where, r.RuleRef, out); err != nil {
			return nil, fmt.Errorf("target %s: %w", t.ID, err)
		}
		if out.DeadLetters, err = t.letters(full); err != nil {
			return nil, fmt.Errorf("target %s: %w", t.ID, err)
		}
		if where.Kind == plan.Call {
			c.calls[out.Key] = &call{rule: r.RuleRef, place: where, target: t, letters: out.DeadLetters}
		}
		if !r.Disabled {
			c.rule.Targets = append(c.rule.Targets, out)
		}
	}
	return c, nil
}

// Takes is the pattern of what a rule takes: its own one, and that of the events of its
// schedule.
func (r Rule) Takes() (*pattern.Pattern, error) {
	switch scheduled := scheduledPattern(r.RuleRef); {
	case r.Schedule == "":
		return ParsePattern(r.Pattern)
	case r.Pattern == "":
		return ParsePattern(scheduled)
	default:
		return ParsePattern(`{"$or":[` + r.Pattern + `,` + scheduled + `]}`)
	}
}

// letters is the queue for what a target gives up.
func (t *Target) letters(at name.Ref) (name.Ref, error) {
	if t.DeadLetters == "" {
		return name.Ref{}, nil
	}
	return queueOf("dead_letters", t.DeadLetters, at)
}

// latest is, partition by partition, the later of two offsets.
func latest(a, b []int64) []int64 {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := make([]int64, len(a))
	for i := range out {
		if out[i] = a[i]; i < len(b) {
			out[i] = max(a[i], b[i])
		}
	}
	return out
}
