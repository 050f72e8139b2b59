package queue

import (
	"errors"
	"fmt"
)

// What can be wrong, for errors.Is. Doors map them.
var (
	// ErrNotFound: there is no such queue.
	ErrNotFound = errors.New("there is no such queue")
	// ErrExists: there is one of that name with another Spec.
	ErrExists = errors.New("there is a queue of that name that is otherwise")
	// ErrInvalid: what was asked cannot be, whoever asks.
	ErrInvalid = errors.New("it cannot be")
	// ErrReceipt: that is no receipt of this queue.
	ErrReceipt = errors.New("that is no receipt of this queue")
	// ErrStale: the receipt was good and is not any more: the message is done,
	// somebody else got it, or it came back to a FIFO queue. What was to be done was not done.
	// SQS answers success to a DeleteMessage of a standard queue all the same.
	ErrStale = errors.New("the receipt is not good any more")
	// ErrTooLarge: a message is larger than the queue takes.
	ErrTooLarge = errors.New("the message is too large")
	// ErrTooMany: so many messages are out that no more can be taken (SQS's
	// OverLimit).
	ErrTooMany = errors.New("too many messages are in flight")
	// ErrUnavailable: not now; try again.
	ErrUnavailable = errors.New("the queue cannot be reached at the moment")
	// ErrBusy: a move of that queue is under way.
	ErrBusy = errors.New("a move from that queue is under way")
)

// invalidf says what cannot be.
func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// ExistsError is ErrExists with the attribute in which the queues differ.
type ExistsError struct{ Attribute string }

// Error names the attribute.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("%v: its %s is another", ErrExists, e.Attribute)
}

// Is makes it an ErrExists.
func (e *ExistsError) Is(target error) bool { return target == ErrExists }
