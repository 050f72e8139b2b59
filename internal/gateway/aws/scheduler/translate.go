package scheduler

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"ottla/internal/event/cron"
	"ottla/internal/event/name"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/protocol"
)

// Values of states and the like.
const (
	enabled  = "ENABLED"
	disabled = "DISABLED"
	off      = "OFF"
	flexible = "FLEXIBLE"
	keep     = "NONE"
	remove   = "DELETE"
	utc      = "UTC"
)

// spec turns what was written into a Spec, of a schedule that a request made.
func (w *written) spec(c *protocol.Call, by maker) (schedule.Spec, error) {
	s := schedule.Spec{Expression: w.Expression, Zone: w.Zone, Description: w.Description, Paused: w.State == disabled, DeleteAfter: w.Completion == remove}
	e, err := readExpression(w.Expression)
	if err != nil {
		return s, err
	}
	if w.KmsKeyArn != "" {
		return s, validation("KmsKeyArn: there is no encryption of schedules here.")
	}
	if w.Start != nil {
		s.StartMs = int64(*w.Start)
	}
	if w.End != nil {
		s.EndMs = int64(*w.End)
	}
	if err := w.Window.into(&s); err != nil {
		return s, err
	}
	to, said, err := w.Target.templated(c)
	if err != nil {
		return s, err
	}
	if err := to.into(&s); err != nil {
		return s, err
	}
	if by.ClientToken != "" {
		s.MadeBy = by.ClientToken + "/" + by.Request
	}
	kept := extra{RoleArn: w.Target.RoleArn, Universal: said, maker: by}
	if s.Target.Input == "" {
		s.Target.Input, kept.NoInput = defaultInput(c), true
	}
	if e.Kind() == cron.At {
		kept.StartMs, kept.EndMs, s.StartMs, s.EndMs = s.StartMs, s.EndMs, 0, 0
	}
	s.Extra, err = json.Marshal(kept)
	return s, err
}

// defaultInput is what targets get of a schedule without Input: an event of
// EventBridge's form, whose detail is a text.
func defaultInput(c *protocol.Call) string {
	return fmt.Sprintf(`{"version":"0","id":"<aws.scheduler.execution-id>","detail-type":"Scheduled Event","source":"aws.scheduler",`+
		`"account":%q,"time":"<aws.scheduler.scheduled-time>","region":%q,"resources":["<aws.scheduler.schedule-arn>"],"detail":"{}"}`, c.Account, c.Region)
}

// maker names the request that this is.
func (w *written) maker() (maker, error) {
	if w.ClientToken == "" {
		return maker{}, nil
	}
	sum, err := w.sum()
	return maker{w.ClientToken, sum}, err
}

// sum tells requests apart.
func (w *written) sum() (string, error) {
	b, err := json.Marshal(w)
	if err != nil {
		return "", fmt.Errorf("sum a request up: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

func (w *window) into(s *schedule.Spec) error {
	switch {
	case w.Mode == off && w.Minutes == nil:
		return nil
	case w.Mode == off:
		return validation("FlexibleTimeWindow: MaximumWindowInMinutes goes with the mode FLEXIBLE.")
	case w.Minutes == nil:
		return validation("FlexibleTimeWindow: the mode FLEXIBLE needs MaximumWindowInMinutes.")
	}
	s.WindowMs = *w.Minutes * 60_000
	return nil
}

func (t *target) into(s *schedule.Spec) error {
	for _, of := range []struct {
		service string
		given   json.RawMessage
	}{{"Ecs", t.ECS}, {"Kinesis", t.Kinesis}, {"SageMakerPipeline", t.SageMaker}} {
		if of.given != nil && string(of.given) != "null" {
			return validation("Target: %sParameters are for a service that is not served here.", of.service)
		}
	}
	if err := t.place(&s.Target); err != nil {
		return err
	}
	s.Target.Input = t.Input
	if t.SQS != nil {
		if s.Target.Queue == "" {
			return validation("Target: SqsParameters go with a queue.")
		}
		s.Target.Key = t.SQS.MessageGroupID
	}
	switch bus := s.Target.Bus != ""; {
	case t.EventBridge != nil && !bus:
		return validation("Target: EventBridgeParameters go with an event bus.")
	case t.EventBridge == nil && bus:
		return validation("Target: an event bus needs EventBridgeParameters.")
	case bus:
		s.Target.Type, s.Target.Source = t.EventBridge.DetailType, t.EventBridge.Source
	}
	if (s.Target.Bus != "" || s.Target.Function != "") && t.Input != "" && !json.Valid([]byte(t.Input)) {
		return validation("Target: Input of an event bus or a function must be well-formed JSON.")
	}
	if t.DeadLetter != nil && t.DeadLetter.Arn != "" {
		if r, err := name.ParseARN(t.DeadLetter.Arn); err != nil || r.Kind != name.Queue {
			return validation("Target: DeadLetterConfig: %s is no queue's ARN.", t.DeadLetter.Arn)
		}
		s.DeadLetters = t.DeadLetter.Arn
	}
	if t.Retry != nil {
		s.Retry.Retries = t.Retry.Attempts
		if t.Retry.MaxAge != nil {
			s.Retry.MaxAgeMs = *t.Retry.MaxAge * 1000
		}
	}
	return nil
}

// place finds out what a target's ARN is.
func (t *target) place(into *schedule.Target) error {
	if strings.HasPrefix(t.Arn, "https://") || strings.HasPrefix(t.Arn, "http://") {
		into.URL = t.Arn
		return nil
	}
	r, err := name.ParseARN(t.Arn)
	switch {
	case err == nil && r.Kind == name.Queue:
		into.Queue = t.Arn
		return nil
	case err == nil && r.Kind == name.Topic:
		into.Topic = r.Name
		return nil
	case err == nil && r.Kind == name.Bus:
		into.Bus = t.Arn
		return nil
	case err == nil && r.Kind == name.SNS:
		into.SNS = t.Arn
		return nil
	case err == nil && r.Kind == name.Function:
		into.Function = t.Arn
		return nil
	}
	return validation("Target: %s cannot be a target here: it takes the ARN of a queue, an SNS topic, an event bus, a function, a topic as arn:aws:kafka:REGION:ACCOUNT:topic/ottla/NAME, or an address (https://…).", t.Arn)
}

// show turns a schedule into what is answered.
func show(s schedule.Schedule) *shown {
	full := schedule.RefOf(s.Full())
	out := &shown{
		Arn: s.ARN(), Name: full.Name, Group: full.Group, Expression: s.Expression, Zone: s.Zone, Description: s.Description,
		Window: window{Mode: off}, State: state(s), Completion: keep, Target: showTarget(s),
		Created: moment(s.Created.UnixMilli()), Modified: moment(s.Modified.UnixMilli()),
	}
	if out.Zone == "" {
		out.Zone = utc
	}
	kept := extraOf(s.Spec)
	if start := s.StartMs + kept.StartMs; start != 0 { // one of them is 0
		out.Start = new(moment(start))
	}
	if end := s.EndMs + kept.EndMs; end != 0 {
		out.End = new(moment(end))
	}
	if s.WindowMs > 0 {
		minutes := (s.WindowMs + 59_999) / 60_000
		out.Window = window{flexible, &minutes}
	}
	if s.DeleteAfter {
		out.Completion = remove
	}
	return out
}

func state(s schedule.Schedule) string {
	if s.Paused {
		return disabled
	}
	return enabled
}

func showTarget(s schedule.Schedule) target {
	kept := extraOf(s.Spec)
	t := target{Arn: s.Target.ARN(s.Ref), RoleArn: kept.RoleArn, Input: s.Target.Input}
	if kept.NoInput {
		t.Input = ""
	}
	switch {
	case kept.Universal != nil:
		t.Arn, t.Input = kept.Universal.Arn, kept.Universal.Input
	case s.Target.Queue != "" && s.Target.Key != "":
		t.SQS = &sqsParameters{s.Target.Key}
	case s.Target.Bus != "":
		t.EventBridge = &busParameters{s.Target.Type, s.Target.Source}
	}
	if s.DeadLetters != "" {
		t.DeadLetter = &deadLetter{queueARN(s, s.DeadLetters)}
	}
	t.Retry = &retry{Attempts: s.Retry.Retries}
	if s.Retry.MaxAgeMs > 0 {
		age := s.Retry.MaxAgeMs / 1000
		t.Retry.MaxAge = &age
	}
	return t
}

// queueARN is the ARN of a queue that a schedule names, perhaps by its name
// alone.
func queueARN(s schedule.Schedule, queue string) string {
	if strings.HasPrefix(queue, "arn:") {
		return queue
	}
	full := s.Full()
	return name.Ref{Kind: name.Queue, Account: full.Account, Region: full.Region, Name: queue}.ARN()
}

// extraOf is what this door kept; nothing for schedules of other doors.
func extraOf(s schedule.Spec) extra {
	var e extra
	if len(s.Extra) > 0 && json.Unmarshal(s.Extra, &e) != nil {
		return extra{}
	}
	return e
}
