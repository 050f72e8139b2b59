package server

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/control"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/wire/own"
)

// makeControl makes the way to the controller, wherever it is.
func (s *Server) makeControl() {
	s.control = control.New(control.Options{
		NodeID: s.nodeID,
		Here:   func(ctx context.Context, cmd any) (any, int64, error) { return s.quorum.DoAt(ctx, cmd) },
		Ask: func(ctx context.Context, node int32, req *own.CommandRequest) (*own.CommandResponse, error) {
			return outbox.Call[*own.CommandResponse](ctx, s.others.pool, node, req)
		},
		Vet: s.others.keeper.Vet, Served: s.others.keeper.Wait, Applied: s.applied.wait, Mute: s.mute,
	})
}

// do gives a command to the controller and waits for its reply: the change is
// committed then, and this node acts by it.
func (s *Server) do(ctx context.Context, cmd any) (any, error) { return s.control.Do(ctx, cmd) }

// commandRow serves the commands of other nodes.
func (s *Server) commandRow() api.API {
	return api.Row(0, 0, func(ctx context.Context, c *api.Conn, req *own.CommandRequest) (kmsg.Response, error) {
		return s.control.Serve(ctx, c.Node, req), nil
	})
}

// applied tells how far this node acts by the metadata. Its methods may be
// called from any goroutine.
type applied struct {
	mu      sync.Mutex // guards both
	offset  int64
	waiting []awaited
}

type awaited struct {
	offset int64
	done   chan struct{}
}

// moved notes that the node acts by an image, and lets go who waited for that.
func (a *applied) moved(img *metadata.Image) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offset = img.Offset
	left := a.waiting[:0]
	for _, w := range a.waiting {
		if w.offset <= a.offset {
			close(w.done)
		} else {
			left = append(left, w)
		}
	}
	clear(a.waiting[len(left):])
	a.waiting = left
}

// wait returns when the node acts by the metadata up to an offset; the error is
// ctx's.
func (a *applied) wait(ctx context.Context, offset int64) error {
	a.mu.Lock()
	if a.offset >= offset {
		a.mu.Unlock()
		return nil
	}
	w := awaited{offset, make(chan struct{})}
	a.waiting = append(a.waiting, w)
	a.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
