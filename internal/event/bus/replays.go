package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/plan"
)

// ReplaySpec is what is to be read again.
type ReplaySpec struct {
	// Bus whose events are read, and Archive that has them; without one it is what
	// the bus's topic still has.
	Bus     Ref    `json:"bus"`
	Archive string `json:"archive,omitempty"`
	// FromMs and ToMs (exclusive; 0 is until now) bound when the events were put.
	FromMs int64 `json:"from_ms,omitempty"`
	ToMs   int64 `json:"to_ms,omitempty"`
	// Rules get the events that they take, by name; none are all rules of the bus.
	// Target, as RULE/ID, is one target alone.
	Rules  []string `json:"rules,omitempty"`
	Target string   `json:"target,omitempty"`
	// To gets every event in place of rules: what a target's To may be.
	To string `json:"to,omitempty"`
	// Rate bounds the events a second; 0 is no bound.
	Rate        float64 `json:"rate,omitempty"`
	Description string  `json:"description,omitempty"`
}

// States of a replay.
const (
	Running   = "RUNNING"
	Paused    = "PAUSED"
	Completed = "COMPLETED"
	Cancelled = "CANCELLED"
)

// Replay is a replay as it is.
type Replay struct {
	NamedRef
	ReplaySpec
	State   string
	EndedMs int64
	// Events are those that were given, and Read the records that were looked at for
	// them, once it is over.
	Events, Read int64
	// Topic is read between the offsets Begin and End, by partition.
	Topic      string
	Begin, End []int64
	ID         string
	Version    int64
	Started    time.Time
	Progress   Progress // told by Replay and Replays
}

// Progress is how far a replay has come, of all partitions together.
type Progress struct {
	Read, Of int64 // records that were looked at, and that there are
	Events   int64 // of those that are in the window
	Done     bool  // nothing is left
}

// Full is the name of the object.
func (r *Replay) Full() name.Ref { return r.full(name.Replay) }

type noteOfReplay struct {
	ReplaySpec
	State   string  `json:"state"`
	EndedMs int64   `json:"ended_ms,omitempty"`
	Events  int64   `json:"events,omitempty"`
	Read    int64   `json:"read,omitempty"`
	Topic   string  `json:"reads"`
	From    []int64 `json:"from"`
	To      []int64 `json:"until"`
}

func replayOf(o *object.Object) (Replay, error) {
	r := Replay{NamedRef: namedOf(o.Ref), ID: o.ID, Version: o.Version, Started: o.Created}
	var n noteOfReplay
	if err := json.Unmarshal(o.Spec, &n); err != nil {
		return r, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	r.ReplaySpec, r.State, r.EndedMs, r.Events, r.Read = n.ReplaySpec, n.State, n.EndedMs, n.Events, n.Read
	r.Topic, r.Begin, r.End = n.Topic, n.From, n.To
	return r, nil
}

// over tells whether nothing more comes of it.
func (r *Replay) over() bool { return over(r.State) }

func over(state string) bool { return state == Completed || state == Cancelled }

// StartReplay begins to read events again; ErrExists when there is one of that name.
// What is read is decided here: it is what is there now.
func (s *Service) StartReplay(ctx context.Context, ref NamedRef, spec ReplaySpec) (Replay, error) {
	full := ref.full(name.Replay)
	if err := checkName(full); err != nil {
		return Replay{}, err
	}
	spec.Bus = spec.Bus.Filled()
	now := s.o.Now().UnixMilli()
	if spec.ToMs == 0 || spec.ToMs > now {
		spec.ToMs = now + 1
	}
	for try := 1; ; try++ {
		r, err := s.startReplay(ctx, full, spec)
		if !again(ctx, err, try) {
			s.sources.flush()
			return r, err
		}
		if _, err := s.replay(ctx, ref); err == nil { // else what it reads has changed
			return Replay{}, fmt.Errorf("%s: %w", full, ErrExists)
		}
	}
}

func (s *Service) startReplay(ctx context.Context, full name.Ref, spec ReplaySpec) (Replay, error) {
	if err := s.checkReplay(ctx, &spec); err != nil {
		return Replay{}, err
	}
	n := noteOfReplay{ReplaySpec: spec, State: Running}
	owner, err := s.window(ctx, &n)
	if err != nil {
		return Replay{}, err
	}
	text, err := json.Marshal(n)
	if err != nil {
		return Replay{}, fmt.Errorf("write %s: %w", full, err)
	}
	o, err := s.o.Objects.PutUnder(ctx, object.Object{Ref: full, Spec: text}, owner)
	if err != nil {
		return Replay{}, objectError(full, err)
	}
	return replayOf(&o)
}

// utc is a time for people.
func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00") }

func (s *Service) checkReplay(ctx context.Context, spec *ReplaySpec) error {
	given := 0
	for _, is := range []bool{len(spec.Rules) > 0, spec.Target != "", spec.To != ""} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return invalid("rules", "a replay goes to some rules, to one target or to a place of its own: give one of rules, target and to")
	case spec.FromMs < 0 || spec.FromMs >= spec.ToMs:
		return invalid("from_ms", "%s is not before to_ms, %s", utc(spec.FromMs), utc(spec.ToMs))
	case spec.Rate < 0 || spec.Rate > 1e9 || spec.Rate != spec.Rate:
		return invalid("rate", "%v is outside 0 to 1000000000", spec.Rate)
	}
	if _, err := s.Get(ctx, spec.Bus); err != nil {
		return err
	}
	for _, r := range spec.Rules {
		if _, err := s.Rule(ctx, spec.Bus.Rule(r)); err != nil {
			return err
		}
	}
	if spec.Target != "" {
		if err := s.checkTarget(ctx, spec); err != nil {
			return err
		}
	}
	if spec.To != "" {
		rule := spec.Bus.Rule("replay")
		t := Target{ID: "to", To: spec.To}
		if err := t.check(rule); err != nil {
			return err
		}
		if err := s.checkThere(ctx, &t, rule); err != nil {
			return err
		}
	}
	return checkWords(spec.Description, nil, nil)
}

func (s *Service) checkTarget(ctx context.Context, spec *ReplaySpec) error {
	rule, id, ok := name.Split(spec.Target)
	if !ok {
		return invalid("target", "%.80q is no target: want RULE/ID", spec.Target)
	}
	r, err := s.Rule(ctx, spec.Bus.Rule(rule))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(r.Targets, func(t Target) bool { return t.ID == id }) {
		return fmt.Errorf("target %s of %s: %w", id, r.RuleRef.Full(), ErrNotFound)
	}
	return nil
}

// window finds where the events of a replay are, and whose they are: it is not started
// when that goes.
func (s *Service) window(ctx context.Context, n *noteOfReplay) (owner object.Object, err error) {
	b, err := s.used(ctx, n.Bus)
	if err != nil {
		return owner, err
	}
	n.Topic, owner = b.Topic, b.object()
	if n.Archive != "" {
		a, err := s.Archive(ctx, NamedRef{b.Account, b.Region, n.Archive})
		switch {
		case err != nil:
			return owner, err
		case a.Bus != n.Bus:
			return owner, invalid("archive", "%s is of bus %s", a.Full(), a.Bus.Name)
		case a.Topic != "":
			n.Topic, owner = a.Topic, a.object()
		}
	}
	if n.From, err = s.offsets(ctx, n.Topic, n.FromMs); err == nil {
		n.To, err = s.offsets(ctx, n.Topic, -1)
	}
	if err != nil {
		return owner, unavailable("find what is to be read of "+n.Topic, err)
	}
	return owner, nil
}

// Replay finds a replay, with its progress.
func (s *Service) Replay(ctx context.Context, ref NamedRef) (Replay, error) {
	r, err := s.replay(ctx, ref)
	if err != nil {
		return r, err
	}
	return s.withProgress(ctx, r)
}

func (s *Service) replay(ctx context.Context, ref NamedRef) (Replay, error) {
	full := ref.full(name.Replay)
	if err := checkName(full); err != nil {
		return Replay{}, err
	}
	o, err := s.o.Objects.Get(ctx, full)
	if err != nil {
		return Replay{}, objectError(full, err)
	}
	return replayOf(&o)
}

// withProgress asks how far a replay is, and notes that it is over when it is.
func (s *Service) withProgress(ctx context.Context, r Replay) (Replay, error) {
	p, err := s.progress(ctx, &r)
	if err == nil && p.Done && !r.over() {
		r, err = s.turnReplay(ctx, r.NamedRef, r.ID, func(n *noteOfReplay) { n.State, n.Events, n.Read = Completed, p.Events, p.Of })
		if errors.Is(err, ErrInUse) { // somebody was faster
			r, err = s.replay(ctx, r.NamedRef)
		}
	}
	r.Progress = p
	return r, err
}

// Replays gives replays whose names begin with prefix.Name, by name, as List does.
func (s *Service) Replays(ctx context.Context, prefix NamedRef, after string, most int) (out []Replay, next string, err error) {
	all, next, err := s.o.Objects.List(ctx, prefix.full(name.Replay), after, most)
	if err != nil {
		return nil, "", unavailable("list replays", err)
	}
	for i := range all {
		r, err := replayOf(&all[i])
		if err == nil {
			r, err = s.withProgress(ctx, r)
		}
		if err != nil {
			return nil, "", err
		}
		out = append(out, r)
	}
	return out, next, nil
}

// CancelReplay ends a replay where it is; ErrOver when it is over already.
func (s *Service) CancelReplay(ctx context.Context, ref NamedRef) (Replay, error) {
	r, err := s.Replay(ctx, ref)
	if err != nil {
		return r, err
	}
	return s.turnReplay(ctx, ref, r.ID, func(n *noteOfReplay) { n.State, n.Events, n.Read = Cancelled, r.Progress.Events, r.Progress.Read })
}

// PauseReplay lets a replay stay where it is until ResumeReplay.
func (s *Service) PauseReplay(ctx context.Context, ref NamedRef) (Replay, error) {
	return s.turnReplay(ctx, ref, "", func(n *noteOfReplay) { n.State = Paused })
}

// ResumeReplay lets a replay go on.
func (s *Service) ResumeReplay(ctx context.Context, ref NamedRef) (Replay, error) {
	return s.turnReplay(ctx, ref, "", func(n *noteOfReplay) { n.State = Running })
}

// turnReplay changes the state of a replay that is not over. Another one of its name
// than that of id stays as it is; "" is any.
func (s *Service) turnReplay(ctx context.Context, ref NamedRef, id string, how func(*noteOfReplay)) (Replay, error) {
	for try := 1; ; try++ {
		r, err := s.replay(ctx, ref)
		switch {
		case err != nil:
			return r, err
		case r.over():
			return r, fmt.Errorf("%s is %s: %w", r.Full(), r.State, ErrOver)
		case id != "" && id != r.ID:
			return r, fmt.Errorf("%s is %s: %w", r.Full(), r.State, ErrInUse)
		}
		n := noteOfReplay{r.ReplaySpec, r.State, 0, r.Events, r.Read, r.Topic, r.Begin, r.End}
		how(&n)
		if over(n.State) {
			n.EndedMs = s.o.Now().UnixMilli()
		}
		text, err := json.Marshal(n)
		if err != nil {
			return r, fmt.Errorf("write %s: %w", r.Full(), err)
		}
		o, err := s.o.Objects.Put(ctx, object.Object{Ref: r.Full(), ID: r.ID, Version: r.Version, Spec: text})
		if err = objectError(r.Full(), err); again(ctx, err, try) {
			continue
		}
		s.sources.flush()
		if err != nil {
			return r, err
		}
		return replayOf(&o)
	}
}

// endReplays ends the replays of what is being deleted, where they are: under its name
// there may be another thing later, which they are not of.
func (s *Service) endReplays(ctx context.Context, of func(*Replay) bool) error {
	all, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.Replay}, "", 1<<30)
	if err != nil {
		return unavailable("list replays", err)
	}
	for i := range all {
		r, err := replayOf(&all[i])
		if err != nil {
			return err
		}
		if r.over() || !of(&r) {
			continue
		}
		now, err := s.withProgress(ctx, r)
		if err == nil && now.over() {
			continue // it had come to its end
		}
		_, err = s.turnReplay(ctx, r.NamedRef, r.ID, func(n *noteOfReplay) { n.State, n.Events, n.Read = Cancelled, now.Progress.Events, now.Progress.Read })
		if err != nil && !errors.Is(err, ErrInUse) && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// DeleteReplay forgets a replay that is over, or ends it.
func (s *Service) DeleteReplay(ctx context.Context, ref NamedRef) error {
	for try := 1; ; try++ {
		r, err := s.replay(ctx, ref)
		if err != nil {
			return err
		}
		err = objectError(r.Full(), s.o.Objects.Remove(ctx, object.Object{Ref: r.Full(), ID: r.ID, Version: r.Version}))
		if !again(ctx, err, try) {
			s.sources.flush()
			return err
		}
	}
}

// plan is the replay as runners take it, with what it calls; nil when it is over.
func (r *Replay) plan() (*plan.Replay, map[string]*call, error) {
	if r.over() {
		return nil, nil, nil
	}
	p := &plan.Replay{
		Ref: r.Full(), ID: r.ID, Version: r.Version, Topic: r.Topic, From: r.Begin, To: r.End, FromMs: r.FromMs, ToMs: r.ToMs,
		Rate: r.Rate, Paused: r.State == Paused, Wants: r.wants(),
	}
	if r.ReplaySpec.To == "" {
		return p, nil, nil
	}
	c, err := compile(Rule{
		RuleRef: r.own(), ID: r.ID, Version: r.Version, RuleSpec: RuleSpec{Pattern: `{"id":[{"exists":true}]}`},
		Targets: []Target{{ID: "to", To: r.ReplaySpec.To}},
	})
	if err != nil {
		return nil, nil, err
	}
	p.Only = c.rule
	return p, maps.Clone(c.calls), nil
}

// wants tells which targets of the bus's rules get what is read again: never archives'.
func (r *Replay) wants() func(*plan.Rule, *plan.Target) bool {
	rules := map[string]bool{}
	for _, n := range r.Rules {
		rules[n] = true
	}
	rule, id, one := name.Split(r.Target)
	return func(of *plan.Rule, t *plan.Target) bool {
		called := RuleRefOf(of.Ref).Name
		switch {
		case managedName(called):
			return false
		case one:
			return called == rule && t.ID == id
		}
		return len(rules) == 0 || rules[called]
	}
}

// own is the rule that a replay to a place of its own is for who reads dead letters.
func (r *Replay) own() RuleRef { return r.Bus.Rule("replay." + r.Name) }

// callsBegin begins the keys of what only the replay calls.
func (r *Replay) callsBegin() string { return r.own().Full().Key() + "#" + r.ID + "/" }
