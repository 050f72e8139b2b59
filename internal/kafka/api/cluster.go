package api

import (
	"context"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// Cluster is the metadata of the cluster: what it is, and how to change it.
type Cluster interface {
	Image() *metadata.Image
	// Do gives the controller a command; when it returns, the change is
	// committed and this node has applied it.
	Do(ctx context.Context, cmd any) (any, error)
}

// Do runs a command and gives its reply as R, within limit. A refusal of the
// whole command is an error with a code; when the time ran out the code is
// REQUEST_TIMED_OUT.
func Do[R any](ctx context.Context, c Cluster, limit time.Duration, cmd any) (R, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var none R
	reply, err := c.Do(ctx, cmd)
	if err != nil {
		if ctx.Err() != nil && wire.CodeOf(err) == wire.UnknownServerError {
			return none, wire.RequestTimedOut
		}
		return none, err
	}
	r, ok := reply.(R)
	if !ok {
		return none, wire.Errorf(wire.UnknownServerError, "the controller answered %T with %T", cmd, reply)
	}
	return r, nil
}
