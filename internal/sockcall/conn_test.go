package sockcall

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ends are both ends of a connection, the first of them wrapped.
func ends(t *testing.T) (wrapped net.Conn, other *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return Wrap(a), b.(*net.TCPConn)
}

// pattern is n bytes that tell where they stand.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestEverythingArrivesInOrderBothWays(t *testing.T) {
	a, b := ends(t)
	for _, size := range []int{1, 100, most, most + 1, 5*most + 77} { // beyond what a socket takes at once
		sent := pattern(size)
		var wg sync.WaitGroup
		wg.Go(func() {
			if n, err := a.Write(sent); n != size || err != nil {
				t.Errorf("write %d bytes: got %d, %v", size, n, err)
			}
		})
		got := make([]byte, size)
		if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes did not arrive as they were sent: %v", size, err)
		}
		wg.Wait()
		wg.Go(func() {
			if _, err := b.Write(sent); err != nil {
				t.Errorf("answer %d bytes: %v", size, err)
			}
		})
		clear(got)
		if _, err := io.ReadFull(a, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes were not read as they were sent: %v", size, err)
		}
		wg.Wait()
	}
}

func TestTheOtherEndsCloseIsTheEnd(t *testing.T) {
	a, b := ends(t)
	if err := b.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("got %d, %v, want the end", n, err)
	}
	if n, err := a.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: got %d, %v", n, err)
	}
}

func TestADeadlineEndsAWait(t *testing.T) {
	a, _ := ends(t)
	if err := a.SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: got %v", err)
	}
	if _, err := a.Write([]byte{1}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: got %v", err)
	}
}

func TestACloseEndsAWaitingRead(t *testing.T) {
	a, _ := ends(t)
	failed := make(chan error)
	go func() {
		_, err := a.Read(make([]byte, 1))
		failed <- err
	}()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want that it is closed", err)
	}
}

func TestAResetIsTold(t *testing.T) {
	a, b := ends(t)
	if err := b.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: got %v, want a reset", err)
	}
	if _, err := a.Write([]byte{1}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write: got %v, want a broken pipe", err)
	}
}

func TestOnlySocketsAreWrapped(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got := Wrap(a); got != a {
		t.Errorf("a pipe became a %T", got)
	}
	nc, _ := ends(t)
	if _, ok := nc.(*Conn); ok != wraps {
		t.Errorf("a TCP connection became a %T", nc)
	}
}

func TestReadingAndWritingAllocateNothing(t *testing.T) {
	a, b := ends(t)
	buf := make([]byte, 64)
	if got := testing.AllocsPerRun(100, func() {
		if _, err := a.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(b, buf); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a, buf); err != nil {
			t.Fatal(err)
		}
	}); got > 0 {
		t.Errorf("got %v allocations", got)
	}
}
