package client

import (
	"errors"
	"net"
	"testing"
)

func TestACutLineEndsItsConnectionsAndMakesNoneUntilItIsMended(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	line := NewLine()
	first, err := line.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	line.Cut()
	if _, err := first.Write([]byte("x")); err == nil {
		t.Error("a connection outlives the cut")
	}
	if _, err := line.Dial(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, errCut) {
		t.Errorf("a cut line connects: %v", err)
	}
	line.Mend()
	again, err := line.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil || len(line.conns) != 0 {
		t.Errorf("a closed connection is remembered: %d, %v", len(line.conns), err)
	}
}
