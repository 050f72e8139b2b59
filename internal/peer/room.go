package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/uuid"
)

// maxWaiting is how many connections may be there whose owner is not known.
// A cluster of a hundred nodes that all come back at once needs no more.
const maxWaiting = 256

var errPushedOut = errors.New("it did not say whose it is, and had to make room for others")

// waitingRoom holds connections until it is known whose they are. When it is
// full the one that has been there longest goes: a node needs milliseconds, so
// a flood of silent connections does not keep nodes out.
type waitingRoom struct {
	mu   sync.Mutex // guards what follows
	list []*waiting // oldest first
}

type waiting struct {
	nc        net.Conn
	pushedOut atomic.Bool
}

func (r *waitingRoom) enter(nc net.Conn) *waiting {
	w := &waiting{nc: nc}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) >= maxWaiting {
		oldest := r.list[0]
		r.list = append(r.list[:0], r.list[1:]...)
		oldest.pushedOut.Store(true)
		_ = oldest.nc.Close() // its handshake fails
	}
	r.list = append(r.list, w)
	return w
}

// leave takes it out; again does nothing.
func (r *waitingRoom) leave(w *waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, other := range r.list {
		if other == w {
			r.list = append(r.list[:i], r.list[i+1:]...)
			return
		}
	}
}

// presence knows which nodes are connected, from which directories: a second
// directory with the id of a node that is here is a clone, or a disk that was
// put back beside its replacement.
type presence struct {
	left func(node int32) // told outside the lock; nil for nobody

	mu    sync.Mutex // guards what follows
	nodes map[int32]*present
}

type present struct {
	directory uuid.UUID
	conns     int
}

func (p *presence) enter(w Whose) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.clone(w); err != nil {
		return err
	}
	if p.nodes == nil {
		p.nodes = map[int32]*present{}
	}
	is := p.nodes[w.NodeID]
	if is == nil {
		is = &present{directory: w.DirectoryID}
		p.nodes[w.NodeID] = is
	}
	is.conns++
	return nil
}

// clones refuses who would be a clone, as enter does, and lets nobody in.
func (p *presence) clones(w Whose) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clone(w)
}

// clone is clones with the lock held.
func (p *presence) clone(w Whose) error {
	is := p.nodes[w.NodeID]
	if is == nil || is.directory == w.DirectoryID {
		return nil
	}
	return &Refused{What: w.String(), Reason: fmt.Sprintf("is refused: node %d is here already, with directory %s", w.NodeID, is.directory),
		Advice: "Two nodes of one id would destroy the cluster: stop one of them. A replaced disk is taken once the old process has ended"}
}

func (p *presence) leave(w Whose) {
	p.mu.Lock()
	is := p.nodes[w.NodeID]
	is.conns--
	last := is.conns == 0
	if last {
		delete(p.nodes, w.NodeID)
	}
	p.mu.Unlock()
	if last && p.left != nil {
		p.left(w.NodeID)
	}
}

// throttle lets one log line a second through and counts the rest, so that
// strangers cannot fill the log.
type throttle struct {
	mu   sync.Mutex // guards both
	next time.Time
	held int
}

func (t *throttle) say(log *slog.Logger, now time.Time, message string, attrs ...slog.Attr) {
	t.mu.Lock()
	if now.Before(t.next) {
		t.held++
		t.mu.Unlock()
		return
	}
	held := t.held
	t.held, t.next = 0, now.Add(time.Second)
	t.mu.Unlock()
	if held > 0 {
		attrs = append(attrs, slog.Int("held_back", held))
	}
	log.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
}
