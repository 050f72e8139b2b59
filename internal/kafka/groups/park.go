package groups

import (
	"fmt"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/shape"
)

// finish ends a request: make, called by the connection's writer, makes the
// answer.
type finish func(make func() kmsg.Response)

// parked is the answer of a request whose reply may come late.
type parked struct {
	api.Ticket
	head wire.Header
	make func() kmsg.Response
}

// late makes the row of an API whose answers may come late. start gives the
// request to whoever carries it out and does not wait.
func late[Q kmsg.Request](low, high int16, start func(*api.Conn, Q, finish), differences ...string) api.API {
	var none Q
	return api.API{
		Key: none.Key(), Min: low, Max: high, ListedMin: low, Differences: differences,
		Serve: func(c *api.Conn, r *api.Request) (api.Answer, error) {
			if err := shape.Check(r.Key, r.Version, r.Body); err != nil {
				return nil, err
			}
			req := kmsg.RequestForKey(r.Key)
			req.SetVersion(r.Version)
			if err := req.ReadFrom(r.Body); err != nil {
				return nil, fmt.Errorf("decode: %w", err)
			}
			q, ok := req.(Q)
			if !ok {
				return nil, fmt.Errorf("a request of type %T came to the handler of API key %d", req, none.Key())
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
	a.Ready()
}

// Build implements api.Answer.
func (a *parked) Build(out *api.Out) (bool, error) {
	if a.make == nil {
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

// Drop implements api.Answer.
func (a *parked) Drop() {}

// said is what one of several commands brought.
type said struct {
	body any
	err  error
}

// gather carries out n commands side by side and calls done when the last has
// been answered, at once when there is none.
func gather(n int, start func(i int, done func(any, error)), done func([]said)) {
	all := make([]said, n)
	if n == 0 {
		done(all)
		return
	}
	var left atomic.Int64
	left.Store(int64(n))
	for i := range n {
		start(i, func(body any, err error) {
			all[i] = said{body, err}
			if left.Add(-1) == 0 {
				done(all)
			}
		})
	}
}
