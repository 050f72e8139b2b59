package control

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"ottla/internal/peer"
	"ottla/internal/quorum"
	"ottla/internal/wire"
)

// askTimeout is how long a command without a deadline may take at the other
// node: its answer comes, or the connection ends.
const askTimeout = time.Minute

// there gives a command to another node.
func (c *Client) there(ctx context.Context, k *kind, cmd any, leader int32) outcome {
	req, err := encodeCommand(k, cmd, timeoutMs(ctx))
	if err != nil {
		return outcome{offset: -1, err: err}
	}
	resp, err := c.o.Ask(ctx, leader, req)
	if err != nil {
		return outcome{offset: -1, err: unanswered(leader, err)}
	}
	if resp.Leader >= 0 && resp.Leader != leader {
		c.who.set(resp.Leader, resp.LeaderEpoch)
	}
	reply, err := decodeReply(resp, k)
	out := outcome{reply: reply, offset: resp.Offset, err: err}
	switch {
	case resp.Undecided:
		out.err = &wire.Error{Code: wire.CodeOf(err), Message: wire.MessageOf(err), Cause: fmt.Errorf("node %d says so: %w", leader, quorum.ErrUndecided)}
	case err != nil:
		out.refused = true
	}
	return out
}

// timeoutMs is how long ctx leaves.
func timeoutMs(ctx context.Context) int32 {
	left := askTimeout
	if by, ok := ctx.Deadline(); ok {
		left = time.Until(by)
	}
	return int32(min(max(left.Milliseconds(), 1), math.MaxInt32))
}

// unanswered sorts a failed request by whether it may have been carried out.
func unanswered(leader int32, err error) error {
	switch {
	case errors.Is(err, peer.ErrNotSent):
		return wire.Errorf(wire.NotController, "node %d leads and cannot be asked: %w", leader, err)
	case expired(err):
		return &wire.Error{Code: wire.RequestTimedOut, Message: fmt.Sprintf("node %d leads and did not answer in time: the change may or may not have been made", leader), Cause: err}
	}
	return &wire.Error{Code: wire.KafkaStorageError,
		Message: "the change may or may not have been made: look before trying again",
		Cause:   fmt.Errorf("%w: node %d leads: %s", quorum.ErrUndecided, leader, err)}
}
