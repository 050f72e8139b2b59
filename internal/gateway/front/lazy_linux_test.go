package front

import (
	"net"
	"testing"
	"time"
)

// joined are the two ends of a connection, the first of them lazy.
func joined(t *testing.T) (*lazy, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	c, ok := wrap(near).(*lazy)
	if !ok {
		t.Fatalf("%T is not wrapped", wrap(near))
	}
	return c, far
}

var past, far = time.Unix(1, 0), 24 * time.Hour

func (l *lazy) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reads reads one byte, which is to come, or the deadline is to be over.
func (l *lazy) reads(t *testing.T, comes bool) {
	t.Helper()
	var b [8]byte
	n, err := l.Read(b[:])
	if comes && (n != 1 || err != nil) {
		t.Fatalf("read %d, %v, want a byte", n, err)
	}
	if !comes && !timedOut(err) {
		t.Fatalf("read %d, %v, want the end of the time", n, err)
	}
}

func TestDeadlinesCountFromTheLastThatWasSet(t *testing.T) {
	c, peer := joined(t)
	write := func() {
		t.Helper()
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	c.must(t, c.SetReadDeadline(past))
	c.reads(t, false)
	for _, next := range []time.Time{{}, time.Now().Add(far)} { // the socket has one that is over
		c.must(t, c.SetReadDeadline(next))
		write()
		c.reads(t, true)
		c.must(t, c.SetReadDeadline(past))
		c.reads(t, false)
	}
	c.must(t, c.SetReadDeadline(time.Now().Add(far)))
	c.must(t, c.SetDeadline(time.Now().Add(time.Millisecond))) // earlier than the socket's
	c.reads(t, false)
	c.must(t, c.SetDeadline(time.Time{}))
	write()
	c.reads(t, true)
}

func TestADeadlineThatIsOverEndsAReadThatWaits(t *testing.T) {
	c, _ := joined(t)
	c.must(t, c.SetReadDeadline(time.Now().Add(far)))
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	c.must(t, c.SetReadDeadline(past)) // before it began to wait, or while it does
	if err := <-ended; !timedOut(err) {
		t.Fatal(err)
	}
}

func TestAReadGoesOnWhenTheSocketsDeadlineWasTheEarlierOne(t *testing.T) {
	c, peer := joined(t)
	c.must(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	c.reads(t, false)
	c.must(t, c.SetReadDeadline(time.Time{}))
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || timedOut(err) {
		t.Fatalf("at the end: %d, %v", n, err)
	}
}

func TestAConnectionThatIsUnwrappedHasNoDeadline(t *testing.T) {
	c, peer := joined(t)
	c.must(t, c.SetReadDeadline(past))
	c.reads(t, false)
	plain := unwrap(&returned{Conn: c, from: &listener{}})
	if _, ok := plain.(*net.TCPConn); !ok {
		t.Fatalf("got a %T", plain)
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := plain.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	if other, _ := net.Pipe(); wrap(other) != other || unwrap(other) != other {
		t.Error("what is no socket is wrapped")
	}
}

// Deadlines that nothing waits for cost no call.
func TestDeadlinesThatNobodyWaitsForReachNoSocket(t *testing.T) {
	c, peer := joined(t)
	c.must(t, c.SetReadDeadline(time.Now().Add(far)))
	if _, err := peer.Write([]byte("xx")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	told := c.told
	for _, d := range []time.Time{{}, time.Now().Add(2 * far), time.Now().Add(time.Hour), {}, time.Now().Add(3 * far)} {
		c.must(t, c.SetReadDeadline(d))
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if c.told != told || told.IsZero() {
		t.Errorf("the socket was told %v after %v", c.told, told)
	}
}
