package peer

import (
	"errors"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// ErrNotSent says of a failed call that its request certainly never left this
// node, so that it may be sent to another one.
var ErrNotSent = errors.New("the request was not sent")

// call is a request and who waits for its answer.
type call struct {
	node    int32
	req     kmsg.Request
	done    func(kmsg.Response, error)
	forget  func() bool // ends the watch over its context; may be nil
	settled atomic.Bool
	corr    int32
	sent    bool // its bytes were given to the connection; of the link's lock
}

// settle calls done, the first time.
func (c *call) settle(resp kmsg.Response, err error) {
	if c.settled.Swap(true) {
		return
	}
	if c.forget != nil {
		c.forget()
	}
	c.done(resp, err)
}

// expire settles the call when its context has ended. It may run before Start
// has noted forget.
func (c *call) expire(err error) {
	if !c.settled.Swap(true) {
		c.done(nil, err)
	}
}

// notSent is the error of a call whose request never left.
func notSent(node int32, cause error) error {
	return wire.Errorf(wire.NetworkException, "node %d cannot be reached: %w", node, unsent{cause})
}

// unsent marks the cause of a failed call as ErrNotSent.
type unsent struct{ cause error }

// Error is the cause's text: it says enough.
func (u unsent) Error() string { return u.cause.Error() }

// Unwrap gives the cause, Is tells that it is ErrNotSent too.
func (u unsent) Unwrap() error { return u.cause }

func (u unsent) Is(target error) bool { return target == ErrNotSent }

// lost is the error of a call whose connection ended before the answer.
func lost(node int32, cause error) error {
	return wire.Errorf(wire.NetworkException, "the connection to node %d ended before its answer: %w", node, cause)
}
