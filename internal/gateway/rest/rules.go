package rest

import (
	"encoding/json"
	"net/http"

	"ottla/internal/event/bus"
	"ottla/internal/event/pattern"
)

// Rule is a rule as it is. Of secrets of targets only prints are told.
type Rule struct {
	Bus     string `json:"bus"`
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	ARN     string `json:"arn"`
	bus.RuleSpec
	Targets []Target `json:"targets"`
	// From are the offsets of the bus's topic, by partition, from which it holds.
	From       []int64 `json:"from,omitempty"`
	CreatedMs  int64   `json:"created_ms"`
	ModifiedMs int64   `json:"modified_ms"`
}

// Target is a target, and where it stands where that was asked for.
type Target struct {
	bus.Target
	Stands *Standing `json:"stands,omitempty"`
}

// Standing is where a target stands.
type Standing struct {
	State       string `json:"state"`
	Behind      int64  `json:"behind"`
	LagMs       int64  `json:"lag_ms"`
	Sent        int64  `json:"sent"`
	Failed      int64  `json:"failed"`
	Dead        int64  `json:"dead"`
	Dropped     int64  `json:"dropped"`
	LastError   string `json:"last_error,omitempty"`
	LastErrorMs int64  `json:"last_error_ms,omitempty"`
}

// Rules is one page of rules.
type Rules struct {
	Rules []Rule `json:"rules"`
	Next  string `json:"next,omitempty"`
}

// PutRule is what a rule is told to be. Without targets it keeps those that it has.
type PutRule struct {
	bus.RuleSpec
	Targets []bus.Target `json:"targets,omitempty"`
}

// Why is why an event fits a rule, or not.
type Why struct {
	Matched bool   `json:"matched"`
	Path    string `json:"path,omitempty"` // of the field that decides
	Why     string `json:"why"`            // for people, some lines
}

func ruleRef(r *http.Request) bus.RuleRef {
	return busRef(r, r.PathValue("bus")).Rule(r.PathValue("rule"))
}

func ruleShape(x bus.Rule) Rule {
	full := x.RuleRef.Full()
	out := Rule{
		Bus: x.Bus, Name: x.RuleRef.Name, Account: full.Account, Region: full.Region, ARN: full.ARN(), RuleSpec: x.RuleSpec, Targets: []Target{},
		From: x.From, CreatedMs: x.Created.UnixMilli(), ModifiedMs: x.Modified.UnixMilli(),
	}
	for _, t := range x.Targets {
		t.Secrets = t.Prints()
		out.Targets = append(out.Targets, Target{Target: t})
	}
	return out
}

func (d *door) listRules(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q, of := r.URL.Query(), busRef(r, r.PathValue("bus"))
	if _, err := d.Buses.Get(r.Context(), of); err != nil {
		return err
	}
	found, next, err := d.Buses.Rules(r.Context(), of, q.Get("prefix"), q.Get("next"), most)
	return tellRules(w, found, next, err)
}

func (d *door) listAllRules(w http.ResponseWriter, r *http.Request) error {
	found, err := d.Buses.AllRules(r.Context(), busRef(r, ""))
	return tellRules(w, found, "", err)
}

func tellRules(w http.ResponseWriter, found []bus.Rule, next string, err error) error {
	if err != nil {
		return err
	}
	out := Rules{Rules: []Rule{}, Next: next}
	for _, x := range found {
		out.Rules = append(out.Rules, ruleShape(x))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) putRule(w http.ResponseWriter, r *http.Request) error {
	var in PutRule
	if err := readInto(r, &in); err != nil {
		return err
	}
	x, made, err := d.Buses.ApplyRule(r.Context(), ruleRef(r), in.RuleSpec, in.Targets)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	answer(w, status, ruleShape(x))
	return nil
}

func (d *door) describeRule(w http.ResponseWriter, r *http.Request) error {
	x, err := d.Buses.Rule(r.Context(), ruleRef(r))
	if err != nil {
		return err
	}
	out := ruleShape(x)
	for i, s := range d.Buses.Standing(r.Context(), x) {
		out.Targets[i].Stands = &Standing{s.State, s.Behind, s.LagMs, s.Sent, s.Failed, s.Dead, s.Dropped, s.LastError, s.LastErrorMs}
	}
	answer(w, http.StatusOK, out)
	return nil
}

// tellRule answers with a rule that was changed.
func tellRule(w http.ResponseWriter, x bus.Rule, err error) error {
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, ruleShape(x))
	return nil
}

func (d *door) updateRule(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	x, err := d.Buses.UpdateRule(r.Context(), ruleRef(r), func(s *bus.RuleSpec) error { return strict(body, s) })
	return tellRule(w, x, err)
}

// turnRule is a handler that changes one thing of a rule.
func (d *door) turnRule(how func(*bus.RuleSpec)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := d.Buses.UpdateRule(r.Context(), ruleRef(r), func(s *bus.RuleSpec) error { how(s); return nil })
		return tellRule(w, x, err)
	}
}

func (d *door) deleteRule(w http.ResponseWriter, r *http.Request) error {
	if err := d.Buses.DeleteRule(r.Context(), ruleRef(r), forced(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) putTarget(w http.ResponseWriter, r *http.Request) error {
	t := bus.Target{ID: r.PathValue("id")}
	if err := readInto(r, &t); err != nil {
		return err
	}
	if t.ID != r.PathValue("id") {
		return badRequest("id: the body says %s, the path %s", t.ID, r.PathValue("id"))
	}
	x, errs, err := d.Buses.PutTargets(r.Context(), ruleRef(r), []bus.Target{t})
	if err == nil {
		err = errs[0]
	}
	return tellRule(w, x, err)
}

func (d *door) updateTarget(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	x, err := d.Buses.UpdateTarget(r.Context(), ruleRef(r), r.PathValue("id"), func(t *bus.Target) error { return strict(body, t) })
	return tellRule(w, x, err)
}

func (d *door) removeTarget(w http.ResponseWriter, r *http.Request) error {
	_, errs, err := d.Buses.RemoveTargets(r.Context(), ruleRef(r), []string{r.PathValue("id")})
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// explainRule tells why an event, in either form, fits a rule or not.
func (d *door) explainRule(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	x, err := d.Buses.Rule(r.Context(), ruleRef(r))
	if err != nil {
		return err
	}
	p, err := x.Takes()
	if err != nil {
		return err
	}
	return tellWhy(w, p, body)
}

// explainPattern is explainRule of a pattern that no rule has: {"pattern","event"}.
func (d *door) explainPattern(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Pattern json.RawMessage `json:"pattern"`
		Event   json.RawMessage `json:"event"`
	}
	if err := readInto(r, &in); err != nil {
		return err
	}
	p, err := bus.ParsePattern(string(in.Pattern))
	if err != nil {
		return err
	}
	return tellWhy(w, p, in.Event)
}

func tellWhy(w http.ResponseWriter, p *pattern.Pattern, event []byte) error {
	doc := event // as it is, where it is only part of an event
	if e, err := eventOf(event, "0"); err == nil {
		doc = e.AppendDocument(nil)
	}
	x, err := p.Explain(doc)
	if err != nil {
		return badRequest("the event cannot be read: %v", err)
	}
	answer(w, http.StatusOK, Why{x.Matched, x.Path, x.String()})
	return nil
}
