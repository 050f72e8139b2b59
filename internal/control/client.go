package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"ottla/internal/quorum"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// Options make a Client.
type Options struct {
	NodeID int32
	// Here gives a command to this node's quorum: its reply, and the metadata
	// offset that reply or refusal rests on (quorum.Node.DoAt).
	Here func(ctx context.Context, cmd any) (reply any, offset int64, err error)
	// Ask sends a command to another node. Of an error, errors.Is
	// peer.ErrNotSent tells that the request certainly never left.
	Ask func(ctx context.Context, node int32, req *own.CommandRequest) (*own.CommandResponse, error)
	// Vet looks at a command of another node before the controller here sees
	// it, and may add what only this node knows (liveness.Keeper.Vet). May be
	// nil.
	Vet func(from int32, cmd any) (any, error)
	// Served waits until every node that serves has applied an offset
	// (liveness.Keeper.Wait). Nil waits for nobody.
	Served func(ctx context.Context, offset int64) error
	// Applied waits until this node has applied an offset. Nil where it has
	// when Here returns and no other node ever leads.
	Applied func(ctx context.Context, offset int64) error
	// Mute tells whether this node is cut off from the others for all that it knows.
	// Nil is never.
	Mute func() bool
}

// Client gives commands to the controller from one node. Its methods may be
// called from any goroutine.
type Client struct {
	o   Options
	who leadership
}

// New makes a client. It knows no leader until OnLeader told one.
func New(o Options) *Client {
	return &Client{o: o, who: leadership{leader: -1, epoch: -1}}
}

// OnLeader is told who leads the quorum (quorum.Options.OnLeader); it does not
// wait.
func (c *Client) OnLeader(leader, epoch int32) { c.who.set(leader, epoch) }

// Close lets go who waits for a leader, because the node stops: their commands
// have not been carried out. What is under way ends by itself.
func (c *Client) Close() { c.who.end() }

// Leader is the node that leads, -1 when none is known here.
func (c *Client) Leader() int32 {
	leader, _ := c.who.get()
	return leader
}

// Pauses before a leader that did not take a command is asked again, when
// nothing is heard of another.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// Do gives the controller a command and returns its reply, once this node has
// applied what it rests on. A refusal has a code. When ctx ends while the
// change may or may not have been made the code is REQUEST_TIMED_OUT; when the
// answer was lost, quorum.ErrUndecided is in the chain.
func (c *Client) Do(ctx context.Context, cmd any) (any, error) {
	k := byType[reflect.TypeOf(cmd)]
	if k == nil {
		return nil, wire.Errorf(wire.UnknownServerError, "the controller has no command %T", cmd)
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		leader, epoch := c.who.get()
		out := c.once(ctx, k, cmd, leader)
		if !out.again(k) {
			return c.finish(ctx, out)
		}
		timer := time.NewTimer(pause)
		err := c.who.after(ctx, leader, epoch, timer.C)
		timer.Stop()
		if errors.Is(err, errOver) {
			return nil, cmp.Or(out.err, err)
		}
		if err != nil {
			return nil, timedOut(err, out.err)
		}
	}
}

// DoOrAway is Do for those who can ask another node: while this one is cut off they
// hear NOT_CONTROLLER at once, and the command is given to nobody.
func (c *Client) DoOrAway(ctx context.Context, cmd any) (any, error) {
	if c.o.Mute != nil && c.o.Mute() {
		return nil, wire.Errorf(wire.NotController, "this node has not heard from the controller for seconds: ask another one")
	}
	return c.Do(ctx, cmd)
}

// outcome is what came of giving a command to one node.
type outcome struct {
	reply  any
	offset int64 // -1 none
	err    error
	// refused: err is the controller's own word, and rests on offset.
	refused bool
}

// errNoLeader is why a command waits while nobody leads.
var errNoLeader = wire.Errorf(wire.NotController, "no leader of the metadata quorum is known here")

// once gives the command to whoever leads.
func (c *Client) once(ctx context.Context, k *kind, cmd any, leader int32) outcome {
	switch leader {
	case -1:
		return outcome{err: errNoLeader}
	case c.o.NodeID:
		return c.here(ctx, k, cmd)
	}
	return c.there(ctx, k, cmd, leader)
}

// again tells whether the command may be given once more.
func (o *outcome) again(k *kind) bool {
	switch {
	case o.err == nil:
		return false
	case errors.Is(o.err, quorum.ErrUndecided):
		return k.repeatable
	}
	return wire.CodeOf(o.err) == wire.NotController
}

// finish waits until this node serves by what the outcome rests on.
func (c *Client) finish(ctx context.Context, out outcome) (any, error) {
	if (out.err == nil || out.refused) && out.offset >= 0 && c.o.Applied != nil {
		if err := c.o.Applied(ctx, out.offset); err != nil {
			return nil, wire.Errorf(wire.RequestTimedOut, "the controller has answered, and this node has not applied metadata offset %d yet: %w", out.offset, err)
		}
	}
	return out.reply, out.err
}

// timedOut is the error when ctx ends and no controller has taken the command.
func timedOut(cause, last error) error {
	if last == nil {
		return cause
	}
	return &wire.Error{Code: wire.RequestTimedOut, Message: fmt.Sprintf("no controller took the change in time: %s", wire.MessageOf(last)), Cause: cause}
}
