package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"ottla/internal/event/schedule"
)

// scheduledSource and scheduledType are those of the events that rules with a
// schedule get (EventBridge's).
const (
	scheduledSource = "aws.events"
	scheduledType   = "Scheduled Event"
	schedulesOf     = "rules" // the group of such schedules
	schedulePrefix  = "rule-" // their names begin with it
)

// scheduleRef is the schedule of a rule.
func scheduleRef(rule RuleRef) schedule.Ref {
	sum := sha256.Sum256([]byte(rule.Full().Key()))
	at := rule.Full()
	return schedule.Ref{Account: at.Account, Region: at.Region, Group: schedulesOf, Name: schedulePrefix + hex.EncodeToString(sum[:12])}
}

// scheduledPattern takes the events that the schedule of a rule puts.
func scheduledPattern(rule RuleRef) string {
	return fmt.Sprintf(`{"source":[%q],"detail-type":[%q],"resources":[%q]}`, scheduledSource, scheduledType, rule.ARN())
}

// keepSchedule has the schedule of a rule say what the rule says, until nobody changed
// that meanwhile: of those who change a rule at the same moment the last one to come
// sees what was written last.
func (s *Service) keepSchedule(ctx context.Context, rule RuleRef) error {
	r, err := s.currentRule(ctx, rule)
	for try := 1; try <= tries; try++ {
		switch {
		case errors.Is(err, ErrNotFound) || err == nil && r.Schedule == "":
			err = s.dropSchedule(ctx, rule)
		case err == nil:
			err = s.setSchedule(ctx, r)
		}
		if err != nil {
			return err
		}
		was := r
		if r, err = s.currentRule(ctx, rule); r.ID == was.ID && r.Version == was.Version && (err == nil || errors.Is(err, ErrNotFound)) {
			return nil
		}
	}
	return fmt.Errorf("the schedule of %s: %w", rule.Full(), ErrConflict)
}

// currentRule is the rule as it was written last anywhere.
func (s *Service) currentRule(ctx context.Context, rule RuleRef) (Rule, error) {
	o, err := s.o.Objects.Current(ctx, rule.Full())
	if err != nil {
		return Rule{RuleRef: rule}, objectError(rule.Full(), err)
	}
	return ruleOf(&o)
}

const (
	// seenTimeout bounds how long a topic that was just made is waited for, seenPause is
	// how long it rests between two tries.
	seenTimeout = 10 * time.Second
	seenPause   = 10 * time.Millisecond
)

// putSchedule puts a schedule that puts records into a bus's topic, once this node knows
// that: before, schedules take it for none.
func (s *Service) putSchedule(ctx context.Context, ref schedule.Ref, spec schedule.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	for {
		_, _, err := s.o.Schedules.Put(ctx, ref, spec)
		var bad *schedule.InvalidError
		if !errors.As(err, &bad) || bad.Field != "target.topic" {
			return scheduleError(err)
		}
		select {
		case <-ctx.Done():
			return unavailable("wait for the topic "+spec.Target.Topic, err)
		case <-time.After(seenPause):
		}
	}
}

// setSchedule has the schedule of a rule say what that says.
func (s *Service) setSchedule(ctx context.Context, r Rule) error {
	b, err := s.Get(ctx, r.Of())
	if err != nil {
		return err
	}
	at := r.Full()
	_, err = s.o.Schedules.CreateGroup(ctx, schedule.GroupRef{Account: at.Account, Region: at.Region, Name: schedulesOf}, nil)
	if err != nil && !errors.Is(err, schedule.ErrExists) {
		return scheduleError(err)
	}
	return s.putSchedule(ctx, scheduleRef(r.RuleRef), schedule.Spec{
		Expression: r.Schedule, Paused: r.Disabled, Missed: "last",
		Description: "of rule " + r.Name + " of bus " + b.Name,
		Target: schedule.Target{Topic: b.Topic, Input: "{}", Headers: map[string]string{
			"ce_source": scheduledSource, "ce_type": scheduledType, "ce_subject": r.ARN(), "content-type": "application/json",
			"ce_ebresources": fmt.Sprintf("[%q]", r.ARN()),
		}},
	})
}

// dropSchedule deletes the schedule of a rule.
func (s *Service) dropSchedule(ctx context.Context, rule RuleRef) error {
	if s.o.Schedules == nil {
		return nil
	}
	if err := s.o.Schedules.Delete(ctx, scheduleRef(rule)); err != nil && !errors.Is(err, schedule.ErrNotFound) {
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
