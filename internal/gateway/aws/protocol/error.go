package protocol

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an answer that refuses a call.
type Error struct {
	// Shape is the error's name in the service's model, which JSON protocols
	// answer.
	Shape string
	// Code is what the query protocol calls it; "" when it is Shape.
	Code string
	// Status is the HTTP status; 0 is 400 Bad Request.
	Status  int
	Message string
	// Cause is why the server could not do it; it is logged, never sent.
	Cause error
}

// Error tells the code and the message.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.QueryCode(), e.Message, e.Cause)
	}
	return e.QueryCode() + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// QueryCode is the code of the query protocol, and of entries of batches.
func (e *Error) QueryCode() string {
	if e.Code != "" {
		return e.Code
	}
	return e.Shape
}

// HTTPStatus is the status that the answer has.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Fault says whose fault it is, in AWS's words: Sender or Receiver.
func (e *Error) Fault() string {
	if e.HTTPStatus() >= 500 {
		return "Receiver"
	}
	return "Sender"
}

// Errorf makes an error of the caller's fault.
func Errorf(shape, format string, args ...any) *Error {
	return &Error{Shape: shape, Message: fmt.Sprintf(format, args...)}
}

// Internal is the answer to a failure of ours: the cause goes to the log.
func Internal(cause error) *Error {
	return &Error{
		Shape: "InternalError", Code: "InternalError", Status: http.StatusInternalServerError,
		Message: "the server could not do this; its log says why", Cause: cause,
	}
}

// AsError gives the error that a call is answered with: one of ours as it is,
// any other as Internal.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal(err)
}

// unreadable is the answer to a body that the protocol cannot read.
func unreadable(format string, args ...any) *Error {
	e := Errorf("SerializationException", format, args...)
	e.Code = "MalformedInput"
	return e
}
