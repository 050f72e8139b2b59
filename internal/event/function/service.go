package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"ottla/internal/event/outbound"
)

// errorHeader says, beside 200, that a function failed (Lambda's).
const errorHeader = "X-Amz-Function-Error"

// Service calls functions. Its methods may be called from any goroutine.
type Service struct {
	all    map[string]*one
	http   *outbound.Client
	ctx    context.Context // of processes; ended by Close
	cancel context.CancelFunc

	mu      sync.Mutex // guards closed, and adding to calling
	closed  bool
	calling sync.WaitGroup
}

// one is a function with those who call it.
type one struct {
	Function
	seats chan struct{} // one for each call under way
	kept  chan *kept    // processes that wait for an event
}

// New makes a service of the functions of a file; Close must follow. agent is the
// User-Agent of calls.
func New(functions []Function, agent string) (*Service, error) {
	s := &Service{all: map[string]*one{}}
	var allow []string
	for _, f := range functions {
		s.all[f.Name] = &one{Function: f, seats: make(chan struct{}, f.Concurrency), kept: make(chan *kept, f.Concurrency)}
		if u, err := url.Parse(f.URL); err == nil && u.Host != "" { // who wrote the file says where it is
			allow = append(allow, "http://"+u.Host)
		}
	}
	guard, err := outbound.NewGuard(outbound.GuardOptions{Allow: allow})
	if err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	s.http = outbound.New(outbound.Options{Guard: guard, Timeout: mostTimeout, Agent: agent})
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Has tells whether there is a function.
func (s *Service) Has(name string) bool { return s.all[name] != nil }

// Deadline is how long a call of a function may take where who calls says nothing: the
// timeout that the file gives it, or 15 seconds.
func (s *Service) Deadline(name string) time.Duration {
	if f := s.all[name]; f != nil && f.Timeout > 0 {
		return f.Timeout
	}
	return outbound.DefaultTimeout
}

// Close ends all calls and processes, and waits.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.calling.Wait()
	for _, f := range s.all {
		for len(f.kept) > 0 {
			(<-f.kept).end()
		}
	}
	s.http.Close()
}

// Seats is how many calls of a function this node makes at once; 0 when there is none.
func (s *Service) Seats(name string) int {
	if f := s.all[name]; f != nil {
		return f.Concurrency
	}
	return 0
}

// Seat waits until a function may be called. What it gives has it take an event, within
// the context's time, and gives its answer as an HTTP server's: 200 with a body, or an
// error. It must be called once: the seat is given up then.
func (s *Service) Seat(ctx context.Context, name string) (call func(ctx context.Context, event []byte) outbound.Answer, err error) {
	f := s.all[name]
	if f == nil {
		return nil, fmt.Errorf("the file of functions of this node declares no %s: add it, and start the node anew", name)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errors.New("this node stops")
	}
	s.calling.Add(1)
	s.mu.Unlock()
	ctx, cancel := s.within(ctx)
	defer cancel()
	select {
	case f.seats <- struct{}{}:
	case <-ctx.Done():
		s.calling.Done()
		return nil, fmt.Errorf("function %s has %d calls under way: %w", name, f.Concurrency, ctx.Err())
	}
	return func(ctx context.Context, event []byte) outbound.Answer {
		defer s.calling.Done()
		defer func() { <-f.seats }()
		return s.take(ctx, f, event)
	}, nil
}

// within ends a context with the service, too.
func (s *Service) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// take has a function take an event.
func (s *Service) take(ctx context.Context, f *one, event []byte) outbound.Answer {
	ctx, cancel := s.within(ctx)
	defer cancel()
	if f.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.Timeout)
		defer cancel()
	}
	switch {
	case f.URL != "":
		return s.post(ctx, f, event)
	case f.Keep:
		return f.ask(ctx, event)
	}
	return f.run(ctx, event)
}

// post calls an address.
func (s *Service) post(ctx context.Context, f *one, event []byte) outbound.Answer {
	r := outbound.Request{Method: http.MethodPost, URL: f.URL, Header: map[string]string{"Content-Type": "application/json"}, Body: event}
	for k, v := range f.Headers {
		r.Header[k] = v
	}
	a := s.http.Do(ctx, r)
	if failed := a.Header.Get(errorHeader); failed != "" && a.Judge() == outbound.Delivered {
		return outbound.Answer{Err: fmt.Errorf("function %s failed (%s): %s", f.Name, failed, reason(a.Body))}
	}
	return a
}

// mostReason bounds what is repeated of why a function failed.
const mostReason = 500

// reason is what a function says of its failure: Lambda's errorMessage, or what it
// wrote.
func reason(body []byte) string {
	var said struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		return said.Message[:min(len(said.Message), mostReason)]
	}
	return string(body[:min(len(body), mostReason)])
}
