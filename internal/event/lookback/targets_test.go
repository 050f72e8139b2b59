package lookback

import (
	"errors"
	"testing"

	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
	"ottla/internal/event/run/course"
)

// standing is a target of a rule of kind Queue, at the event of offset 5.
func standing() (*target, *bus.Rule, *bus.Target) {
	r := &bus.Rule{RuleRef: bus.RuleRef{Bus: "shop", Name: "big"}, ID: "id", Targets: []bus.Target{{ID: "t", To: "queue:q"}}}
	g := &plan.Target{Key: r.RuleRef.Full().Key() + "#id/t", ID: "t", To: plan.Place{Kind: plan.Queue, Ref: name.Of(name.Queue, "q")}, Retry: plan.Retry{Most: 2, MaxAgeMs: 1000},
		Render: func(*plan.Event) (plan.Payload, error) { return plan.Payload{}, nil }}
	e := &plan.Event{Event: &envelope.Event{ID: "e"}, Rule: &plan.Rule{Ref: r.RuleRef.Full(), ID: "id"}, Topic: "shop", Offset: 5}
	return &target{plan: g, told: &Target{ID: "t"}, of: e}, r, &r.Targets[0]
}

func TestWhereATargetStandsWithAnEvent(t *testing.T) {
	for called, c := range map[string]struct {
		state, why string
		is         func(x *target, r *bus.Rule, t *bus.Target, c *run.Cursor)
	}{
		"beyond it":           {Sent, "", func(*target, *bus.Rule, *bus.Target, *run.Cursor) {}},
		"not run yet":         {Unknown, "no node has run the bus yet", func(_ *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) { c.Known = false }},
		"its turn to come":    {Waiting, "3 events are before it", func(_ *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) { c.At = 2 }},
		"paused":              {Paused, "the rule is paused", func(_ *target, r *bus.Rule, _ *bus.Target, c *run.Cursor) { c.At, r.Paused = 5, true }},
		"added later":         {Late, "the rule or the target came after the event, or was enabled after it", func(x *target, _ *bus.Rule, _ *bus.Target, _ *run.Cursor) { x.plan.From = []int64{6} }},
		"taken up later":      {Late, "the rule or the target came after the event, or was enabled after it", func(x *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) { c.Rules = takenUp(x, "id", 6) }},
		"another of its name": {Sent, "", func(x *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) { c.Rules = takenUp(x, "other", 6) }},
		"failing at it": {Failing, "tried 4 times: no leader", func(x *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) {
			c.Branches = apart(x, course.Branch{At: 5, Attempts: 4, Why: "no leader"})
		}},
		"failing at it for the first time": {Failing, "tried once: no leader", func(x *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) {
			c.Branches = apart(x, course.Branch{At: 5, Attempts: 1, Why: "no leader"})
		}},
		"failing before it": {Waiting, "2 events are before it, and the first is not taken: no leader", func(x *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) {
			c.Branches = apart(x, course.Branch{At: 3, Attempts: 1, Why: "no leader"})
		}},
		"apart and beyond it": {Sent, "", func(x *target, _ *bus.Rule, _ *bus.Target, c *run.Cursor) {
			c.At, c.Branches = 2, apart(x, course.Branch{At: 6, Attempts: 1})
		}},
		"a transform that fails": {GivenUp, "the transform fails: no such path", func(x *target, _ *bus.Rule, _ *bus.Target, _ *run.Cursor) {
			x.plan.Render = func(*plan.Event) (plan.Payload, error) { return plan.Payload{}, errors.New("no such path") }
		}},
		"to be called": {Queued, "no call is noted", func(x *target, _ *bus.Rule, _ *bus.Target, _ *run.Cursor) { x.plan.To = plan.Place{Kind: plan.Call} }},
		"an address that is gone": {Disabled, "it answered 410", func(x *target, _ *bus.Rule, t *bus.Target, _ *run.Cursor) {
			x.plan.To, t.Disabled = plan.Place{Kind: plan.Call}, "it answered 410"
		}},
	} {
		x, r, g := standing()
		at := run.Cursor{Known: true, At: 10}
		c.is(x, r, g, &at)
		x.stand(at, r, g)
		if x.told.State != c.state || x.told.Why != c.why {
			t.Errorf("%s: %s, %q; want %s, %q", called, x.told.State, x.told.Why, c.state, c.why)
		}
	}
}

func takenUp(x *target, id string, from int64) map[string]course.Rule {
	return map[string]course.Rule{x.of.Rule.Ref.Key(): {ID: id, Targets: map[string]int64{"t": from}}}
}

func apart(x *target, b course.Branch) map[course.Name]course.Branch {
	return map[course.Name]course.Branch{{Target: x.plan.Key}: b}
}

func TestCallsAndLettersSayWhatBecameOfAnEvent(t *testing.T) {
	fails := func(number, status int, code string) Attempt {
		return Attempt{AtMs: 100, Number: number, Status: status, Code: code, Why: "why"}
	}
	for called, c := range map[string]struct {
		before, state, why string
		calls              []Attempt
		letters            int
	}{
		"not called yet":           {Queued, Queued, "", nil, 0},
		"taken at last":            {Queued, Delivered, "", []Attempt{fails(1, 500, "HTTP_500"), {Number: 2, OK: true}}, 0},
		"tried again":              {Queued, Failing, "HTTP_500: why", []Attempt{fails(1, 500, "HTTP_500")}, 0},
		"tried as often as may be": {Queued, GivenUp, "TIMEOUT: why", []Attempt{fails(1, 0, "TIMEOUT"), fails(2, 0, "TIMEOUT"), fails(3, 0, "TIMEOUT")}, 0},
		"refused":                  {Queued, GivenUp, "HTTP_400: why", []Attempt{fails(1, 400, "HTTP_400")}, 0},
		"not to be called":         {Queued, GivenUp, "ADDRESS_REFUSED: why", []Attempt{fails(1, 0, "ADDRESS_REFUSED")}, 0},
		"too old":                  {Queued, GivenUp, "HTTP_500: why", []Attempt{{AtMs: -2000, Number: 1, Status: 500, Code: "HTTP_500", Why: "why"}}, 0},
		"a letter of a call":       {Queued, Dead, "CODE: because", []Attempt{fails(1, 400, "HTTP_400")}, 1},
		"a letter of a topic":      {Sent, Dead, "CODE: because", nil, 1},
		"a letter of a transform":  {GivenUp, Dead, "CODE: because", nil, 1},
		"gone after it was taken":  {Disabled, Delivered, "", []Attempt{{Number: 1, OK: true}}, 0},
		"a replay is another":      {Queued, Queued, "", []Attempt{{Number: 1, OK: true, Replay: true}}, 0},
		"an older replay's letter": {Waiting, Waiting, "", nil, 1},
	} {
		x, _, _ := standing()
		x.told.State, x.told.Attempts = c.before, c.calls
		for range c.letters {
			x.told.Letters = append(x.told.Letters, Letter{Code: "CODE", Why: "because"})
		}
		x.settle(200)
		if x.told.State != c.state || x.told.Why != c.why {
			t.Errorf("%s: %s, %q; want %s, %q", called, x.told.State, x.told.Why, c.state, c.why)
		}
	}
}
