package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/schedule"
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
	maxTags        = 200
	maxTagKey      = 128
	maxTagValue    = 256
)

// broken are constraints of the service's model that a request does not keep,
// in the words in which AWS's services say it, by the names of their members.
type broken []string

func (b *broken) value(member, value, constraint string) {
	*b = append(*b, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint))
}

// null is of what a request lacks.
func (b *broken) null(member string) {
	*b = append(*b, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member))
}

func (b *broken) length(member, value string, least, most int) {
	switch n := utf8.RuneCountInString(value); {
	case n < least:
		b.value(member, value, fmt.Sprintf("have length greater than or equal to %d", least))
	case n > most:
		b.value(member, value, fmt.Sprintf("have length less than or equal to %d", most))
	}
}

func (b *broken) number(member string, value, least, most int64) {
	switch {
	case value < least:
		b.value(member, fmt.Sprint(value), fmt.Sprintf("have value greater than or equal to %d", least))
	case value > most:
		b.value(member, fmt.Sprint(value), fmt.Sprintf("have value less than or equal to %d", most))
	}
}

// oneOf is of members that may be left out.
func (b *broken) oneOf(member, value string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		b.value(member, value, "satisfy enum value set: ["+strings.Join(values, ", ")+"]")
	}
}

const (
	alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	pattern      = "satisfy regular expression pattern: "
)

func (b *broken) name(member, value string) {
	if strings.Trim(value, alphanumeric+"-_.") != "" {
		b.value(member, value, pattern+"^[0-9a-zA-Z-_.]+$")
		return
	}
	b.length(member, value, 1, maxName)
}

func (b *broken) token(value string) {
	if strings.Trim(value, alphanumeric+"-_") != "" {
		b.value("clientToken", value, pattern+"^[a-zA-Z0-9-_]+$")
		return
	}
	b.length("clientToken", value, 0, maxToken)
}

func (b *broken) tags(member string, tags []tagPair) {
	if len(tags) > maxTags {
		b.value(member, fmt.Sprintf("%d tags", len(tags)), fmt.Sprintf("have length less than or equal to %d", maxTags))
		return
	}
	for i, t := range tags {
		at := fmt.Sprintf("%s.%d.member.", member, i+1)
		b.length(at+"key", t.Key, 1, maxTagKey)
		b.length(at+"value", t.Value, 1, maxTagValue)
	}
}

// err is the answer to what is broken, nil when nothing is.
func (b broken) err() error {
	switch len(b) {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: %s", b[0])
	}
	return validation("%d validation errors detected: %s", len(b), strings.Join(b, "; "))
}

// checkPath checks the names in a request's address.
func checkPath(c *protocol.Call) error {
	var b broken
	b.name("name", c.Name)
	if group := c.Query.Get("groupName"); group != "" {
		b.name("groupName", group)
	}
	b.token(c.Query.Get("clientToken"))
	return b.err()
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
		b.null("scheduleExpression")
	}
	b.length("scheduleExpression", w.Expression, 0, maxExpression)
	b.length("scheduleExpressionTimezone", w.Zone, 0, maxZone)
	b.length("description", w.Description, 0, maxDescription)
	b.oneOf("state", w.State, enabled, disabled)
	b.oneOf("actionAfterCompletion", w.Completion, keep, remove)
	b.token(w.ClientToken)
	if w.Window == nil {
		b.null("flexibleTimeWindow")
	} else {
		w.Window.check(&b)
	}
	if w.Target == nil {
		b.null("target")
	} else {
		w.Target.check(&b)
	}
	return b.err()
}

func (w *window) check(b *broken) {
	if w.Mode == "" {
		b.null("flexibleTimeWindow.mode")
	}
	b.oneOf("flexibleTimeWindow.mode", w.Mode, off, flexible)
	if w.Minutes != nil {
		b.number("flexibleTimeWindow.maximumWindowInMinutes", *w.Minutes, 1, schedule.MostWindowMs/60_000)
	}
}

// check leaves the form of RoleArn alone: it means nothing here, so any will do.
func (t *target) check(b *broken) {
	if t.Arn == "" {
		b.null("target.arn")
	}
	b.length("target.arn", t.Arn, 0, maxARN)
	if t.RoleArn == "" {
		b.null("target.roleArn")
	}
	b.length("target.roleArn", t.RoleArn, 0, maxARN)
	if t.SQS != nil {
		b.length("target.sqsParameters.messageGroupId", t.SQS.MessageGroupID, 0, maxGroupID)
	}
	if t.Retry == nil {
		return
	}
	if n := t.Retry.MaxAge; n != nil {
		b.number("target.retryPolicy.maximumEventAgeInSeconds", *n, schedule.LeastAgeMs/1000, schedule.MostAgeMs/1000)
	}
	if n := t.Retry.Attempts; n != nil {
		b.number("target.retryPolicy.maximumRetryAttempts", int64(*n), 0, schedule.MostRetries)
	}
}
