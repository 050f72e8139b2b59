package connection

import (
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// What can be wrong, for errors.Is. Doors map them.
var (
	ErrNotFound    = errors.New("there is none of that name")
	ErrExists      = errors.New("there is one of that name already")
	ErrInvalid     = errors.New("it cannot be")
	ErrInUse       = errors.New("it is used")
	ErrConflict    = errors.New("it was changed by somebody else meanwhile")
	ErrUnavailable = errors.New("not now; try again")
)

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// objectError says of an error of the store what it means here.
func objectError(of name.Ref, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, object.ErrNotFound):
		return fmt.Errorf("%s: %w", of, ErrNotFound)
	case errors.Is(err, object.ErrConflict):
		return fmt.Errorf("%s: %w", of, ErrConflict)
	}
	return fmt.Errorf("%s: %w: %w", of, ErrUnavailable, err)
}
