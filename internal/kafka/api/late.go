package api

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// Finish ends a request of a Late row: make, called by the connection's writer,
// makes the answer. It is called once, from any goroutine.
type Finish func(make func() kmsg.Response)

// parked is the answer of a request whose reply may come late.
type parked struct {
	Ticket
	head     wire.Header
	finished atomic.Bool // make is there
	make     func() kmsg.Response
}

// Late makes the row of an API whose answers may come late: the connection's
// next request is served meanwhile. start gives the request, which it may keep,
// to whoever carries it out and does not wait.
func Late[Q kmsg.Request](low, high int16, start func(*Conn, Q, Finish), differences ...string) API {
	var none Q // its key needs no request
	key := none.Key()
	return API{
		Key: key, Min: low, Max: high, ListedMin: low, Differences: differences,
		Serve: func(c *Conn, r *Request) (Answer, error) {
			req, err := Decode(r.Key, r.Version, r.Body)
			if err != nil {
				return nil, err
			}
			q, ok := req.(Q)
			if !ok {
				return nil, wire.Errorf(wire.UnknownServerError, "a request of type %T came to the handler of API key %d", req, key)
			}
			a := &parked{head: r.Header}
			a.head.ClientID = nil // a view of the request
			start(c, q, a.finish)
			return a, nil
		},
	}
}

func (a *parked) finish(make func() kmsg.Response) {
	a.make = make
	a.finished.Store(true)
	a.Ready()
}

// Build implements Answer.
func (a *parked) Build(out *Out) (bool, error) {
	if !a.finished.Load() {
		return false, nil
	}
	resp := a.make()
	resp.SetVersion(a.head.Version)
	start := len(out.Buf)
	out.Buf = wire.BeginFrame(out.Buf)
	out.Buf = wire.AppendResponseHeader(out.Buf, &a.head)
	out.Buf = resp.AppendTo(out.Buf)
	wire.EndFrame(out.Buf, start, 0)
	return true, nil
}

// Drop implements Answer.
func (a *parked) Drop() {}

// Said is what one of several commands brought.
type Said struct {
	Body any
	Err  error
}

// Gather carries out n commands side by side and calls done when the last has
// been answered, at once when there is none.
func Gather(n int, start func(i int, done func(any, error)), done func([]Said)) {
	all := make([]Said, n)
	if n == 0 {
		done(all)
		return
	}
	var left atomic.Int64
	left.Store(int64(n))
	for i := range n {
		start(i, func(body any, err error) {
			all[i] = Said{body, err}
			if left.Add(-1) == 0 {
				done(all)
			}
		})
	}
}
