package sns

import (
	"errors"
	"fmt"

	"ottla/internal/event/object"
)

// What can be wrong, for errors.Is. Doors map them.
var (
	// ErrNotFound: there is no such topic or subscription.
	ErrNotFound = errors.New("it does not exist")
	// ErrInvalid: what was asked cannot be, whoever asks.
	ErrInvalid = errors.New("it cannot be")
	// ErrRefused: who asks may not.
	ErrRefused = errors.New("it is refused")
	// ErrTooLarge: a message is larger than the topic takes.
	ErrTooLarge = errors.New("the message is too large")
	// ErrUnavailable: not now; try again.
	ErrUnavailable = errors.New("the topic cannot be reached at the moment")
)

// InvalidError is ErrInvalid with what is wrong, and of what: a parameter of SNS's.
type InvalidError struct{ Parameter, Why string }

// Error says both.
func (e *InvalidError) Error() string { return e.Parameter + ": " + e.Why }

// Is makes it an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// invalidf says what is wrong with a parameter.
func invalidf(parameter, format string, args ...any) error {
	return &InvalidError{parameter, fmt.Sprintf(format, args...)}
}

// objectError sorts an error of the store.
func objectError(err error) error {
	switch {
	case err == nil, errors.Is(err, object.ErrConflict):
		return err
	case errors.Is(err, object.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
