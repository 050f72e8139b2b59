package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// A second directory with the id of a node that is here is a clone: it is
// refused and told why, until the first is gone.
func TestACloneIsRefused(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, nil)
	real := pool(t, one.of(t, whose(2)), nil, s)
	echo(t, real, 1, "the real node 2")
	clone := one.of(t, Whose{"C", 2, uuid.UUID{0xc}})
	c := pool(t, clone, nil, s)
	_, err := c.Call(t.Context(), 1, command("x"))
	if wire.CodeOf(err) != wire.NetworkException || !strings.Contains(err.Error(), "node 2 is here already, with directory "+whose(2).DirectoryID.String()) {
		t.Errorf("the clone hears %v", err)
	}
	echo(t, real, 1, "goes on")
	real.Close()
	if node := receive(t, "node 2 leaving", s.left); node != 2 {
		t.Errorf("node %d left, want 2", node)
	}
	echo(t, pool(t, clone, nil, s), 1, "a replaced disk")
}

// Silent connections are bounded, and do not keep nodes out.
func TestAFloodOfSilenceMakesRoom(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, nil)
	var flood []net.Conn
	for range maxWaiting + 50 {
		nc, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		flood = append(flood, nc)
	}
	waits := func() int {
		s.server.room.mu.Lock()
		defer s.server.room.mu.Unlock()
		return len(s.server.room.list)
	}
	eventually(t, "a full room", func() bool { return waits() == maxWaiting })
	echo(t, pool(t, one.of(t, whose(2)), nil, s), 1, "a node among them")
	if n := waits(); n > maxWaiting {
		t.Errorf("%d connections wait, at most %d may", n, maxWaiting)
	}
	closed := make(chan struct{}, len(flood))
	for _, nc := range flood {
		go func() {
			_, _ = nc.Read(make([]byte, 1))
			closed <- struct{}{}
		}()
	}
	for range 50 {
		receive(t, "a connection that made room", closed)
	}
}

// bubble serves one end of a pipe in a bubble of time.
func bubble(t *testing.T, f func(t *testing.T, id *Identity, nc net.Conn, done <-chan struct{})) {
	id := founded(t)
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{Identity: func() (*Identity, error) { return id, nil }, Now: fixed})
		mine, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			s.Handle(theirs, nil)
			close(done)
		}()
		f(t, id, mine, done)
		_ = mine.Close()
		<-done
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoDoesNotSayWhoseItIsGoesAfterTenSeconds(t *testing.T) {
	bubble(t, func(t *testing.T, _ *Identity, _ net.Conn, done <-chan struct{}) {
		began := time.Now()
		<-done
		if waited := time.Since(began); waited != handshakeTime {
			t.Errorf("closed after %v, want %v", waited, handshakeTime)
		}
	})
	bubble(t, func(t *testing.T, id *Identity, nc net.Conn, done <-chan struct{}) {
		// One that joins and asks for nothing.
		began := time.Now()
		c := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protoJoin}})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		<-done
		if waited := time.Since(began); waited != handshakeTime {
			t.Errorf("closed after %v, want %v", waited, handshakeTime)
		}
	})
}

// A byte at a time is no way to stay.
func TestTricklingInIsNoWayToStay(t *testing.T) {
	bubble(t, func(t *testing.T, _ *Identity, nc net.Conn, done <-chan struct{}) {
		began := time.Now()
		closed := make(chan time.Duration, 1)
		go func() {
			<-done
			closed <- time.Since(began)
		}()
		hello := []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}
		var err error
		for i := 0; err == nil; i++ {
			_, err = nc.Write(hello[i%len(hello) : i%len(hello)+1])
			<-time.After(time.Second) // of the bubble
		}
		if waited := <-closed; waited != handshakeTime {
			t.Errorf("closed after %v, want %v", waited, handshakeTime)
		}
	})
}

// What a node may be told is checked by those who serve it; a node that serves
// nobody says so.
func TestWhatNobodyServesIsRefused(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, func(o *ServerOptions) { o.Kafka = nil })
	p := pool(t, one.of(t, whose(2)), nil, s)
	if _, err := p.Open(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "does not serve ottla-kafka/1") {
		t.Errorf("%v", err)
	}
	p.Post(1, []byte("raft"))
	receive(t, "a frame", s.frames)
}

// An identity that cannot be had yet closes connections, and is asked for again
// with the next one.
func TestAnIdentityMayComeLate(t *testing.T) {
	one := founded(t)
	var there atomic.Bool
	s := newStation(t, one, func(o *ServerOptions) {
		o.Identity = func() (*Identity, error) {
			if !there.Load() {
				return nil, &Refused{What: "/d/cluster/node.pem", Reason: "is damaged"}
			}
			return one, nil
		}
	})
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ends(t, nc)
	eventually(t, "a log line", func() bool { return strings.Contains(s.logs.String(), "node.pem is damaged") })
	there.Store(true)
	echo(t, pool(t, one.of(t, whose(2)), nil, s), 1, "now")
}

func TestCloseEndsEveryConnection(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, nil)
	p := pool(t, one.of(t, whose(2)), nil, s)
	never(t, s)
	got := start(t.Context(), p, 1)
	eventually(t, "the request", func() bool { return s.count() == 1 })
	silent, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	eventually(t, "both", func() bool {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		return len(s.server.conns) == 2
	})
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.server.Close(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Close while a call is at work: %v", err)
	}
	ends(t, silent)
	if e := receive(t, "the end of the call", got); wire.CodeOf(e.err) != wire.NetworkException {
		t.Errorf("%v", e.err)
	}
}

// wireTap counts what goes through a connection.
type wireTap struct {
	net.Conn
	mu     sync.Mutex
	writes int
	reads  int
}

func (w *wireTap) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.writes++
	w.mu.Unlock()
	return w.Conn.Write(p)
}

func (w *wireTap) Read(p []byte) (int, error) {
	w.mu.Lock()
	w.reads++
	w.mu.Unlock()
	return w.Conn.Read(p)
}

// tapped is a connection between two nodes whose server's side is counted.
func tapped(t *testing.T) (client *Conn, server *Conn, tap *wireTap) {
	t.Helper()
	one := founded(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan *Conn, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		tap = &wireTap{Conn: nc}
		c := newConn(tap, nil, one.serverConfig(fixed, false), false)
		if err := c.Handshake(); err != nil {
			t.Error(err)
		}
		if err := writeVerdict(c, nil); err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err = greet(t.Context(), nc, one.of(t, whose(2)), 1, []string{protoKafka}, fixed)
	if err != nil {
		t.Fatal(err)
	}
	server = receive(t, "the server's end", accepted)
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server, tap
}

func TestLargeWritesCostFewCalls(t *testing.T) {
	client, server, tap := tapped(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB: 64 TLS records
	got := make(chan []byte, 1)
	go func() {
		b := make([]byte, 2+len(data))
		_, _ = io.ReadFull(client, b)
		got <- b
	}()
	tap.mu.Lock()
	before := tap.writes
	tap.mu.Unlock()
	if n, err := server.WriteMore([]byte("ab")); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	tap.mu.Lock()
	if tap.writes != before {
		t.Errorf("%d calls for what may wait", tap.writes-before)
	}
	tap.mu.Unlock()
	if n, err := server.Write(data); n != len(data) || err != nil {
		t.Fatal(n, err)
	}
	tap.mu.Lock()
	calls := tap.writes - before
	tap.mu.Unlock()
	if most := len(data)/writeAhead + 2; calls > most {
		t.Errorf("%d calls for 1 MiB, want at most %d", calls, most)
	}
	if b := receive(t, "the bytes", got); !bytes.Equal(b, append([]byte("ab"), data...)) {
		t.Error("other bytes came")
	}
}

// A close is the end, not a failure, with or without a farewell.
func TestACloseIsTheEndOfAConnection(t *testing.T) {
	client, server, _ := tapped(t)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read after the other end's close: %v, want EOF", err)
	}
	if client.Node() != 1 {
		t.Errorf("the other end was node %d", client.Node())
	}
}

// Bytes that were read before it was known what the connection is are the
// connection's first.
func TestWhatWasReadBeforeIsNotLost(t *testing.T) {
	one := founded(t)
	s := NewServer(ServerOptions{Identity: func() (*Identity, error) { return one, nil }, Now: fixed,
		Kafka: func(nc net.Conn, node int32, calls bool) {
			frame, err := readFrame(nc, 100)
			if err != nil || string(frame) != "hello" || node != 2 || calls {
				t.Errorf("node %d says %q, %v (calls %t)", node, frame, err, calls)
			}
		}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		first := make([]byte, 5)
		if _, err := io.ReadFull(nc, first); err != nil || wire.Foreign(first) != "TLS" {
			t.Errorf("a node begins with %x, %v", first, err)
		}
		s.Handle(nc, first)
	}()
	p := pool(t, one.of(t, whose(2)), func(o *PoolOptions) { o.Addresses = func(int32) []string { return []string{l.Addr().String()} } })
	nc, err := p.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Write(appendFrame(nil, []byte("hello"))); err != nil {
		t.Fatal(err)
	}
	receive(t, "the end", done)
	_ = nc.Close()
}

func TestFramesAreBounded(t *testing.T) {
	for _, size := range []int{0, 1, firstStep, firstStep + 1, 5*firstStep + 3} {
		frame := bytes.Repeat([]byte{7}, size)
		got, err := readFrame(bytes.NewReader(appendFrame(nil, frame)), 1<<20)
		if err != nil || !bytes.Equal(got, frame) {
			t.Errorf("%d bytes come back as %d, %v", size, len(got), err)
		}
	}
	if _, err := readFrame(bytes.NewReader(binary.BigEndian.AppendUint32(nil, 1<<20+1)), 1<<20); !errors.Is(err, errFrameSize) {
		t.Errorf("a frame too long: %v", err)
	}
	// A promise costs little before bytes come.
	long := append(binary.BigEndian.AppendUint32(nil, 1<<30), 1, 2, 3)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := readFrame(bytes.NewReader(long), 1<<30); err == nil {
			t.Error("a frame that is cut is taken")
		}
	}); n > 4 {
		t.Errorf("%v allocations for 3 bytes", n)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 'a', 'b', 'c'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := readFrame(bytes.NewReader(b), 1<<16)
		if err == nil && !bytes.HasPrefix(b, appendFrame(nil, frame)) {
			t.Fatalf("%x is read as %x", b, frame)
		}
	})
}
