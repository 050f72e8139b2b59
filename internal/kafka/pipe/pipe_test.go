package pipe

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

var _ net.Conn = (*Conn)(nil)

func TestBytesArriveInOrderWhateverTheirNumber(t *testing.T) {
	a, b := New(Addr("a"), Addr("b"))
	sent := make([]byte, 3*bufferSize+17)
	for i := range sent {
		sent[i] = byte(i * 7)
	}
	go func() {
		for at := 0; at < len(sent); {
			n, err := a.Write(sent[at:min(len(sent), at+1000+at%5000)])
			if err != nil {
				t.Error(err)
				return
			}
			at += n
		}
		a.Close()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes, %v", len(got), len(sent), err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, net.ErrClosed) {
		t.Fatalf("write to a closed end: %v", err)
	}
}

func TestBothEndsMayWriteBeforeTheyRead(t *testing.T) {
	a, b := New(Addr("a"), Addr("b"))
	big := make([]byte, bufferSize)
	if _, err := a.Write(big); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write(big); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Conn{a, b} {
		if _, err := io.ReadFull(c, big); err != nil {
			t.Fatal(err)
		}
	}
	if a.in.buf != nil || a.in.at != 0 {
		t.Error("an empty pipe keeps its buffer")
	}
	if a.LocalAddr().String() != "a" || a.RemoteAddr().String() != "b" || a.LocalAddr().Network() != "memory" {
		t.Error("addresses are not the given ones")
	}
}

func TestDeadlinesEndWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := New(Addr("a"), Addr("b"))
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Second))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Fatalf("read ended after %v with %v", time.Since(start), err)
		}
		a.SetDeadline(time.Time{})
		b.Write([]byte("x"))
		if err := a.WaitReadable(); err != nil {
			t.Fatal(err)
		}
		if n, err := a.Read(make([]byte, 5)); n != 1 || err != nil {
			t.Fatalf("read %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := a.Write(make([]byte, 2*bufferSize)); n != bufferSize || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("write wrote %d, %v", n, err)
		}
		b.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read after a passed deadline: %v", err)
		}
		a.Close()
		b.Close()
	})
}

func TestCloseWakesBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := New(Addr("a"), Addr("b"))
		var reads [2]error
		go func() { _, reads[0] = a.Read(make([]byte, 1)) }()
		go func() { _, reads[1] = b.Read(make([]byte, 1)) }()
		synctest.Wait()
		a.Close()
		synctest.Wait()
		if !errors.Is(reads[0], io.ErrClosedPipe) || !errors.Is(reads[1], io.EOF) {
			t.Fatalf("got %v", reads)
		}
		if err := b.WaitReadable(); err != nil {
			t.Fatalf("the end of the stream is readable, got %v", err)
		}
	})
}

// BenchmarkBursts is what comes in bursts, as batches do: between them a direction holds
// nothing.
func BenchmarkBursts(b *testing.B) {
	here, there := New(Addr("a"), Addr("b"))
	defer here.Close()
	out, in := make([]byte, 200<<10), make([]byte, 200<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		if _, err := here.Write(out); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(there, in); err != nil {
			b.Fatal(err)
		}
	}
}
