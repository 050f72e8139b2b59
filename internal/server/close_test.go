package server

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/vfs"
)

// A connection that a browser has opened in case it needs one holds up the HTTP
// port's end, and takes nothing from the steps that follow.
func TestAStopIsCleanWhateverHTTPClientsDo(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	static, err := config.StaticOf("the test", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(ctx, Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, HTTP: "127.0.0.1:0",
		Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge,
	})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Dial("tcp", s.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := s.Close(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if me := s.image().Broker(s.NodeID()); me == nil || !me.InControlledShutdown {
		t.Errorf("the controller was not told of the stop: %+v", me)
	}
}

// A node that is alone again, after another was here and it was registered anew,
// says goodbye as whom the metadata have it.
func TestANodeThatWasRegisteredAgainSaysGoodbye(t *testing.T) {
	s, err := startOn(t, vfs.NewMem(0), "/data")
	if err != nil {
		t.Fatal(err)
	}
	began := s.entered.Load()
	must := func(cmd any) {
		t.Helper()
		if _, err := s.do(t.Context(), cmd); err != nil {
			t.Fatal(err)
		}
	}
	must(controller.UnregisterBroker{ID: s.NodeID()})
	again, err := s.registerBroker(t.Context())
	if err != nil || again == began {
		t.Fatalf("epoch %d after %d, %v", again, began, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if me := s.image().Broker(s.NodeID()); me == nil || !me.InControlledShutdown {
		t.Errorf("the controller was not told of the stop: %+v", me)
	}
}
