package events

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"ottla/internal/event/bus"
	"ottla/internal/event/cron"
	"ottla/internal/event/pattern"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

// States of rules. withTrail is enabled as well: there is no CloudTrail here whose
// events could come.
const (
	enabled   = "ENABLED"
	disabled  = "DISABLED"
	withTrail = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

// Names under which a rule keeps what only this door knows.
const (
	extraRole  = "role_arn"
	extraTrail = "cloudtrail"
)

// ruleIn is what PutRule takes.
type ruleIn struct {
	Name        string           `json:"Name"`
	Bus         string           `json:"EventBusName"`
	Pattern     string           `json:"EventPattern"`
	Schedule    string           `json:"ScheduleExpression"`
	State       string           `json:"State"`
	Description string           `json:"Description"`
	RoleArn     string           `json:"RoleArn"`
	Tags        []constraint.Tag `json:"Tags"`
}

func (in *ruleIn) check() error {
	var b broken
	b.name("name", in.Name)
	b.bus(in.Bus)
	b.Length("eventPattern", in.Pattern, 0, maxPattern)
	b.Length("scheduleExpression", in.Schedule, 0, maxExpression)
	b.OneOf("state", in.State, enabled, disabled, withTrail)
	b.Length("description", in.Description, 0, maxDescription)
	b.Length("roleArn", in.RoleArn, 0, maxARN)
	b.Tags("tags", in.Tags, 0)
	if err := b.Err(); err != nil {
		return err
	}
	if in.Pattern == "" && in.Schedule == "" {
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	return nil
}

// into writes what is said into a rule's spec. What is not said is gone, but for the
// tags of a rule that was there, as at AWS.
func (in *ruleIn) into(s *bus.RuleSpec) {
	if s.Pattern == "" && s.Schedule == "" {
		s.Tags = constraint.TagMap(in.Tags)
	}
	s.Pattern, s.Schedule, s.Description, s.Disabled = in.Pattern, in.Schedule, in.Description, in.State == disabled
	s.Extra = map[string]string{}
	keep(s.Extra, extraRole, in.RoleArn)
	if in.State == withTrail {
		s.Extra[extraTrail] = withTrail
	}
}

type ruleArnOut struct {
	Arn string `json:"RuleArn"`
}

// putRule makes a rule, or another of it; its targets stay.
func (d door) putRule(ctx context.Context, c *protocol.Call, in *ruleIn) (*ruleArnOut, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	of, err := d.busThere(ctx, c, in.Bus)
	if err != nil {
		return nil, err
	}
	if in.Schedule != "" && of.Name != bus.Default {
		return nil, invalid("ScheduleExpression is supported only on the default event bus.")
	}
	if in.Schedule != "" && !isSchedule(in.Schedule) {
		return nil, invalid("Parameter ScheduleExpression is not valid.")
	}
	if in.Pattern != "" {
		if _, err := bus.ParsePattern(in.Pattern); err != nil {
			return nil, refusePattern(err)
		}
	}
	ref := of.Rule(in.Name)
	_, _, err = d.buses.PutRule(ctx, ref, func(s *bus.RuleSpec) error { in.into(s); return nil })
	if err != nil {
		return nil, refuseRule(ref, err)
	}
	return &ruleArnOut{ref.ARN()}, nil
}

// isSchedule tells whether a text is one of EventBridge's schedules: rate(…) and
// cron(…), in UTC. A rule's rate of 1 has a unit in the singular, and any other one in the
// plural; Scheduler takes both.
func isSchedule(text string) bool {
	e, err := cron.ParseAWS(text, time.UTC)
	switch {
	case err != nil || e.Kind() == cron.At:
		return false
	case e.Kind() == cron.Rate:
		value, unit, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, "rate("), ")"), " ")
		one, _ := strconv.Atoi(value)
		return strings.HasSuffix(unit, "s") != (one == 1)
	}
	return true
}

// refusePattern refuses a pattern in AWS's words, and then tells the reason in
// ours, which says where.
func refusePattern(err error) *protocol.Error {
	why := err.Error()
	var at *pattern.Error
	if errors.As(err, &at) {
		why = strings.TrimPrefix(at.Error(), "pattern, ")
	}
	return protocol.Errorf(badPattern, "Event pattern is not valid. Reason: %s", why)
}

type ruleNameIn struct {
	Name  string `json:"Name"`
	Bus   string `json:"EventBusName"`
	Force bool   `json:"Force"`
}

// ref checks names and gives the rule.
func (in *ruleNameIn) ref(c *protocol.Call) (bus.RuleRef, error) {
	var b broken
	b.name("name", in.Name)
	b.bus(in.Bus)
	if err := b.Err(); err != nil {
		return bus.RuleRef{}, err
	}
	of, err := busOf(c, in.Bus)
	return of.Rule(in.Name), err
}

// shownRule is what is told of a rule.
type shownRule struct {
	Name        string `json:"Name"`
	Arn         string `json:"Arn"`
	Pattern     string `json:"EventPattern,omitempty"`
	State       string `json:"State"`
	Description string `json:"Description,omitempty"`
	Schedule    string `json:"ScheduleExpression,omitempty"`
	RoleArn     string `json:"RoleArn,omitempty"`
	ManagedBy   string `json:"ManagedBy,omitempty"`
	Bus         string `json:"EventBusName"`
	CreatedBy   string `json:"CreatedBy,omitempty"`
}

// manager is who AWS says manages the rules of archives.
const manager = "prod.vhs.events.aws.internal"

func showRule(r bus.Rule) shownRule {
	out := shownRule{
		Name: r.Name, Arn: r.ARN(), Pattern: r.Pattern, State: enabled, Description: r.Description,
		Schedule: r.Schedule, RoleArn: r.Extra[extraRole], Bus: r.Of().Name,
	}
	switch {
	case r.Disabled:
		out.State = disabled
	case r.Extra[extraTrail] != "":
		out.State = withTrail
	}
	if r.ManagedBy != "" {
		out.ManagedBy = manager
	}
	return out
}

func (d door) describeRule(ctx context.Context, c *protocol.Call, in *ruleNameIn) (*shownRule, error) {
	ref, err := in.ref(c)
	if err != nil {
		return nil, err
	}
	r, err := d.rule(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := showRule(r)
	out.CreatedBy = r.Full().Account
	return &out, nil
}

// rule finds a rule, or says of bus or rule that it is not there.
func (d door) rule(ctx context.Context, ref bus.RuleRef) (bus.Rule, error) {
	if _, err := d.buses.Get(ctx, ref.Of()); err != nil {
		return bus.Rule{}, refuse("Event bus "+ref.Of().Name, err)
	}
	r, err := d.buses.Rule(ctx, ref)
	return r, refuseRule(ref, err)
}

// deleteRule deletes a rule; deleting what is not there is no error.
func (d door) deleteRule(ctx context.Context, c *protocol.Call, in *ruleNameIn) (*protocol.Nothing, error) {
	ref, err := in.ref(c)
	if err != nil {
		return nil, err
	}
	if _, err := d.buses.Get(ctx, ref.Of()); err != nil {
		return nil, refuse("Event bus "+ref.Of().Name, err)
	}
	err = d.buses.DeleteRule(ctx, ref, false)
	if missing(err) {
		return nil, nil
	}
	if inUse(err) {
		return nil, invalid("Rule can't be deleted since it has targets.")
	}
	return nil, refuseRule(ref, err)
}

func (d door) enableRule(ctx context.Context, c *protocol.Call, in *ruleNameIn) (*protocol.Nothing, error) {
	return d.turn(ctx, c, in, true)
}

func (d door) disableRule(ctx context.Context, c *protocol.Call, in *ruleNameIn) (*protocol.Nothing, error) {
	return d.turn(ctx, c, in, false)
}

// turn turns a rule on or off.
func (d door) turn(ctx context.Context, c *protocol.Call, in *ruleNameIn, on bool) (*protocol.Nothing, error) {
	ref, err := in.ref(c)
	if err != nil {
		return nil, err
	}
	r, err := d.rule(ctx, ref)
	if err != nil {
		return nil, err
	}
	if r.Disabled != on {
		return nil, nil
	}
	_, err = d.buses.UpdateRule(ctx, ref, func(s *bus.RuleSpec) error {
		s.Disabled = !on
		delete(s.Extra, extraTrail)
		return nil
	})
	return nil, refuseRule(ref, err)
}

type listRulesIn struct {
	Bus    string `json:"EventBusName"`
	Prefix string `json:"NamePrefix"`
	paged
}

type listRulesOut struct {
	Rules     []shownRule `json:"Rules"`
	NextToken string      `json:"NextToken,omitempty"`
}

func (d door) listRules(ctx context.Context, c *protocol.Call, in *listRulesIn) (*listRulesOut, error) {
	var b broken
	b.bus(in.Bus)
	b.optional("namePrefix", in.Prefix, maxName, anyName)
	most, after := in.page(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	of, err := d.busThere(ctx, c, in.Bus)
	if err != nil {
		return nil, err
	}
	found, next, err := d.buses.Rules(ctx, of, in.Prefix, after, most)
	if err != nil {
		return nil, refuse("", err)
	}
	out := &listRulesOut{Rules: []shownRule{}, NextToken: token(next)}
	for _, r := range found {
		out.Rules = append(out.Rules, showRule(r))
	}
	return out, nil
}

// busThere finds a bus by name or ARN.
func (d door) busThere(ctx context.Context, c *protocol.Call, nameOrARN string) (bus.Ref, error) {
	of, err := busOf(c, nameOrARN)
	if err != nil {
		return of, err
	}
	_, err = d.buses.Get(ctx, of)
	return of, refuse("Event bus "+of.Name, err)
}

type byTargetIn struct {
	Target string `json:"TargetArn"`
	Bus    string `json:"EventBusName"`
	paged
}

type byTargetOut struct {
	Names     []string `json:"RuleNames"`
	NextToken string   `json:"NextToken,omitempty"`
}

func (d door) rulesByTarget(ctx context.Context, c *protocol.Call, in *byTargetIn) (*byTargetOut, error) {
	var b broken
	b.arn("targetArn", in.Target)
	b.bus(in.Bus)
	most, after := in.page(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	of, err := d.busThere(ctx, c, in.Bus)
	if err != nil {
		return nil, err
	}
	found, err := d.buses.RulesTo(ctx, of, in.Target)
	if err != nil {
		return nil, refuse("", err)
	}
	out := &byTargetOut{Names: []string{}}
	for _, r := range found { // by name
		if r.Name <= after {
			continue
		}
		if len(out.Names) == most {
			out.NextToken = token(out.Names[most-1])
			break
		}
		out.Names = append(out.Names, r.Name)
	}
	return out, nil
}
