package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

const (
	// inFlight is how many requests of a Box may be on their way to a node: one
	// that the node's disk is at, and one that gathers for the next round.
	inFlight = 2
	// mostItems bounds the questions of a request, mostQueued those that wait for
	// a node: some megabytes, far above what any node asks within a time-out.
	mostItems  = 1000
	mostQueued = 50_000
)

// Options make a Box of questions of type T.
type Options[T any] struct {
	Peers Peers
	// Kind and Name are comparable. A request has questions of one kind, and no
	// two of one name, since its answer tells them apart by their names.
	Kind, Name func(T) any
	// Make makes the request that puts questions.
	Make func(items []T) kmsg.Request
	// Took is called with the answer to the questions of a request, or with the
	// error when there is none. It is quick.
	Took func(items []T, resp kmsg.Response, err error)
	// Timeout bounds the wait for an answer.
	Timeout time.Duration
}

// Box sends questions to nodes. Its methods may be called from any goroutine.
type Box[T any] struct {
	o Options[T]

	mu    sync.Mutex // guards lanes
	lanes map[int32]*lane[T]
}

// New makes a box.
func New[T any](o Options[T]) *Box[T] { return &Box[T]{o: o, lanes: map[int32]*lane[T]{}} }

// lane is what goes to one node.
type lane[T any] struct {
	box  *Box[T]
	node int32

	mu     sync.Mutex // guards all below
	queue  []queued[T]
	flying int
}

type queued[T any] struct {
	ctx  context.Context
	item T
}

// Put asks a node. When ctx ends before the question is sent it is not, and Took
// hears ctx's error; afterwards the answer is waited for.
func (b *Box[T]) Put(ctx context.Context, node int32, item T) {
	l := b.lane(node)
	l.mu.Lock()
	full := len(l.queue) >= mostQueued
	if !full {
		l.queue = append(l.queue, queued[T]{ctx, item})
	}
	l.mu.Unlock()
	if full {
		b.o.Took([]T{item}, nil, wire.Errorf(wire.NetworkException, "more than %d questions wait for node %d", mostQueued, node))
		return
	}
	l.send()
}

// Waiting tells how many questions wait for a node and are not on their way.
func (b *Box[T]) Waiting(node int32) int {
	l := b.lane(node)
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue)
}

func (b *Box[T]) lane(node int32) *lane[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[node]
	if l == nil {
		l = &lane[T]{box: b, node: node}
		b.lanes[node] = l
	}
	return l
}

// send sends what waits, as long as another request may be on its way.
func (l *lane[T]) send() {
	for {
		items, late, more := l.take()
		for _, q := range late {
			l.box.o.Took([]T{q.item}, nil, q.ctx.Err())
		}
		if len(items) > 0 {
			l.start(items)
		}
		if !more {
			return
		}
	}
}

// take chooses the questions of the next request, and those whose time is over;
// more tells that it shall be called again.
func (l *lane[T]) take() (items []T, late []queued[T], more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flying >= inFlight || len(l.queue) == 0 {
		return nil, nil, false
	}
	var kind any
	names := map[any]bool{}
	left := l.queue[:0]
	for _, q := range l.queue {
		if q.ctx.Err() != nil {
			late = append(late, q)
			continue
		}
		k, n := l.box.o.Kind(q.item), l.box.o.Name(q.item)
		if len(items) == 0 {
			kind = k
		}
		if k != kind || names[n] || len(items) >= mostItems {
			left = append(left, q)
			continue
		}
		names[n] = true
		items = append(items, q.item)
	}
	clear(l.queue[len(left):])
	l.queue = left
	if len(items) > 0 {
		l.flying++
	}
	return items, late, true
}

// start sends one request.
func (l *lane[T]) start(items []T) {
	o := &l.box.o
	ctx, cancel := context.WithTimeout(context.Background(), o.Timeout)
	o.Peers.Start(ctx, l.node, o.Make(items), func(resp kmsg.Response, err error) {
		cancel()
		l.mu.Lock()
		l.flying--
		l.mu.Unlock()
		o.Took(items, resp, err)
		l.send()
	})
}
