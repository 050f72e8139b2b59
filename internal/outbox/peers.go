package outbox

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// Peers sends requests to other nodes of the cluster.
type Peers interface {
	// Start sends a request to a node, in the highest version that both know,
	// and calls done once, from any goroutine, perhaps before Start returns: with
	// the answer, or with an error when there is none: the connection ended, or
	// could not be made, or ctx ended. Start does not wait.
	Start(ctx context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error))
}

// Call is Start and wait.
func Call[R kmsg.Response](ctx context.Context, p Peers, node int32, req kmsg.Request) (R, error) {
	type said struct {
		resp kmsg.Response
		err  error
	}
	c := make(chan said, 1)
	p.Start(ctx, node, req, func(resp kmsg.Response, err error) { c <- said{resp, err} })
	var none R
	select {
	case s := <-c:
		if s.err != nil {
			return none, s.err
		}
		r, ok := s.resp.(R)
		if !ok {
			return none, wire.Errorf(wire.UnknownServerError, "node %d answered %T with %T", node, req, s.resp)
		}
		return r, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// CodeOf is the code of an error of Start: REQUEST_TIMED_OUT when its context
// ended, else NETWORK_EXCEPTION unless the error has a code of its own.
func CodeOf(err error) wire.Code {
	switch code := wire.CodeOf(err); {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return wire.RequestTimedOut
	case code == wire.UnknownServerError:
		return wire.NetworkException
	default:
		return code
	}
}
