package object

import (
	"errors"

	"ottla/internal/event/name"
)

// ErrInvalid: what was asked cannot be, whoever asks.
var ErrInvalid = errors.New("it cannot be")

// InvalidError is an ErrInvalid of one field of a Spec, by its JSON name.
type InvalidError struct {
	Field string
	Why   string
	Cause error // nil without
}

// Error names the field.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Why }

// Is makes it an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Unwrap is the cause.
func (e *InvalidError) Unwrap() error { return e.Cause }

// Because is an InvalidError for what another package refused.
func Because(field string, err error) *InvalidError {
	return &InvalidError{Field: field, Why: err.Error(), Cause: err}
}

// CheckName tells what is wrong with the name of an object, and with its place.
func CheckName(r name.Ref) error {
	if err := name.CheckPlace(r.Account, r.Region); err != nil {
		return Because("name", err)
	}
	if err := name.Check(r.Kind, r.Name); err != nil {
		return Because("name", err)
	}
	return nil
}
