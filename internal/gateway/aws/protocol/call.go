package protocol

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"ottla/internal/gateway/front"
)

// Call is what operations know of the request that asks for them. It belongs
// to the request.
type Call struct {
	// ID is the request id that the answer carries.
	ID string
	// Region and Account are where the caller works: the region of his
	// signature, else the default, and the one account that there is.
	Region, Account string
	// Base is how the caller reached this node, as in http://localhost:8080,
	// so that addresses which are answered work from where he is.
	Base string
	// Name is what the path names, in REST: the service sets it.
	Name string
	// Path is the request's path.
	Path string
	// Query are the parameters in the address; nil when there are none.
	Query url.Values
	// Failed is told, for the log, of a failure of an answer that left later; nil
	// for nobody.
	Failed func(*Error)
	// Caller is the access key id that signed the request; "" for none.
	Caller string
}

// Op is one operation of a service.
type Op struct {
	Name string
	// Note says in one line what differs from AWS; "" where nothing does. The
	// documentation's table shows it.
	Note string
	run  func(ctx context.Context, c *Call, read func(into any) error) (any, error)
}

// Handle makes an operation of a function. An answer of nil is an answer
// without content.
func Handle[In, Out any](name, note string, do func(ctx context.Context, c *Call, in *In) (*Out, error)) Op {
	return Op{Name: name, Note: note, run: func(ctx context.Context, c *Call, read func(any) error) (any, error) {
		in := new(In)
		if err := read(in); err != nil {
			return nil, err
		}
		out, err := do(ctx, c, in)
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	}}
}

// Nothing is the answer of operations that answer nothing.
type Nothing struct{}

// Wait is the error of an operation that has nothing to answer yet and waits for
// it: its connection is parked meanwhile, where that can be.
type Wait struct {
	// Key says what it waits for: who waits for the same is served in turn.
	Key string
	// For is how long.
	For time.Duration
	// Do waits until ctx ends, at most, and gives the answer.
	Do func(ctx context.Context) (any, error)
	// Over is the answer when nothing came.
	Over any
}

// Error says that it is not over.
func (*Wait) Error() string { return "there is nothing to answer yet" }

// form is what the protocols have of their own.
type form interface {
	Form
	answer(w http.ResponseWriter, c *Call, op Op, out any) *Error
}

// serve runs an operation and writes its answer, now or when it is there.
func serve(f form, w http.ResponseWriter, r *http.Request, c *Call, op Op, read func(into any) error) *Error {
	out, err := op.run(r.Context(), c, read)
	var wait *Wait
	if !errors.As(err, &wait) {
		return conclude(f, w, c, op, out, err)
	}
	if front.Park(w, r, front.Poll{
		Key: wait.Key, Wait: wait.For,
		Serve: func(ctx context.Context, w http.ResponseWriter) {
			out, err := wait.Do(ctx)
			if e := conclude(f, w, c, op, out, err); e != nil && c.Failed != nil {
				c.Failed(e)
			}
		},
		Over: func(w http.ResponseWriter) { f.answer(w, c, op, wait.Over) },
	}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait.For)
	defer cancel()
	out, err = wait.Do(ctx)
	return conclude(f, w, c, op, out, err)
}

func conclude(f form, w http.ResponseWriter, c *Call, op Op, out any, err error) *Error {
	if err != nil {
		e := AsError(err)
		f.Refuse(w, c, e)
		return e
	}
	return f.answer(w, c, op, out)
}

// A Form reads requests and writes answers of one protocol.
type Form interface {
	// Serve reads the request, runs the operation and writes its answer. The
	// error is what was answered, for the log; nil when all went well.
	Serve(w http.ResponseWriter, r *http.Request, c *Call, op Op) *Error
	// Refuse answers with an error.
	Refuse(w http.ResponseWriter, c *Call, e *Error)
}
