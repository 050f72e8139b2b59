package sqs

import (
	"fmt"
	"net/http"

	"ottla/internal/gateway/aws/protocol"
)

// simple stands before the codes that the query protocol has for errors which
// the JSON protocol knows by their shape alone.
const simple = "AWS.SimpleQueueService."

// refusal makes an error whose code is its shape with the service's prefix.
func refusal(shape, format string, args ...any) *protocol.Error {
	return &protocol.Error{Shape: shape, Code: simple + shape, Message: fmt.Sprintf(format, args...)}
}

func noQueue() *protocol.Error {
	return &protocol.Error{Shape: "QueueDoesNotExist", Code: simple + "NonExistentQueue", Message: "The specified queue does not exist."}
}

func queueExists(why string) *protocol.Error {
	return &protocol.Error{Shape: "QueueNameExists", Code: "QueueAlreadyExists", Message: why}
}

func badParameter(format string, args ...any) *protocol.Error {
	return &protocol.Error{Shape: "InvalidParameterValueException", Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...)}
}

func missing(parameter string) *protocol.Error {
	return &protocol.Error{Shape: "MissingRequiredParameterException", Code: "MissingParameter", Message: "The request must contain the parameter " + parameter + "."}
}

func badContents(format string, args ...any) *protocol.Error {
	return protocol.Errorf("InvalidMessageContents", format, args...)
}

func badAttribute(name, format string, args ...any) *protocol.Error {
	return protocol.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s. Reason: %s.", name, fmt.Sprintf(format, args...))
}

func unknownAttribute(name string) *protocol.Error {
	return protocol.Errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func badReceipt() *protocol.Error {
	return protocol.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
}

func noResource(format string, args ...any) *protocol.Error {
	e := protocol.Errorf("ResourceNotFoundException", format, args...)
	e.Status = http.StatusNotFound
	return e
}
