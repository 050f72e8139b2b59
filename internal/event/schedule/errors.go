package schedule

import (
	"errors"
	"fmt"

	"ottla/internal/event/object"
)

// What can be wrong, for errors.Is. Doors map them.
var (
	// ErrNotFound: there is no such schedule, or no such group.
	ErrNotFound = errors.New("there is none of that name")
	// ErrExists: there is one of that name.
	ErrExists = errors.New("there is one of that name")
	// ErrComplete: the same request has made it before, and it has had its last run and
	// was deleted.
	ErrComplete = errors.New("the same request has made it before; it has had its last run and was deleted")
	// ErrInvalid: what was asked cannot be, whoever asks. An *InvalidError tells
	// which field.
	ErrInvalid = object.ErrInvalid
	// ErrConflict: somebody else changed it at the same moment.
	ErrConflict = errors.New("it was changed by somebody else meanwhile")
	// ErrRefused is of an attempt that comes to the same whenever it is made; those
	// who make records of runs say it.
	ErrRefused = errors.New("it cannot be delivered")
	// ErrUnavailable: not now; try again.
	ErrUnavailable = errors.New("schedules cannot be reached at the moment")
)

// InvalidError is an ErrInvalid of one field of a Spec, by its JSON name.
type InvalidError = object.InvalidError

func invalid(field, format string, args ...any) *InvalidError {
	return &InvalidError{Field: field, Why: fmt.Sprintf(format, args...)}
}

// because is invalid for what another package refused.
func because(field string, err error) *InvalidError { return object.Because(field, err) }
