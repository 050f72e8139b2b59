package scheduler

import (
	"strings"

	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

// Bounds of the service's model.
const (
	maxName        = 64
	maxToken       = 64
	maxExpression  = 256
	maxZone        = 50
	maxDescription = 512
	maxARN         = 1600
	maxGroupID     = 128
	maxDetailType  = 128
	maxSource      = 256
)

// broken are constraints of the service's model that a request does not keep.
type broken struct{ constraint.Broken }

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func (b *broken) name(member, value string) {
	if strings.Trim(value, alphanumeric+"-_.") != "" {
		b.Match(member, value, "^[0-9a-zA-Z-_.]+$", false)
		return
	}
	b.Length(member, value, 1, maxName)
}

func (b *broken) token(value string) {
	if strings.Trim(value, alphanumeric+"-_") != "" {
		b.Match("clientToken", value, "^[a-zA-Z0-9-_]+$", false)
		return
	}
	b.Length("clientToken", value, 0, maxToken)
}

// checkPath checks the names in a request's address.
func checkPath(c *protocol.Call) error {
	var b broken
	b.name("name", c.Name)
	if group := c.Query.Get("groupName"); group != "" {
		b.name("groupName", group)
	}
	b.token(c.Query.Get("clientToken"))
	return b.Err()
}

// check checks what CreateSchedule and UpdateSchedule take, as far as the model
// says it.
func (w *written) check(c *protocol.Call) error {
	var b broken
	b.name("name", c.Name)
	if w.Group != "" {
		b.name("groupName", w.Group)
	}
	if w.Expression == "" {
		b.Null("scheduleExpression")
	}
	b.Length("scheduleExpression", w.Expression, 0, maxExpression)
	b.Length("scheduleExpressionTimezone", w.Zone, 0, maxZone)
	b.Length("description", w.Description, 0, maxDescription)
	b.OneOf("state", w.State, enabled, disabled)
	b.OneOf("actionAfterCompletion", w.Completion, keep, remove)
	b.token(w.ClientToken)
	if w.Window == nil {
		b.Null("flexibleTimeWindow")
	} else {
		w.Window.check(&b)
	}
	if w.Target == nil {
		b.Null("target")
	} else {
		w.Target.check(&b)
	}
	return b.Err()
}

func (w *window) check(b *broken) {
	if w.Mode == "" {
		b.Null("flexibleTimeWindow.mode")
	}
	b.OneOf("flexibleTimeWindow.mode", w.Mode, off, flexible)
	if w.Minutes != nil {
		b.Number("flexibleTimeWindow.maximumWindowInMinutes", *w.Minutes, 1, schedule.MostWindowMs/60_000)
	}
}

// check leaves the form of RoleArn alone: it means nothing here, so any will do.
func (t *target) check(b *broken) {
	if t.Arn == "" {
		b.Null("target.arn")
	}
	b.Length("target.arn", t.Arn, 0, maxARN)
	if t.RoleArn == "" {
		b.Null("target.roleArn")
	}
	b.Length("target.roleArn", t.RoleArn, 0, maxARN)
	if t.SQS != nil {
		b.Length("target.sqsParameters.messageGroupId", t.SQS.MessageGroupID, 0, maxGroupID)
	}
	if t.EventBridge != nil {
		t.EventBridge.check(b)
	}
	if t.Retry == nil {
		return
	}
	if n := t.Retry.MaxAge; n != nil {
		b.Number("target.retryPolicy.maximumEventAgeInSeconds", *n, schedule.LeastAgeMs/1000, schedule.MostAgeMs/1000)
	}
	if n := t.Retry.Attempts; n != nil {
		b.Number("target.retryPolicy.maximumRetryAttempts", int64(*n), 0, schedule.MostRetries)
	}
}

// sourcePattern is that of the service's model.
const sourcePattern = `^(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)$`

func (p *busParameters) check(b *broken) {
	if p.DetailType == "" {
		b.Null("target.eventBridgeParameters.detailType")
	}
	b.Length("target.eventBridgeParameters.detailType", p.DetailType, 0, maxDetailType)
	if p.Source == "" {
		b.Null("target.eventBridgeParameters.source")
		return
	}
	// No source begins as those of AWS's own services do.
	if strings.HasPrefix(p.Source, "aws.") || strings.Trim(p.Source[:1], alphanumeric+"/.-_$") != "" {
		b.Match("target.eventBridgeParameters.source", p.Source, sourcePattern, false)
		return
	}
	b.Length("target.eventBridgeParameters.source", p.Source, 0, maxSource)
}
