package kafka

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// calls are the requests of a node that are at work side by side: one that
// waits, for a quorum or a disk, holds up none of the others.
type calls struct {
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newCalls(ctx context.Context) *calls {
	k := &calls{}
	k.ctx, k.cancel = context.WithCancel(ctx)
	return k
}

// end waits for those at work, whose answers nobody will see; nil has none.
func (k *calls) end() {
	if k != nil {
		k.cancel()
		k.wg.Wait()
	}
}

// callAnswer is a codecAnswer whose handler is at work.
type callAnswer struct {
	codecAnswer
	err error // the request cannot be answered
}

// Build implements api.Answer.
func (a *callAnswer) Build(out *api.Out) (bool, error) {
	if a.err != nil {
		return false, a.err
	}
	return a.codecAnswer.Build(out)
}

// call starts the handler of the request at hand on a goroutine of its own. Its
// answer has its place in the queue from now on, so that what is at work is
// bounded.
func (c *conn) call(r *row, size int) error {
	req, err := api.Decode(c.req.Key, c.req.Version, bytes.Clone(c.req.Body))
	if err != nil {
		return err
	}
	a := &callAnswer{codecAnswer: codecAnswer{head: c.req.Header}}
	a.head.ClientID = nil // a view of the request
	c.park(slot{answer: a, row: r, size: size, received: c.req.Received})
	info := c.info
	c.calls.wg.Go(func() {
		a.resp, a.err = c.handleCall(r, &a.head, &info, req)
		a.Ready()
	})
	return nil
}

// handleCall runs the handler; a panic costs the connection, as anywhere.
func (c *conn) handleCall(r *row, h *wire.Header, info *api.Conn, req kmsg.Request) (resp kmsg.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = c.panicked(p, about(h, info.ClientID)...)
		}
	}()
	if resp, err = r.Handle(c.calls.ctx, info, req); err != nil {
		resp, err = c.answerError(r, h, info.ClientID, req, err)
	}
	if err == nil && resp == nil {
		err = errNothing
	}
	if err != nil {
		return nil, fmt.Errorf("%s version %d: %w", r.name, h.Version, err)
	}
	resp.SetVersion(h.Version)
	return resp, nil
}
