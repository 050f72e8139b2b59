package cluster

import (
	"errors"
	"time"

	prod "ottla/internal/control"
	"ottla/internal/quorum"
	"ottla/internal/wire"
)

// control gives commands to the controller, wherever it is: what package control
// does, as events.
type control struct {
	p      *process
	leader int32
	epoch  int32 // of the quorum, in which it leads
	waits  []wait
}

// wait is somebody who waits until this node has applied an offset.
type wait struct {
	offset int64
	done   func()
}

func (c *control) init(p *process) { c.p, c.leader, c.epoch = p, -1, -1 }

// onLeader notes who leads. What is older than what is known is not news: it may be
// what another node said before it knew.
func (c *control) onLeader(leader, epoch int32) {
	if epoch >= c.epoch {
		c.leader, c.epoch = leader, epoch
	}
}

// applied lets go who waited for an offset.
func (c *control) applied(offset int64) {
	var due []func()
	rest := c.waits[:0]
	for _, x := range c.waits {
		if x.offset <= offset {
			due = append(due, x.done)
		} else {
			rest = append(rest, x)
		}
	}
	c.waits = rest
	for _, do := range due {
		c.p.after(0, do)
	}
}

// word is what one node said to a command.
type word struct {
	reply  any
	offset int64
	err    error
	leader int32 // as the node that speaks knows, -1 none
	epoch  int32
}

// errUnanswered is what whoever asks knows when no answer came.
var errUnanswered = &wire.Error{Code: wire.RequestTimedOut, Message: "no answer of the controller", Cause: quorum.ErrUndecided}

// do gives the controller a command until the time is up. done is called once, with
// the reply when this node has applied what it rests on.
func (c *control) do(cmd any, timeout time.Duration, done func(reply any, err error)) {
	c.try(cmd, c.p.w.loop.Now()+timeout, done)
}

func (c *control) try(cmd any, until time.Duration, done func(any, error)) {
	p := c.p
	if p.w.loop.Now() >= until {
		done(nil, wire.Errorf(wire.RequestTimedOut, "no controller took the command in time"))
		return
	}
	heard := func(x word) {
		undecided := errors.Is(x.err, quorum.ErrUndecided)
		switch {
		case undecided && !prod.Repeatable(cmd):
			done(nil, x.err)
		case undecided, wire.CodeOf(x.err) == wire.NotController:
			if x.leader >= 0 {
				c.onLeader(x.leader, x.epoch)
			}
			p.after(20*time.Millisecond+time.Duration(p.w.work.Int64N(int64(200*time.Millisecond))), func() { c.try(cmd, until, done) })
		default:
			c.whenApplied(x.offset, func() { done(x.reply, x.err) })
		}
	}
	switch c.leader {
	case -1:
		heard(word{err: wire.NotController, offset: -1, leader: -1})
	case p.n.id:
		p.here(cmd, heard)
	default:
		p.ask(request{
			to: c.leader, timeout: min(3*time.Second, until-p.w.loop.Now()), pipe: new(pipe), // a connection doubles nothing
			serve: func(q *process, answer func(any)) { q.serveCommand(p.n.id, cmd, answer) },
			done: func(answer any, refused bool) {
				switch x, ok := answer.(word); {
				case ok:
					heard(x)
				case refused:
					heard(word{err: wire.NotController, offset: -1, leader: -1})
				default:
					heard(word{err: errUnanswered, offset: -1, leader: -1})
				}
			},
		})
	}
}

// whenApplied runs do once this node's image has reached an offset.
func (c *control) whenApplied(offset int64, do func()) {
	if c.p.quorum.Image().Offset >= offset {
		do()
		return
	}
	c.waits = append(c.waits, wait{offset, do})
}

// serveCommand is a command of another node.
func (p *process) serveCommand(from int32, cmd any, answer func(any)) {
	cmd, err := p.keeper.vet(from, cmd)
	if err != nil {
		answer(word{err: err, offset: -1, leader: p.control.leader, epoch: p.control.epoch})
		return
	}
	p.here(cmd, func(x word) {
		x.leader, x.epoch = p.control.leader, p.control.epoch
		answer(x)
	})
}

// here gives a command to this node's quorum, and waits for those who must know of
// what came of it.
func (p *process) here(cmd any, heard func(word)) {
	p.quorum.Turn(p.wall(), []any{cmd}, func(int) quorum.Outcome {
		return func(reply any, offset int64, err error) {
			x := word{reply: reply, offset: offset, err: err, leader: -1}
			if err == nil && prod.Serving(cmd) {
				p.keeper.await(offset, func() { heard(x) })
				return
			}
			p.after(0, func() { heard(x) })
		}
	})
}
