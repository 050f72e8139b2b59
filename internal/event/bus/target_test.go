package bus_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/transform"
)

// sealing is a Sealer that closes nothing.
type sealing struct{}

func (sealing) Seal(_ context.Context, plain []byte, about string) (string, error) {
	return "closed:" + about + ":" + string(plain), nil
}

func (sealing) Open(_ context.Context, sealed, about string) ([]byte, error) {
	plain, ok := strings.CutPrefix(sealed, "closed:"+about+":")
	if !ok {
		return nil, errors.New("of something else")
	}
	return []byte(plain), nil
}

func withSealer(o *bus.Options) { o.Sealer = sealing{} }

func TestWhereATargetMayBe(t *testing.T) {
	r := newRig(t, func(o *bus.Options) { o.Functions = func(name string) bool { return name == "resize" } })
	r.topic("jobs")
	ref := bus.Ref{}.Rule("x")
	r.rule(ref, `{"source":["a"]}`)
	for to, want := range map[string]plan.Place{
		"topic:jobs": {Kind: plan.Topic, Topic: "jobs", Ref: name.Of(name.Topic, "jobs")},
		"arn:aws:kafka:us-east-1:123456789012:topic/ottla/later": {Kind: plan.Topic, Topic: "later", Ref: name.Of(name.Topic, "later")},
		"arn:aws:sqs:eu-west-1:000000000001:later":               {Kind: plan.Queue, Ref: name.Ref{Kind: name.Queue, Account: "000000000001", Region: "eu-west-1", Name: "later"}},
		"bus:default": {Kind: plan.Bus, Ref: name.Of(name.Bus, "default")},
		"arn:aws:sns:us-east-1:123456789012:later":                   {Kind: plan.SNS, Ref: name.Of(name.SNS, "later")},
		"https://nowhere.invalid/a?b=c":                              {Kind: plan.Call},
		"function:resize":                                            {Kind: plan.Call},
		"arn:aws:lambda:us-east-1:123456789012:function:resize:live": {Kind: plan.Call},
	} {
		r.rule(ref, `{"source":["a"]}`, bus.Target{ID: "t", To: to})
		if got := r.source(bus.Ref{}).Rules[0].Targets[0].To; got != want {
			t.Errorf("%s: %+v, want %+v", to, got, want)
		}
	}
	for to, why := range map[string]string{
		"": "where", "jobs": "no place", "topic:none": "no topic none", "queue:none": "no queue none", "bus:defalt": "did you mean default?", "topic:__ottla_objects": "keep for themselves",
		"arn:aws:states:us-east-1:123456789012:stateMachine:x": "step machines", "arn:aws:s3:us-east-1:123456789012:b": "nothing that Ottla has",
		"http://user@host/": "without a user", "https://": "HOST", "function:other": "no function other", "destination:crm": "no API destinations",
		"arn:aws:events:us-east-1:123456789012:rule/x": "no place for events", "queue:arn:aws:sns:us-east-1:123456789012:x": "no ARN of a queue",
		"arn:aws:sqs:us-east-1:123456789012:x.fifo": "need a group", "arn:aws:sqs:us-east-1:123456789012:y.fifo": "not 1 to 128 letters",
	} {
		target := bus.Target{ID: "t", To: to}
		if strings.HasSuffix(to, "y.fifo") {
			target.Group = "a b"
		}
		_, errs, err := r.buses.PutTargets(r.ctx, ref, []bus.Target{target})
		if err != nil || !errors.Is(errs[0], bus.ErrInvalid) || !strings.Contains(errs[0].Error(), why) {
			t.Errorf("%s: %v, %v; want %q", to, errs, err, why)
		}
	}
}

// Each entry has its own error, and where one cannot be none is put.
func TestEachEntryOfPutTargetsHasItsOwnError(t *testing.T) {
	r := newRig(t, func(o *bus.Options) { o.MostTargets = 2 })
	ref := bus.Ref{}.Rule("x")
	r.rule(ref, `{"source":["a"]}`)
	of := func(ids ...string) (out []bus.Target) {
		for _, id := range ids {
			out = append(out, bus.Target{ID: id, To: "https://nowhere.invalid"})
		}
		return out
	}
	got, errs, err := r.buses.PutTargets(r.ctx, ref, of("b", "no id", "a", "c"))
	if err != nil || errs[0] != nil || !errors.Is(errs[1], bus.ErrInvalid) || errs[2] != nil || !errors.Is(errs[3], bus.ErrLimit) {
		t.Errorf("%v, %v", errs, err)
	}
	if rule, err := r.buses.Rule(r.ctx, ref); err != nil || len(got.Targets)+len(rule.Targets) != 0 {
		t.Errorf("put: %+v, %+v, %v", got.Targets, rule.Targets, err)
	}
	got, _, err = r.buses.PutTargets(r.ctx, ref, of("b", "a"))
	if err != nil || len(got.Targets) != 2 || got.Targets[0].ID != "a" {
		t.Errorf("%+v, %v", got.Targets, err)
	}
	byTarget, err := r.buses.RulesTo(r.ctx, bus.Ref{}, "https://nowhere.invalid")
	if err != nil || len(byTarget) != 1 {
		t.Errorf("rules by target: %+v, %v", byTarget, err)
	}
	if _, _, err := r.buses.PutTargets(r.ctx, bus.Ref{}.Rule("none"), []bus.Target{{ID: "a", To: "https://x"}}); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("of a rule that is not there: %v", err)
	}
}

// sent is what a rule's only target gets of an event.
func (r *rig) sent(ref bus.RuleRef, target bus.Target, e *envelope.Event) plan.Payload {
	r.Helper()
	r.rule(ref, `{"source":[{"prefix":""}]}`, target)
	src := r.source(ref.Of())
	at := slices.IndexFunc(src.Rules, func(x *plan.Rule) bool { return x.Ref == ref.Full() })
	p, err := src.Rules[at].Targets[0].Render(&plan.Event{Event: e, Doc: e.AppendDocument(nil), Source: src, Rule: src.Rules[at], Topic: src.Topic})
	r.must(err)
	return p
}

// A rule that was kept when its group could be one runs: only what is put is checked anew.
func TestARuleIsNotLostWithAGroupThatCannotBePutAnyMore(t *testing.T) {
	r := newRig(t)
	rule := bus.Ref{}.Rule("x")
	r.rule(rule, `{"source":["app"]}`, bus.Target{ID: "t", To: "arn:aws:sqs:us-east-1:123456789012:q", Group: "a-b"})
	o, err := r.o.Objects.Get(r.ctx, rule.Full())
	r.must(err)
	o.Spec = []byte(strings.Replace(string(o.Spec), "a-b", "a b", 1))
	_, err = r.o.Objects.Put(r.ctx, o)
	r.must(err)
	if got := r.matched(r.source(rule.Of()), event("app", "Placed", `{}`)); len(got) != 1 {
		t.Errorf("what takes an event: %v", got)
	}
	if _, errs, err := r.buses.PutTargets(r.ctx, rule, []bus.Target{{ID: "t", To: "arn:aws:sqs:us-east-1:123456789012:q", Group: "a b"}}); err != nil || !errors.Is(errs[0], bus.ErrInvalid) {
		t.Errorf("put: %v, %v", errs, err)
	}
}

func TestWhatTargetsGet(t *testing.T) {
	r := newRig(t)
	r.topic("copy")
	ref := bus.Ref{}.Rule("x")
	e := event("app", "Placed", `{"id":7,"who":"ann"}`)
	e.ID, e.Time = "1", "2026-11-26T16:00:00Z"
	queue := "arn:aws:sqs:us-east-1:123456789012:q"
	if p := r.sent(ref, bus.Target{ID: "t", To: queue}, e); !strings.HasPrefix(string(p.Body), `{"version":"0","id":"1"`) || !strings.Contains(string(p.Body), `"detail":{"id":7,"who":"ann"}`) {
		t.Errorf("the event itself: %s", p.Body)
	}
	p := r.sent(ref, bus.Target{ID: "t", To: queue + ".fifo", Key: "$.detail.who", Headers: map[string]string{"n": "$.data.id", "m": "x", "none": "$.detail.none"},
		Spec: transform.Spec{Template: `{"n":<$.detail.id>}`}}, e)
	if string(p.Body) != `{"n":7}` || string(p.Key) != "ann" || p.DedupID == "" || !slices.Equal(p.Headers, []plan.Header{{Name: "m", Value: "x"}, {Name: "n", Value: "7"}}) {
		t.Errorf("a FIFO queue: %+v, %s", p, p.Body)
	}
	odd := event("app", "Placed", `{"who":"ann b"}`) // a group that SQS's clients could not name
	src := r.source(ref.Of())
	if _, err := src.Rules[0].Targets[0].Render(&plan.Event{Event: odd, Doc: odd.AppendDocument(nil), Source: src, Rule: src.Rules[0]}); err == nil || !strings.Contains(err.Error(), "message group") {
		t.Errorf("a group with a space: %v", err)
	}
	if p := r.sent(ref, bus.Target{ID: "t", To: "topic:copy"}, e); p.Event != e || p.Body != nil {
		t.Errorf("a topic: %+v", p)
	}
	p = r.sent(ref, bus.Target{ID: "t", To: "topic:copy", Key: "$.detail.who", Spec: transform.Spec{InputPath: "$.detail.id"}}, e)
	if string(p.Event.Data) != "7" || string(p.Event.Key) != "ann" || p.Event.ID != "1" || string(e.Data) == "7" {
		t.Errorf("a topic with other data: %+v", p.Event)
	}
	p = r.sent(ref, bus.Target{ID: "t", To: "https://nowhere.invalid/*", Method: "PUT", Path: []string{"$.detail.id"}, Query: map[string]string{"w": "$.detail.who"}}, e)
	if p.Method != "PUT" || !slices.Equal(p.Path, []string{"7"}) || !slices.Equal(p.Query, []plan.Header{{Name: "w", Value: "ann"}}) {
		t.Errorf("a call: %+v", p)
	}
}

func TestWhatIsCalledIsToldByItsKey(t *testing.T) {
	r := newRig(t, withSealer)
	ref := bus.Ref{}.Rule("x")
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	retries := 3
	target := bus.Target{ID: "crm", To: "https://nowhere.invalid/hook", Rate: 50, Concurrency: 8, Secrets: []string{secret}, Retry: bus.Retry{Retries: &retries}}
	rule := r.rule(ref, `{"source":["a"]}`, target)
	if print := rule.Targets[0].Prints()[0]; print != bus.PrintOf(secret) || strings.Contains(rule.Targets[0].Secrets[0], " "+secret) {
		t.Errorf("kept: %v, print %s", rule.Targets[0].Secrets, print)
	}
	key := r.source(bus.Ref{}).Rules[0].Targets[0].Key
	e, err := r.buses.Endpoint(r.ctx, key)
	if err != nil || e.URL != "https://nowhere.invalid/hook" || e.Rate != 50 || e.Concurrency != 8 || e.Retry.Most != 3 || !slices.Equal(e.Secrets, []string{secret}) {
		t.Fatalf("%+v, %v", e, err)
	}
	target.Secrets = rule.Targets[0].Prints() // a print stands for what is there
	r.rule(ref, `{"source":["a"]}`, target)
	if e, err = r.buses.Endpoint(r.ctx, key); err != nil || !slices.Equal(e.Secrets, []string{secret}) {
		t.Errorf("put again by its print: %+v, %v", e, err)
	}
	target.Secrets = []string{bus.PrintOf("another")}
	if _, errs, err := r.buses.PutTargets(r.ctx, ref, []bus.Target{target}); err != nil || !errors.Is(errs[0], bus.ErrInvalid) {
		t.Errorf("a print of nothing: %v, %v", errs, err)
	}
	r.must(r.buses.Disable(r.ctx, key, "410 Gone"))
	if e, err = r.buses.Endpoint(r.ctx, key); err != nil || !e.Disabled {
		t.Errorf("disabled: %+v, %v", e, err)
	}
	_, err = r.buses.DisableRule(r.ctx, ref)
	r.must(err)
	if _, err := r.buses.Endpoint(r.ctx, key); err != nil {
		t.Errorf("what waits for a rule that is disabled is dropped: %v", err)
	}
	r.must(r.buses.DeleteRule(r.ctx, ref, true))
	if _, err := r.buses.Endpoint(r.ctx, key); !errors.Is(err, plan.ErrGone) {
		t.Errorf("after the rule was deleted: %v", err)
	}
}

// What is called and names no queue for what it gives up has that of its bus.
func TestWhatIsCalledHasTheDeadLettersOfItsBus(t *testing.T) {
	r := newRig(t)
	_, err := r.buses.Create(r.ctx, bus.Ref{Name: "shop"}, bus.Spec{DeadLetters: "arn:aws:sqs:us-east-1:123456789012:all"})
	r.must(err)
	r.rule(bus.Ref{Name: "shop"}.Rule("x"), `{"source":["a"]}`, bus.Target{ID: "none", To: "https://nowhere.invalid"},
		bus.Target{ID: "own", To: "https://nowhere.invalid", DeadLetters: "arn:aws:sqs:us-east-1:123456789012:mine"})
	for _, g := range r.source(bus.Ref{Name: "shop"}).Rules[0].Targets {
		e, err := r.buses.Endpoint(r.ctx, g.Key)
		r.must(err)
		if want := map[string]string{"none": "all", "own": "mine"}[g.ID]; e.DeadLetters.Name != want {
			t.Errorf("the dead letters of target %s go to %q, want %q", g.ID, e.DeadLetters.Name, want)
		}
	}
}
