package bus

import (
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// What can be wrong, for errors.Is. Doors map them.
var (
	// ErrNotFound: there is no such bus, rule, target, archive or replay.
	ErrNotFound = errors.New("there is no such object")
	// ErrExists: there is one of that name.
	ErrExists = errors.New("there is one of that name")
	// ErrInvalid: what was asked cannot be, whoever asks. An *InvalidError tells
	// which field.
	ErrInvalid = object.ErrInvalid
	// ErrInUse: something else needs it.
	ErrInUse = errors.New("it is needed")
	// ErrOver: a replay is at its end. It is an ErrInUse too.
	ErrOver error = overError{}
	// ErrManaged: Ottla made the rule for an archive, and changes it with that.
	ErrManaged = errors.New("the rule is managed")
	// ErrLimit: there would be more than may be.
	ErrLimit = errors.New("there are as many as there may be")
	// ErrTooLarge: an event is larger than a bus takes.
	ErrTooLarge = errors.New("the event is too large")
	// ErrConflict: somebody else changed it at the same moment.
	ErrConflict = errors.New("it was changed by somebody else meanwhile")
	// ErrUnavailable: not now; try again.
	ErrUnavailable = errors.New("the bus cannot be reached at the moment")
)

type overError struct{}

func (overError) Error() string { return "it is over, and nothing of it can be changed any more" }

func (overError) Is(target error) bool { return target == ErrInUse }

// InvalidError is an ErrInvalid of one field, by its JSON name.
type InvalidError = object.InvalidError

func invalid(field, format string, args ...any) *InvalidError {
	return &InvalidError{Field: field, Why: fmt.Sprintf(format, args...)}
}

// because is invalid for what another package refused.
func because(field string, err error) *InvalidError { return object.Because(field, err) }

// unavailable is what a caller hears who may try again.
func unavailable(what string, err error) error {
	return fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
}

// objectError says of an error of the store what it means for an object.
func objectError(of name.Ref, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, object.ErrNotFound):
		return fmt.Errorf("%s: %w", of, ErrNotFound)
	case errors.Is(err, object.ErrConflict):
		return fmt.Errorf("%s: %w", of, ErrConflict)
	}
	return unavailable(of.String(), err)
}

// checkName tells what is wrong with the name of an object of this package.
func checkName(r name.Ref) error { return object.CheckName(r) }
