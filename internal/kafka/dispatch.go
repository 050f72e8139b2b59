package kafka

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// dispatch serves one request. An error closes the connection; it names the
// API where there is one, for the log.
func (c *conn) dispatch(frame []byte) error {
	h, body, err := wire.ParseHeader(frame)
	if err != nil {
		return fmt.Errorf("request (key %d, version %d): %w", h.Key, h.Version, err)
	}
	if h.Key >= wire.OwnFirst && c.info.Node < 0 {
		return fmt.Errorf("request (key %d, version %d): %w", h.Key, h.Version, wire.ErrUnknownAPI)
	}
	if c.pulls && !mayPull(h.Key) {
		return fmt.Errorf("%s on a connection that is for fetches of replicas alone", wire.LookupAPI(h.Key).Name)
	}
	r := c.door.table.find(h.Key, h.Version)
	if r == nil && h.Key != wire.KeyApiVersions {
		return fmt.Errorf("%s version %d is not served here: ask ApiVersions first", wire.LookupAPI(h.Key).Name, h.Version)
	}
	if r != nil && r.Directs && c.astray() {
		Reset(c.nc)
		return errAstray
	}
	if !c.waitForRoom() {
		return ErrClosed
	}
	if string(h.ClientID) != c.info.ClientID {
		c.info.ClientID = string(h.ClientID)
	}
	now := c.door.o.Now()
	if r == nil {
		return c.refuseApiVersions(&h, len(frame))
	}
	c.door.m.request(r, len(frame))
	c.req = api.Request{Header: h, Body: body, Received: now}
	if r.NodesOnly && c.info.Node < 0 {
		err = c.refuseStranger(r, len(frame))
	} else if c.calls != nil && r.Handle != nil && h.Key != wire.KeyApiVersions {
		err = c.call(r, len(frame))
	} else {
		err = c.serveHere(r, len(frame))
	}
	if err != nil {
		c.door.m.failed(r)
		return fmt.Errorf("%s version %d: %w", r.name, h.Version, err)
	}
	return nil
}

// errNothing says that a handler gave neither an answer nor an error.
var errNothing = errors.New("the request cannot be answered")

// serveHere serves the request on the reader's goroutine.
func (c *conn) serveHere(r *row, size int) error {
	answer, err := c.serveRow(r, c.req.Body)
	if err != nil {
		return err
	}
	if answer != nil {
		c.park(slot{answer: answer, row: r, size: size, received: c.req.Received})
	}
	return nil
}

// serveRow calls the row's handler.
func (c *conn) serveRow(r *row, body []byte) (api.Answer, error) {
	if r.Serve != nil {
		return r.Serve(&c.info, &c.req)
	}
	req, err := api.Decode(c.req.Key, c.req.Version, body)
	if err != nil {
		return nil, err
	}
	var resp kmsg.Response
	c.waiting(func(ctx context.Context) { resp, err = r.Handle(ctx, &c.info, req) })
	if err != nil {
		if resp, err = c.answerError(r, &c.req.Header, c.info.ClientID, req, err); err != nil {
			return nil, err
		}
	}
	if resp == nil {
		return nil, errNothing
	}
	resp.SetVersion(c.req.Version)
	a := &codecAnswer{head: c.req.Header, resp: resp}
	a.Ready()
	return a, nil
}

// waiting runs what may take its time on the reader's goroutine: what is ready
// for the client leaves before.
func (c *conn) waiting(wait func(ctx context.Context)) {
	c.flushInline()
	c.setHandling(true)
	wait(c.ctx())
	c.setHandling(false)
	c.lastActive.Store(c.door.clock())
}

// setHandling tells the sweeper that we are at work.
func (c *conn) setHandling(yes bool) {
	c.mu.Lock()
	c.handling = yes
	c.mu.Unlock()
}

// answerError logs a handler's error and answers it where the API has a
// top-level error code.
func (c *conn) answerError(r *row, h *wire.Header, client string, req kmsg.Request, cause error) (kmsg.Response, error) {
	c.door.m.failed(r)
	c.door.log.Error("a request failed", "remote", c.remote(), "client", client, "api", r.name,
		"version", h.Version, "corr", h.CorrelationID, "err", cause)
	return errorAnswer(req, cause)
}

// errorAnswer is the answer that tells an error, where the API has a top-level
// error code.
func errorAnswer(req kmsg.Request, cause error) (kmsg.Response, error) {
	resp := req.ResponseKind()
	body := reflect.ValueOf(resp).Elem()
	field := body.FieldByName("ErrorCode")
	if !field.IsValid() || field.Kind() != reflect.Int16 {
		return nil, fmt.Errorf("no place for an error in the answer: %w", cause)
	}
	field.SetInt(int64(wire.CodeOf(cause)))
	message := wire.MessageOf(cause)
	switch text := body.FieldByName("ErrorMessage"); {
	case !text.IsValid():
	case text.Type() == reflect.TypeFor[*string]():
		text.Set(reflect.ValueOf(&message))
	case text.Kind() == reflect.String:
		text.SetString(message)
	}
	return resp, nil
}

// codecAnswer is an answer that the codec encodes.
type codecAnswer struct {
	api.Ticket
	head wire.Header
	resp kmsg.Response
}

// Build implements api.Answer.
func (a *codecAnswer) Build(out *api.Out) (bool, error) {
	start := len(out.Buf)
	out.Buf = wire.BeginFrame(out.Buf)
	out.Buf = wire.AppendResponseHeader(out.Buf, &a.head)
	out.Buf = a.resp.AppendTo(out.Buf)
	wire.EndFrame(out.Buf, start, 0)
	return true, nil
}

// Drop implements api.Answer.
func (a *codecAnswer) Drop() {}
