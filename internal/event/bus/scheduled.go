package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"ottla/internal/event/schedule"
)

// scheduledSource and scheduledType are those of the events that rules with a
// schedule get (EventBridge's).
const (
	scheduledSource = "aws.events"
	scheduledType   = "Scheduled Event"
	schedulesOf     = "rules" // the group of such schedules
)

// scheduleRef is the schedule of a rule.
func scheduleRef(rule RuleRef) schedule.Ref {
	sum := sha256.Sum256([]byte(rule.Full().Key()))
	at := rule.Full()
	return schedule.Ref{Account: at.Account, Region: at.Region, Group: schedulesOf, Name: "rule-" + hex.EncodeToString(sum[:12])}
}

// scheduledPattern takes the events that the schedule of a rule puts.
func scheduledPattern(rule RuleRef) string {
	return fmt.Sprintf(`{"source":[%q],"detail-type":[%q],"resources":[%q]}`, scheduledSource, scheduledType, rule.ARN())
}

// setSchedule has the schedule of a rule say what the rule says.
func (s *Service) setSchedule(ctx context.Context, b Bus, rule RuleRef, old, spec RuleSpec) error {
	if spec.Schedule == "" {
		if old.Schedule == "" {
			return nil
		}
		return s.dropSchedule(ctx, Rule{RuleRef: rule, RuleSpec: old})
	}
	if s.o.Schedules == nil {
		return invalid("schedule", "this node has no schedules")
	}
	at := rule.Full()
	_, err := s.o.Schedules.CreateGroup(ctx, schedule.GroupRef{Account: at.Account, Region: at.Region, Name: schedulesOf}, nil)
	if err != nil && !errors.Is(err, schedule.ErrExists) {
		return scheduleError(err)
	}
	_, _, err = s.o.Schedules.Put(ctx, scheduleRef(rule), schedule.Spec{
		Expression: spec.Schedule, Paused: spec.Disabled, Missed: "last",
		Description: "of rule " + rule.Name + " of bus " + b.Name,
		Target: schedule.Target{Topic: b.Topic, Input: "{}", Headers: map[string]string{
			"ce_source": scheduledSource, "ce_type": scheduledType, "ce_subject": rule.ARN(), "content-type": "application/json",
			"ce_ebresources": fmt.Sprintf("[%q]", rule.ARN()),
		}},
	})
	return scheduleError(err)
}

// dropSchedule deletes the schedule of a rule.
func (s *Service) dropSchedule(ctx context.Context, r Rule) error {
	if r.Schedule == "" || s.o.Schedules == nil {
		return nil
	}
	if err := s.o.Schedules.Delete(ctx, scheduleRef(r.RuleRef)); err != nil && !errors.Is(err, schedule.ErrNotFound) {
		return scheduleError(err)
	}
	return nil
}

func scheduleError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, schedule.ErrInvalid):
		return because("schedule", err)
	}
	return unavailable("the rule's schedule", err)
}
