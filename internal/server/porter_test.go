package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ottla/internal/config"
	"ottla/internal/peer"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// wasReset tells whether a client that comes to an address has its connection
// reset, before it has sent anything.
func wasReset(addr string) error {
	nc, err := net.Dial("tcp", addr)
	if err == nil {
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(patience))
		_, err = nc.Read(make([]byte, 1))
	}
	if errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return errors.Join(errors.New("the connection was not reset"), err)
}

// TestPortersLeavePortsAsTheyFoundThem: who comes is sent off until they go, and
// waits in the accept queue from then on.
func TestPortersLeavePortsAsTheyFoundThem(t *testing.T) {
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	for range 3 {
		stop := turnAway([]net.Listener{port})
		for range 3 {
			if err := wasReset(port.Addr().String()); err != nil {
				t.Error(err)
			}
		}
		stop()
		mine, err := net.Dial("tcp", port.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := port.Accept()
		if err != nil {
			t.Fatalf("accept after the porters went: %v", err)
		}
		if _, err := theirs.Write([]byte{1}); err != nil {
			t.Error(err)
		}
		if _, err := mine.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		_, _ = mine.Close(), theirs.Close()
	}
	stop := turnAway([]net.Listener{port})
	if err := port.Close(); err != nil { // as a stop in the middle of a start does
		t.Error(err)
	}
	stop()
}

// TestClientsOfANodeThatIsNotInYetAreSentOff: its place in the cluster may take long
// to get, and the others serve.
func TestClientsOfANodeThatIsNotInYetAreSentOff(t *testing.T) {
	founder, err := startOn(t, vfs.NewMem(0), "/a")
	if err != nil {
		t.Fatal(err)
	}
	defer founder.Close()
	token, err := founder.Token()
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan error, 1)
	admits := peer.NewServer(peer.ServerOptions{Identity: founder.identity, Admit: func(_ context.Context, r peer.JoinRequest) (int32, []peer.Member, error) {
		at := r.Endpoints[0]
		came <- wasReset(net.JoinHostPort(at.Host, strconv.Itoa(int(at.Port))))
		return -1, nil, wire.Errorf(wire.InvalidRequest, "seen enough")
	}})
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	go func() {
		for nc, err := port.Accept(); err == nil; nc, err = port.Accept() {
			go admits.Handle(nc, nil)
		}
	}()
	static, err := config.StaticOf("the test", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Start(ctx, Options{
		FS: vfs.NewMem(0), Dirs: []string{"/b"}, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Join: []string{port.Addr().String()}, Token: token, Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge,
	})
	if err == nil {
		t.Fatal("it was let in", s.Close())
	}
	if !strings.Contains(err.Error(), "seen enough") {
		t.Error(err)
	}
	select {
	case err := <-came:
		if err != nil {
			t.Error(err)
		}
	default:
		t.Error("it asked nobody to be let in")
	}
	if err := admits.Close(ctx); err != nil {
		t.Error(err)
	}
}
