package peer

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// overheard is a listener's connection that keeps what comes over it.
type overheard struct {
	net.Conn
	mu  sync.Mutex
	got bytes.Buffer
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.Conn.Read(p)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.got.Write(p[:n])
	return n, err
}

// said is what a follower says in the tests.
const said = "everything that the follower asks"

// pulling makes a follower's connection and sends said over it. It tells what a
// listener on the way heard, as whose connection it was served and how.
func pulling(t *testing.T, asks, serves bool) (heard []byte, node int32, how string) {
	t.Helper()
	type service struct {
		node int32
		how  string
	}
	served := make(chan service, 1)
	take := func(how string) func(nc net.Conn, node int32) {
		return func(nc net.Conn, node int32) {
			b := make([]byte, len(said))
			if _, err := io.ReadFull(nc, b); err != nil || string(b) != said {
				t.Errorf("the leader's node hears %q, %v", b, err)
			}
			if _, err := nc.Write(b); err != nil {
				t.Errorf("answer: %v", err)
			}
			served <- service{node, how}
		}
	}
	one := founded(t)
	s := newStation(t, one, func(o *ServerOptions) {
		o.Kafka = func(nc net.Conn, node int32, _ bool) { take("kafka")(nc, node) }
		if serves {
			o.Pull = take("pull")
		}
	})
	var line *overheard
	p := pool(t, one.of(t, whose(2)), func(o *PoolOptions) {
		o.Insecure = asks
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			line = &overheard{Conn: nc}
			return line, err
		}
	}, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := p.Pull(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(said)); err != nil {
		t.Fatal(err)
	}
	got := receive(t, "the leader's side", served)
	back := make([]byte, len(said))
	if _, err := io.ReadFull(c, back); err != nil || string(back) != said {
		t.Fatalf("the follower hears %q, %v", back, err)
	}
	line.mu.Lock()
	defer line.mu.Unlock()
	return bytes.Clone(line.got.Bytes()), got.node, got.how
}

func TestFetchesAreInTheClearWhereBothNodesAreInsecure(t *testing.T) {
	for _, c := range []struct {
		name         string
		asks, serves bool
		how          string
		clear        bool
	}{
		{"both", true, true, "pull", true},
		{"the follower alone", true, false, "kafka", false},
		{"the leader's node alone", false, true, "kafka", false},
		{"neither", false, false, "kafka", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard, node, how := pulling(t, c.asks, c.serves)
			if node != 2 || how != c.how {
				t.Errorf("served node %d by %s, want node 2 by %s", node, how, c.how)
			}
			if got := bytes.Contains(heard, []byte(said)); got != c.clear {
				t.Errorf("in the clear: %v, want %v", got, c.clear)
			}
		})
	}
}

// Who is there is proven by certificate, in the clear or not.
func TestOnlyNodesPull(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, func(o *ServerOptions) {
		o.Pull = func(net.Conn, int32) { t.Error("a stranger was served") }
	})
	p := pool(t, founded(t).of(t, whose(2)), func(o *PoolOptions) { o.Insecure = true }, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if c, err := p.Pull(ctx, 1); err == nil {
		t.Error("a node of another authority was let in", c.Close())
	}
}

func TestWhatCameBeforeTheWelcomeIsNotForgotten(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := newConn(a, []byte("early"), founded(t).baseConfig(protoPull), true)
	if _, err := c.clear(); err != nil {
		t.Fatalf("nothing was read yet: %v", err)
	}
	if _, err := c.under.in.Peek(1); err != nil {
		t.Fatal(err)
	}
	if _, err := c.clear(); err == nil {
		t.Error("a connection with bytes that were read was given away")
	}
}
