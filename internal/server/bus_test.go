package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"ottla/internal/config"
	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/queue"
	"ottla/internal/vfs"
)

// An event goes from a bus by a rule to a queue, a topic and an address.
func TestAnEventComesToAllTargetsOfARule(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	static, err := config.StaticOf("the test", nil)
	must(err)
	s, err := Start(ctx, Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge, LoopbackTargets: true,
	})
	must(err)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	called := make(chan string, 8)
	address := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		called <- string(body)
	}))
	defer address.Close()
	_, _, err = s.Queues().Create(ctx, queue.Ref{Name: "q"}, queue.DefaultSpec())
	must(err)
	empty(ctx, t, s, "out")

	of := bus.Ref{Name: bus.Default}.Rule("orders")
	_, _, err = s.Buses().PutRule(ctx, of, func(r *bus.RuleSpec) error { r.Pattern = `{"detail":{"n":[{"numeric":[">",0]}]}}`; return nil })
	must(err)
	detail := func(to string) bus.Target {
		x := bus.Target{ID: to[:1], To: to}
		x.Path = nil
		return x
	}
	_, errs, err := s.Buses().PutTargets(ctx, of, []bus.Target{detail("queue:q"), detail("topic:out"), detail(address.URL)})
	must(err)
	for _, err := range errs {
		must(err)
	}
	var in []bus.Entry
	for n := range 3 {
		in = append(in, bus.Entry{Bus: bus.Ref{Name: bus.Default}, Event: &envelope.Event{
			Source: "shop", Type: "order", Data: fmt.Appendf(nil, `{"n":%d}`, n),
		}})
	}
	for _, r := range s.Buses().Put(ctx, in) {
		must(r.Err)
	}
	got := consumed(ctx, t, s, "out", 2)
	if string(got[0].Value) != `{"n":1}` || string(got[1].Value) != `{"n":2}` {
		t.Errorf("the topic has %s and %s", got[0].Value, got[1].Value)
	}
	for n := 0; n < 2; {
		taken, err := s.Queues().Take(ctx, queue.Ref{Name: "q"}, queue.TakeOptions{Max: 10, WaitMs: 1000, VisibilityMs: -1})
		must(err)
		n += len(taken)
	}
	for range 2 {
		select {
		case body := <-called:
			if len(body) == 0 {
				t.Error("the address was called with nothing")
			}
		case <-ctx.Done():
			t.Fatal("the address was not called")
		}
	}
}
