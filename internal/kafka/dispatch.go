package kafka

import (
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
	r := c.door.table.find(h.Key, h.Version)
	if r == nil && h.Key != wire.KeyApiVersions {
		return fmt.Errorf("%s version %d is not served here: ask ApiVersions first", wire.LookupAPI(h.Key).Name, h.Version)
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
	answer, err := c.serveRow(r, body)
	if err != nil {
		c.door.m.failed(r)
		return fmt.Errorf("%s version %d: %w", r.name, h.Version, err)
	}
	if answer != nil {
		c.park(slot{answer: answer, row: r, size: len(frame), received: now})
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
	c.waiting(func() { resp, err = r.Handle(c.ctx(), &c.info, req) })
	if err != nil {
		if resp, err = c.answerError(r, req, err); err != nil {
			return nil, err
		}
	}
	if resp == nil {
		return nil, errors.New("the request cannot be answered")
	}
	resp.SetVersion(c.req.Version)
	a := &codecAnswer{head: c.req.Header, resp: resp}
	a.Ready()
	return a, nil
}

// waiting runs what may take its time on the reader's goroutine: what is ready
// for the client leaves before.
func (c *conn) waiting(wait func()) {
	c.flushInline()
	c.setHandling(true)
	wait()
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
func (c *conn) answerError(r *row, req kmsg.Request, cause error) (kmsg.Response, error) {
	c.door.m.failed(r)
	c.door.log.Error("a request failed", "remote", c.remote(), "client", c.info.ClientID, "api", r.name,
		"version", c.req.Version, "corr", c.req.CorrelationID, "err", cause)
	resp := req.ResponseKind()
	field := reflect.ValueOf(resp).Elem().FieldByName("ErrorCode")
	if !field.IsValid() || field.Kind() != reflect.Int16 {
		return nil, fmt.Errorf("no place for an error in the answer: %w", cause)
	}
	field.SetInt(int64(wire.CodeOf(cause)))
	if text := reflect.ValueOf(resp).Elem().FieldByName("ErrorMessage"); text.IsValid() && text.Type() == reflect.TypeFor[*string]() {
		message := wire.MessageOf(cause)
		text.Set(reflect.ValueOf(&message))
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
