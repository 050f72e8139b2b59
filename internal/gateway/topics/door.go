package topics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/tail"
	"ottla/internal/gateway/front"
	"ottla/internal/gateway/rest"
)

// Topics is what the door asks of topics; internal/event/tail has it.
type Topics interface {
	Write(ctx context.Context, topic string, records []*kgo.Record) ([]tail.Written, error)
	There(ctx context.Context, topic string) error
	Read(ctx context.Context, topic string, a tail.Ask) (tail.Page, error)
	Stream(ctx context.Context, topic string, from tail.From) (*tail.Stream, error)
	Now() time.Time
}

// Buses is what the door asks of buses; internal/event/bus has it.
type Buses interface {
	Get(ctx context.Context, ref bus.Ref) (bus.Bus, error)
	Create(ctx context.Context, ref bus.Ref, spec bus.Spec) (bus.Bus, error)
	Put(ctx context.Context, entries []bus.Entry) []bus.Result
}

// Options make the door.
type Options struct {
	Topics Topics
	Buses  Buses // nil for none
	// Trusted takes calls from other machines, too.
	Trusted bool
	Logger  *slog.Logger
	// Heartbeat is how often a stream says that it is there; 0 is 15 s. A client who
	// does not take what he is sent is left after twice as long.
	Heartbeat time.Duration
}

// door answers calls. It is safe for concurrent use.
type door struct{ Options }

// maxBody bounds a request's body.
const maxBody = tail.MaxRecord

// maxWait bounds how long an answer waits for a first record.
const maxWait = time.Minute

// Mount puts the door's routes into mux.
func Mount(mux *http.ServeMux, o Options) {
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	d := &door{o}
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"POST /t/{name}": d.put, "GET /t/{name}": d.get,
		"POST /ce/{name}": d.putEvents, "GET /ce/{name}": d.getEvents, "OPTIONS /ce/{name}": d.handshake,
	} {
		mux.Handle(pattern, rest.Guarded(o.Trusted, o.Logger, func(w http.ResponseWriter, r *http.Request) error {
			return refusal(do(w, r))
		}))
	}
}

// meanings are the codes of errors.
var meanings = []struct {
	err    error
	status int
	code   string
	hint   string
}{
	{tail.ErrNotFound, http.StatusNotFound, "TOPIC_NOT_FOUND", "make it with \"ottla topic create NAME\""},
	{tail.ErrTooLarge, http.StatusRequestEntityTooLarge, "TOO_LARGE", "raise max.message.bytes of the topic"},
	{tail.ErrInvalid, http.StatusBadRequest, "INVALID", ""},
	{tail.ErrBusy, http.StatusTooManyRequests, "TOO_MANY_READERS", "read without wait, or at another node"},
	{tail.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
	{bus.ErrNotFound, http.StatusNotFound, "BUS_NOT_FOUND", "make it with \"ottla bus create NAME\""},
	{bus.ErrTooLarge, http.StatusRequestEntityTooLarge, "TOO_LARGE", "keep large data elsewhere, and send where it is"},
	{bus.ErrInvalid, http.StatusBadRequest, "INVALID", ""},
	{bus.ErrUnavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "try again"},
}

// refusal gives an error its status and code; one that has them keeps them.
func refusal(err error) error {
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return rest.Refusal(m.status, m.code, err.Error(), m.hint)
		}
	}
	return err
}

// told is what is answered for one error of several.
func (d *door) told(err error) *rest.Error { return rest.Told(d.Logger, refusal(err)) }

// ending is the request's context, which also ends when the port closes.
func ending(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	closes := front.Ending(r)
	go func() {
		select {
		case <-closes:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
