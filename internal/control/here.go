package control

import (
	"context"
	"errors"
	"time"

	"ottla/internal/quorum"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// here gives a command to this node's quorum, and waits for those who must
// know of it.
func (c *Client) here(ctx context.Context, k *kind, cmd any) outcome {
	out := outcome{}
	out.reply, out.offset, out.err = c.o.Here(ctx, cmd)
	out.refused = out.err != nil && !expired(out.err) && !errors.Is(out.err, quorum.ErrUndecided)
	if out.err == nil && k.serving && c.o.Served != nil {
		if err := c.o.Served(ctx, out.offset); err != nil {
			out.reply = nil
			out.err = wire.Errorf(wire.RequestTimedOut, "the change was made, and some nodes do not serve by it yet: %w", err)
		}
	}
	return out
}

// expired tells that a context ended.
func expired(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// maxTimeout bounds how long a command of another node may wait here.
const maxTimeout = 5 * time.Minute

// Serve carries out a command of another node, from, where this node leads.
func (c *Client) Serve(ctx context.Context, from int32, req *own.CommandRequest) *own.CommandResponse {
	resp := req.ResponseKind().(*own.CommandResponse)
	resp.Leader, resp.LeaderEpoch = c.who.get()
	k, cmd, err := decodeCommand(req)
	if err == nil && resp.Leader != c.o.NodeID {
		err = wire.NotController
	}
	if err == nil && c.o.Vet != nil {
		cmd, err = c.o.Vet(from, cmd)
	}
	if err != nil {
		encodeReply(resp, k, nil, err)
		return resp
	}
	ctx, cancel := context.WithTimeout(ctx, min(time.Duration(max(0, req.TimeoutMs))*time.Millisecond, maxTimeout))
	defer cancel()
	out := c.here(ctx, k, cmd)
	resp.Offset = out.offset
	switch {
	case out.err != nil && expired(out.err):
		resp.Undecided = true
		out.err = wire.Errorf(wire.RequestTimedOut, "the controller did not answer in time: %w", out.err)
	case errors.Is(out.err, quorum.ErrUndecided):
		resp.Undecided = true
	}
	encodeReply(resp, k, out.reply, out.err)
	return resp
}
