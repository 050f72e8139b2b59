package mapping

import (
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// What can be wrong, for errors.Is. Doors map them.
var (
	// ErrNotFound: there is no such mapping.
	ErrNotFound = errors.New("there is no such mapping")
	// ErrInvalid: what was asked cannot be, whoever asks.
	ErrInvalid = errors.New("it cannot be")
	// ErrConflict: somebody else changed it at the same moment.
	ErrConflict = errors.New("it was changed by somebody else meanwhile")
	// ErrUnavailable: not now; try again.
	ErrUnavailable = errors.New("mappings cannot be reached at the moment")
)

// invalid says what is wrong with a field, by its JSON name.
func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

// objectError is what an error of the store means for a caller.
func objectError(ref name.Ref, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, object.ErrNotFound):
		return fmt.Errorf("%s: %w", ref, ErrNotFound)
	case errors.Is(err, object.ErrConflict):
		return fmt.Errorf("%s: %w", ref, ErrConflict)
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, ref, err)
}
