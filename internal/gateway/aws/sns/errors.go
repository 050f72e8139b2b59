package sns

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"ottla/internal/event/sns"
	"ottla/internal/gateway/aws/protocol"
)

// fault makes an error whose code is its shape without Exception.
func fault(code string, status int, format string, args ...any) *protocol.Error {
	return &protocol.Error{Shape: code + "Exception", Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// badParameter is SNS's answer to a parameter that cannot be.
func badParameter(parameter, format string, args ...any) *protocol.Error {
	return fault("InvalidParameter", http.StatusBadRequest, "Invalid parameter: %s Reason: %s", parameter, fmt.Sprintf(format, args...))
}

func notFound(what string) *protocol.Error {
	return fault("NotFound", http.StatusNotFound, "%s does not exist", what)
}

// Things that may not be there.
const (
	theTopic        = "Topic"
	theSubscription = "Subscription"
)

// refuse turns an error of topics into SNS's.
func refuse(what string, err error) error {
	var ours *protocol.Error
	var invalid *sns.InvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, sns.ErrNotFound):
		return notFound(what)
	case errors.As(err, &invalid):
		return badParameter(invalid.Parameter, "%s", invalid.Why)
	case errors.Is(err, sns.ErrTooLarge):
		return badParameter("Message", "%v", err)
	case errors.Is(err, sns.ErrRefused):
		return fault("AuthorizationError", http.StatusForbidden, "the subscription was confirmed with AuthenticateOnUnsubscribe: it is ended by signed calls only")
	case errors.Is(err, sns.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &protocol.Error{Shape: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Message: "the topic cannot be reached at the moment; try again", Cause: err}
	}
	return protocol.Internal(err)
}
