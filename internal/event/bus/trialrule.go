package bus

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/delivery"
	"ottla/internal/event/name"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
)

// TrialTarget is what became of the events at one target.
type TrialTarget struct {
	ID, To string
	// Sent were written to its place, or had it called; Dead became dead letters,
	// Dropped are given up without one; of Retried the place takes nothing now.
	Sent, Dead, Dropped, Retried int
	Why                          string // of the last that was not Sent
}

// Sending is what one target gets of an event.
type Sending struct {
	Target string // its id
	Does   string // as run says
	Why    string
	// Method and URL are of a call, function:NAME of a function. Values that may be
	// secret are ***; Authorized calls have a header of their connection's beside.
	Method, URL string
	Authorized  bool
	Key         []byte // of a record
	// Group and DedupID are of a queue's message, or of what SNS publishes.
	Group, DedupID string
	Headers        []plan.Header
	Attributes     []plan.Attribute
	Body           []byte
}

// size is what a Sending has in memory.
func (x *Sending) size() int {
	n := len(x.URL) + len(x.Key) + len(x.Body) + 512
	for _, h := range x.Headers {
		n += len(h.Name) + len(h.Value)
	}
	for _, a := range x.Attributes {
		n += len(a.Name) + len(a.Value)
	}
	return n
}

// mostSampled bounds what the samples of a trial have together.
const mostSampled = 8 << 20

// unsealed keeps no secrets: what is tried signs nothing.
type unsealed struct{}

func (unsealed) Seal(context.Context, []byte, string) (string, error) { return "", nil }
func (unsealed) Open(context.Context, string, string) ([]byte, error) { return nil, errNoSecret }

// TryRule tells what a rule would have made of the last events of a bus, by what runs
// rules: what each of its targets would have been sent. The rule is checked as one that
// is put, and taken as enabled; without targets it has those of the rule of its name.
// Nothing is written, and nobody is called.
func (s *Service) TryRule(ctx context.Context, ref RuleRef, spec RuleSpec, targets []Target, o TrialOptions) (Trial, error) {
	var out Trial
	if err := o.check(); err != nil {
		return out, err
	}
	if s.o.Runners == nil {
		return out, unavailable("try a rule", errors.New("this node runs no rules"))
	}
	ref = RuleRefOf(ref.Full())
	b, err := s.used(ctx, ref.Of())
	if err != nil {
		return out, err
	}
	c, r, err := s.tried(ctx, ref, spec, targets)
	if err != nil {
		return out, err
	}
	if err := s.Current(ctx); err != nil {
		return out, err
	}
	src, there := s.Source(b.Full())
	if !there {
		return out, unavailable("try a rule", errors.New("the bus "+b.Name+" is not known here yet"))
	}
	t := &trial{s: s, rule: &r, c: c, o: &o, out: &out, at: map[string]int{}}
	for i, g := range c.rule.Targets {
		out.Targets = append(out.Targets, TrialTarget{ID: g.ID, To: r.Targets[i].To})
		t.at[g.Key] = i
	}
	t.run = s.o.Runners.Trial(ctx, alone(src, c), o.Replay)
	err = s.tryOn(ctx, b, &o, &out, func(rec *kgo.Record) { t.take(ctx, rec) })
	return out, err
}

// tried is a rule that was not put, as runners would take it.
func (s *Service) tried(ctx context.Context, ref RuleRef, spec RuleSpec, targets []Target) (*compiled, Rule, error) {
	if err := checkName(ref.Full()); err != nil {
		return nil, Rule{}, err
	}
	old, err := s.Rule(ctx, ref)
	created := errors.Is(err, ErrNotFound)
	switch {
	case err != nil && !created:
		return nil, Rule{}, err
	case created && managedName(ref.Name):
		return nil, Rule{}, invalid("name", "names that begin with %s are of archives' rules", archiveRule)
	}
	spec.Disabled, spec.Paused, spec.ManagedBy = false, false, ""
	note := noteOfRule{Targets: slices.Clone(old.Targets)}
	if err := s.putWhole(ctx, ref, &note, spec, targets, unsealed{}); err != nil {
		return nil, Rule{}, err
	}
	if err := note.check(); err != nil {
		return nil, Rule{}, err
	}
	for i := range note.Targets {
		note.Targets[i].From = nil
	}
	r := Rule{RuleRef: ref, RuleSpec: note.RuleSpec, Targets: note.Targets, ID: old.ID}
	c, err := compile(r)
	return c, r, err
}

// alone is a bus that has one rule.
func alone(src *plan.Source, c *compiled) *plan.Source {
	set := pattern.NewSet()
	edit := set.Edit()
	edit.Put(0, c.pattern)
	own := *src
	own.Rules, own.Replays, own.Match = []*plan.Rule{c.rule}, nil, matches(edit.Set())
	return &own
}

// trial is a TryRule on its way.
type trial struct {
	s       *Service
	rule    *Rule
	c       *compiled
	o       *TrialOptions
	run     *run.Trial
	out     *Trial
	at      map[string]int // of targets, by key
	sampled int            // bytes
}

// take tries the rule on a record.
func (t *trial) take(ctx context.Context, rec *kgo.Record) {
	e, rules, outcomes := t.run.Take(rec)
	if len(rules) == 0 {
		return
	}
	t.out.Matched++
	for _, x := range outcomes {
		g := &t.out.Targets[t.at[x.Target]]
		switch x.Does {
		case run.Sends:
			g.Sent++
			continue
		case run.Buries:
			g.Dead++
		case run.Drops:
			g.Dropped++
		case run.Retries:
			g.Retried++
		}
		g.Why = x.Why
	}
	if len(t.out.Samples) >= t.o.Samples || t.sampled >= mostSampled {
		return
	}
	sample := TrialSample{Partition: e.Partition, Offset: e.Offset, Event: e.Event}
	slices.SortFunc(outcomes, func(a, b run.Outcome) int { return t.at[a.Target] - t.at[b.Target] })
	for _, x := range outcomes {
		sending := t.sending(ctx, e, t.at[x.Target], x)
		t.sampled += sending.size()
		sample.Sendings = append(sample.Sendings, sending)
	}
	t.sampled += len(e.Doc)
	t.out.Samples = append(t.out.Samples, sample)
}

// sending tells what a target gets of an event.
func (t *trial) sending(ctx context.Context, e *plan.Event, at int, x run.Outcome) Sending {
	g := t.c.rule.Targets[at]
	out := Sending{Target: g.ID, Does: x.Does, Why: x.Why}
	if x.Does != run.Sends {
		return out
	}
	own := *e
	own.Rule = t.c.rule
	p, err := g.Render(&own)
	if err != nil {
		out.Why = err.Error() // it was rendered a moment ago
		return out
	}
	switch g.To.Kind {
	case plan.Call:
		t.called(ctx, g, x.Record, &out)
	case plan.Queue:
		m := run.Message(&own, g, p)
		out.Group, out.DedupID, out.Body = m.Group, m.DedupID, m.Body
		for _, k := range slices.Sorted(maps.Keys(m.Attributes)) {
			out.Attributes = append(out.Attributes, plan.Attribute{Name: k, Type: m.Attributes[k].Type, Value: m.Attributes[k].Value})
		}
	case plan.SNS:
		out.Body, out.Attributes, out.Headers = p.Body, p.Attributes, p.Headers
		if strings.HasSuffix(g.To.Ref.Name, name.FIFOSuffix) {
			out.Group, out.DedupID = string(p.Key), p.DedupID
		}
	default:
		out.Key, out.Body = x.Record.Key, x.Record.Value
		for _, h := range x.Record.Headers {
			out.Headers = append(out.Headers, plan.Header{Name: h.Key, Value: string(h.Value)})
		}
	}
	out.Body = bytes.Clone(out.Body)
	return out
}

// called tells of a call.
func (t *trial) called(ctx context.Context, g *plan.Target, rec *kgo.Record, out *Sending) {
	c := t.c.calls[g.Key]
	to, err := t.s.endpoint(ctx, c)
	var p delivery.Preview
	if err == nil {
		to.Secrets = c.target.Prints()
		p, err = delivery.PreviewOf(ctx, to, rec)
	}
	if err != nil {
		out.Why = strings.ToValidUTF8(err.Error(), string(utf8.RuneError))
		return
	}
	out.Method, out.URL, out.Authorized, out.Headers, out.Body = p.Method, p.URL, p.Authorized, p.Headers, p.Body
}
