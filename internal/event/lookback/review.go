package lookback

import (
	"context"
	"slices"
	"strings"

	"ottla/internal/event/bus"
	"ottla/internal/event/delivery"
	"ottla/internal/event/envelope"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
)

// Review is what the rules of a bus, as they are now, make of its last events. Fields
// are JSON's, which doors give as they are.
type Review struct {
	Bus     string     `json:"bus"`
	Read    int        `json:"read"`
	FirstMs int64      `json:"first_ms,omitempty"` // when the first and the last event were put
	LastMs  int64      `json:"last_ms,omitempty"`
	Rules   []Reviewed `json:"rules"` // that are enabled
}

// Reviewed is what a rule makes of them.
type Reviewed struct {
	Name    string `json:"name"`
	Matched int    `json:"matched"`
	// Unseen are fields that the rule asks for and none of the events has.
	Unseen []string `json:"unseen,omitempty"`
	// Calls are those of the last hour to its targets that are called.
	Calls []Calls `json:"calls,omitempty"`
}

// Calls are what came of the calls of a target: of the newest thousand of the rule.
type Calls struct {
	Target      string `json:"target"`
	OK          int    `json:"ok"`
	Failed      int    `json:"failed"`
	LastOKMs    int64  `json:"last_ok_ms,omitempty"`
	LastError   string `json:"last_error,omitempty"`
	LastErrorMs int64  `json:"last_error_ms,omitempty"`
}

// callsFor is how far back calls are looked at.
const callsFor = 3600_000

// mostFields bounds the fields of all rules of a bus that are looked for.
const mostFields = 10_000

// Review tells what rules made of the last events of each partition.
func (s *Service) Review(ctx context.Context, ref bus.Ref, n int) (Review, error) {
	n, err := last(n)
	if err != nil {
		return Review{}, err
	}
	b, err := s.o.Buses.Get(ctx, ref)
	if err == nil {
		err = s.o.Buses.Current(ctx)
	}
	if err != nil {
		return Review{}, err
	}
	out := Review{Bus: b.Name, Rules: []Reviewed{}}
	src, there := s.o.Buses.Source(b.Full())
	if !there {
		return out, nil
	}
	rules, err := s.rulesOf(ctx, b.Ref)
	if err != nil {
		return out, err
	}
	rules = slices.DeleteFunc(rules, func(r bus.Rule) bool { return r.Disabled })
	asked := newAsked(rules)
	matched := make([]int, len(src.Rules))
	var doc []byte
	var fits []int
	err = s.scan(ctx, src.Topic, window{last: n}, func(at place, e *envelope.Event) {
		if out.Read++; out.FirstMs == 0 || at.putMs < out.FirstMs {
			out.FirstMs = at.putMs
		}
		out.LastMs = max(out.LastMs, at.putMs)
		doc = e.AppendDocument(doc[:0])
		var err error
		if fits, err = src.Match(fits[:0], doc); err != nil {
			return // what is beyond the limits fits nothing
		}
		for _, i := range fits {
			matched[i]++
		}
		asked.see(doc)
	})
	if err != nil {
		return out, err
	}
	index := indexes(src)
	for i := range rules {
		at, known := index[rules[i].RuleRef.Full()]
		if !known {
			continue // it is newer than what this node runs
		}
		x := Reviewed{Name: rules[i].RuleRef.Name, Matched: matched[at], Unseen: asked.unseen(i)}
		if x.Calls, err = s.callsOf(ctx, src.Rules[at]); err != nil {
			return out, err
		}
		out.Rules = append(out.Rules, x)
	}
	return out, nil
}

// callsOf are the calls of the last hour to the targets of a rule.
func (s *Service) callsOf(ctx context.Context, r *plan.Rule) (out []Calls, err error) {
	if !slices.ContainsFunc(r.Targets, func(g *plan.Target) bool { return g.To.Kind == plan.Call }) {
		return nil, nil
	}
	all, err := s.o.Attempts(ctx, delivery.Query{Target: r.Ref.Key() + "#" + r.ID, SinceMs: s.o.Now().UnixMilli() - callsFor, Most: delivery.MostFound})
	if err != nil {
		return nil, unavailable("read the calls of "+r.Ref.String(), err)
	}
	for _, g := range r.Targets {
		c := Calls{Target: g.ID}
		for i := range all {
			switch a := &all[i]; {
			case a.Target != g.Key:
			case a.OK:
				c.OK++
				c.LastOKMs = a.AtMs
			default:
				c.Failed++
				c.LastError, c.LastErrorMs = strings.TrimPrefix(a.Code+": "+a.Why, ": "), a.AtMs
			}
		}
		if c.OK+c.Failed > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// asked are the fields that rules ask for, and which of them events have.
type asked struct {
	of    [][]int // by rule
	names []string
	seen  []bool
	left  int
	set   *pattern.Set
	m     pattern.Matcher
	ids   []pattern.ID
}

func newAsked(rules []bus.Rule) *asked {
	a := &asked{of: make([][]int, len(rules))}
	at, edit := map[string]int{}, pattern.NewSet().Edit()
	for i := range rules {
		for _, f := range fields(rules[i].Pattern) {
			text := f.pattern()
			k, known := at[text]
			if !known {
				p, err := pattern.Parse([]byte(text))
				if err != nil || len(a.names) == mostFields {
					continue
				}
				k = len(a.names)
				at[text] = k
				a.names, a.seen = append(a.names, f.String()), append(a.seen, false)
				edit.Put(pattern.ID(k), p)
			}
			if !slices.Contains(a.of[i], k) {
				a.of[i] = append(a.of[i], k)
			}
		}
	}
	a.set, a.left = edit.Set(), len(a.names)
	return a
}

// see takes in what an event has.
func (a *asked) see(doc []byte) {
	if a.left == 0 {
		return
	}
	ids, err := a.set.Match(doc, &a.m, a.ids[:0])
	if a.ids = ids; err != nil {
		return
	}
	for _, id := range ids {
		if !a.seen[id] {
			a.seen[id] = true
			a.left--
		}
	}
}

// unseen are the fields of a rule that no event has.
func (a *asked) unseen(rule int) (out []string) {
	for _, k := range a.of[rule] {
		if !a.seen[k] {
			out = append(out, a.names[k])
		}
	}
	return out
}
