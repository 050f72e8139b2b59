package wire

import (
	"errors"
	"fmt"
)

// Error is a code with a message made for the case at hand and, inside, its
// cause. The message goes to the client; the cause goes to the log only, but
// for what the message itself repeats of it.
type Error struct {
	Code    Code
	Message string
	Cause   error
}

// Error is the message for the client.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, SomeCode) hold for an Error with that code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Errorf makes an *Error; a %w verb sets its cause.
func Errorf(c Code, format string, args ...any) error {
	made := fmt.Errorf(format, args...)
	e := &Error{Code: c, Message: made.Error(), Cause: errors.Unwrap(made)}
	if _, many := made.(interface{ Unwrap() []error }); many {
		e.Cause = made
	}
	return e
}

// CodeOf maps any error to a code: nil to None, a Code or *Error anywhere in
// its chain to that, anything else to UnknownServerError. A bare Code costs no
// allocation.
func CodeOf(err error) Code {
	switch e := err.(type) {
	case nil:
		return None
	case Code:
		return e
	case *Error:
		return e.Code
	}
	return codeInChain(err)
}

// codeInChain is CodeOf for wrapped errors.
func codeInChain(err error) Code {
	var typed *Error
	if errors.As(err, &typed) {
		return typed.Code
	}
	var code Code
	if errors.As(err, &code) {
		return code
	}
	return UnknownServerError
}

// MessageOf gives the text that an answer may carry: empty for nil and None,
// an *Error's message, a Code's default text. An error that is neither is
// internal: its own text stays inside, and the text of UnknownServerError is
// given.
func MessageOf(err error) string {
	switch e := err.(type) {
	case nil:
		return ""
	case Code:
		return e.Text()
	case *Error:
		return e.Message
	}
	var typed *Error
	if errors.As(err, &typed) {
		return typed.Message
	}
	return CodeOf(err).Text()
}
