package events

import (
	"context"
	"errors"
	"net/http"

	"ottla/internal/event/bus"
	"ottla/internal/event/pattern"
	"ottla/internal/event/transform"
	"ottla/internal/gateway/aws/protocol"
)

// Shapes of errors that several operations answer.
const (
	validationError = "ValidationException"
	notFound        = "ResourceNotFoundException"
	alreadyExists   = "ResourceAlreadyExistsException"
	modified        = "ConcurrentModificationException"
	badPattern      = "InvalidEventPatternException"
	managed         = "ManagedRuleException"
	badStatus       = "IllegalStatusException"
	limitExceeded   = "LimitExceededException"
	internal        = "InternalException"
)

func invalid(format string, args ...any) *protocol.Error {
	return protocol.Errorf(validationError, format, args...)
}

func missing(err error) bool { return errors.Is(err, bus.ErrNotFound) }
func inUse(err error) bool   { return errors.Is(err, bus.ErrInUse) }

// refuse turns an error of buses into EventBridge's. What is what it is about.
func refuse(what string, err error) error {
	var ours *protocol.Error
	var field *bus.InvalidError
	var wrong *pattern.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &wrong):
		return refusePattern(wrong)
	case errors.As(err, &field):
		return invalid("Parameter %s is not valid. Reason: %s.", parameterOf(field.Field), field.Why)
	case errors.Is(err, bus.ErrInvalid):
		return invalid("%v", err)
	case missing(err):
		return protocol.Errorf(notFound, "%s does not exist.", what)
	case errors.Is(err, bus.ErrExists):
		return protocol.Errorf(alreadyExists, "%s already exists.", what)
	case errors.Is(err, bus.ErrConflict):
		return protocol.Errorf(modified, "%s was changed by somebody else at the same moment.", what)
	case errors.Is(err, bus.ErrManaged):
		return protocol.Errorf(managed, "%s is managed by an archive, and changes with that.", what)
	case errors.Is(err, bus.ErrTooLarge):
		return invalid("%v.", err)
	case errors.Is(err, bus.ErrLimit):
		return protocol.Errorf(limitExceeded, "The requested resource exceeds the maximum number allowed.")
	case inUse(err):
		return invalid("%s is in use: %v", what, err)
	}
	return broke(err)
}

// broke is the answer to what is not the caller's fault.
func broke(err error) error {
	if errors.Is(err, bus.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &protocol.Error{Shape: internal, Status: http.StatusServiceUnavailable, Message: "Event buses cannot be reached at the moment; try again.", Cause: err}
	}
	return &protocol.Error{Shape: internal, Status: http.StatusInternalServerError, Message: "The server could not do this; its log says why.", Cause: err}
}

// parameters are what AWS calls the fields of ours.
var parameters = map[string]string{
	"name": "Name", "dead_letters": "DeadLetterConfig.Arn", "description": "Description", "policy": "Policy", "tags": "Tags",
	"pattern": "EventPattern", "schedule": "ScheduleExpression", "id": "Id", "to": "Arn", "input": "Input", "input_path": "InputPath",
	"transform": "InputTransformer", "group": "SqsParameters.MessageGroupId", "key": "KinesisParameters.PartitionKeyPath",
	"headers": "HttpParameters.HeaderParameters", "query": "HttpParameters.QueryStringParameters", "path": "HttpParameters.PathParameterValues",
	"retry.retries": "RetryPolicy.MaximumRetryAttempts", "retry.max_age_ms": "RetryPolicy.MaximumEventAgeInSeconds",
	"retention_days": "RetentionDays", "from": "EventStartTime", "until": "EventEndTime", "rules": "Destination.FilterArns",
}

func parameterOf(field string) string {
	if called := parameters[field]; called != "" {
		return called
	}
	return field
}

// refuseRule is refuse for a rule.
func refuseRule(ref bus.RuleRef, err error) error {
	if missing(err) {
		return protocol.Errorf(notFound, "Rule %s does not exist on EventBus %s.", ref.Name, ref.Of().Name)
	}
	return refuse("Rule "+ref.Name, err)
}

// refuseTarget is refuse for a target of a rule.
func refuseTarget(ref bus.RuleRef, id string, err error) error {
	if missing(err) {
		return protocol.Errorf(notFound, "Rule '%s' does not have a target with the Id '%s'.", ref.Name, id)
	}
	var field *bus.InvalidError
	var template *transform.Error
	if errors.As(err, &template) && template.Unknown != "" {
		return invalid("InputTemplate for target %s contains invalid placeholder %s.", id, template.Unknown)
	}
	if errors.As(err, &field) && field.Field == "to" {
		return invalid("Parameter Arn of target %s is not valid. Reason: %s.", id, field.Why)
	}
	if errors.As(err, &field) {
		return invalid("Parameter %s of target %s is not valid. Reason: %s.", parameterOf(field.Field), id, field.Why)
	}
	return refuse("Target "+id, err)
}
