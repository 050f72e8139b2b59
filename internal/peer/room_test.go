package peer

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"ottla/internal/uuid"
)

// closable is a connection that can only be closed.
type closable struct {
	net.Conn
	closed bool
}

func (c *closable) Close() error {
	c.closed = true
	return nil
}

// Strangers cannot fill the log: one line a second, and how many were not said.
func TestStrangersCannotFillTheLog(t *testing.T) {
	var lines logLines
	log := slog.New(slog.NewTextHandler(&lines, nil))
	var th throttle
	for range 100 {
		th.say(log, wall, "refused")
	}
	th.say(log, wall.Add(time.Second), "refused")
	text := lines.String()
	if strings.Count(text, "\n") != 2 || !strings.Contains(text, "held_back=99") {
		t.Errorf("said %q", text)
	}
}

// The room keeps those who came last; who left or was pushed out does not count.
func TestTheWaitingRoomKeepsTheLast(t *testing.T) {
	var r waitingRoom
	all := make([]*waiting, maxWaiting)
	ends := make([]*closable, maxWaiting)
	for i := range all {
		ends[i] = &closable{}
		all[i] = r.enter(ends[i])
	}
	r.leave(all[5])
	r.leave(all[5]) // again does nothing
	r.enter(&closable{})
	if all[0].pushedOut.Load() {
		t.Error("there was room, and the first had to go")
	}
	for i := range 3 {
		r.enter(&closable{})
		if !all[i].pushedOut.Load() || !ends[i].closed {
			t.Errorf("number %d stays in a full room", i)
		}
	}
	if all[3].pushedOut.Load() || len(r.list) != maxWaiting {
		t.Errorf("%d wait, want %d", len(r.list), maxWaiting)
	}
}

// A node is here as long as one of its connections is, from one directory.
func TestPresenceCountsConnections(t *testing.T) {
	var left []int32
	p := presence{left: func(node int32) { left = append(left, node) }}
	clone := Whose{"C", 2, uuid.UUID{9}}
	for range 3 {
		if err := p.enter(whose(2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.enter(whose(3)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p.leave(whose(2))
		var refused *Refused
		if err := p.enter(clone); !errors.As(err, &refused) {
			t.Errorf("a clone beside the living: %v", err)
		}
		if err := p.clones(clone); !errors.As(err, &refused) {
			t.Errorf("a clone that only looks: %v", err)
		}
		if err := p.clones(whose(2)); err != nil {
			t.Errorf("a node that only looks: %v", err)
		}
	}
	if len(left) != 0 {
		t.Errorf("%v left while they are here", left)
	}
	p.leave(whose(2))
	if len(left) != 1 || left[0] != 2 {
		t.Errorf("left: %v, want node 2", left)
	}
	if err := p.enter(clone); err != nil {
		t.Errorf("a replaced disk after the old one's end: %v", err)
	}
}
