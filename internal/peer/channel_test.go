package peer

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Frames of the quorum arrive whole and in order, from whom they are; after a
// break the next ones do.
func TestFramesOfTheQuorumArriveInOrder(t *testing.T) {
	p, s := pair(t, nil)
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i * 7)
	}
	expect := func(want string) {
		t.Helper()
		if got := receive(t, "a frame", s.frames); string(got) != "\x00\x00\x00\x02"+want {
			t.Fatalf("%d bytes came, %.20q…, want %.20q…", len(got), got, want)
		}
	}
	for i := range 200 {
		p.Post(1, []byte(fmt.Sprint("frame ", i)))
	}
	p.Post(1, big)
	p.Post(1, nil)
	p.Post(1, make([]byte, MaxFrame+1)) // is dropped
	for i := range 200 {
		expect(fmt.Sprint("frame ", i))
	}
	expect(string(big))
	expect("")
	s.server.Cut()
	eventually(t, "a frame after the break", func() bool {
		p.Post(1, []byte("again"))
		return len(s.frames) > 0
	})
	expect("again")
}

// A channel that is full drops, and never holds up who posts.
func TestAFullChannelDrops(t *testing.T) {
	one := founded(t)
	block := make(chan struct{})
	var dialled sync.WaitGroup
	dialled.Add(1)
	first := sync.OnceFunc(dialled.Done)
	p := NewPool(PoolOptions{
		Identity: func() (*Identity, error) { return one, nil }, Addresses: func(int32) []string { return []string{"x:1"} },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			first()
			<-block
			return nil, io.EOF
		},
	})
	frame := make([]byte, 1<<20)
	for range 3 * maxChannel / len(frame) {
		p.Post(1, frame)
	}
	dialled.Wait()
	ch := p.channels[1]
	ch.mu.Lock()
	waits := len(ch.out)
	ch.mu.Unlock()
	if waits > maxChannel+len(frame) || waits < len(frame) {
		t.Errorf("%d bytes wait, at most %d may", waits, maxChannel)
	}
	close(block)
	p.Close()
}

// far is a node in the time of a test, and a pool whose connections to it are what
// each dial makes of them: it is given how many there were before.
type far struct {
	pool   *Pool
	frames chan string
	dials  atomic.Int32
	under  atomic.Int32 // way
	began  time.Time
}

// A dial comes to its end, or to what its context says.
func inTime(t *testing.T, test func(t *testing.T, f *far), dial func(ctx context.Context, n int32, connect func() (net.Conn, error)) (net.Conn, error)) {
	t.Helper()
	one := founded(t)
	two := one.of(t, whose(2))
	synctest.Test(t, func(t *testing.T) {
		f := &far{frames: make(chan string, 16), began: time.Now()}
		s := NewServer(ServerOptions{
			Identity: func() (*Identity, error) { return one, nil }, Now: fixed,
			Raft: func(_ int32, frame []byte) { f.frames <- string(frame) },
		})
		var handled sync.WaitGroup
		connect := func() (net.Conn, error) {
			mine, theirs := net.Pipe()
			handled.Go(func() { s.Handle(theirs, nil) })
			return mine, nil
		}
		f.pool = NewPool(PoolOptions{
			Identity: func() (*Identity, error) { return two, nil }, Addresses: func(int32) []string { return []string{"one:1"} },
			Now: func() time.Time { return wall.Add(time.Since(f.began)) },
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				f.under.Add(1)
				defer f.under.Add(-1)
				return dial(ctx, f.dials.Add(1)-1, connect)
			},
		})
		test(t, f)
		f.pool.Close()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		handled.Wait()
		if n := f.under.Load(); n != 0 {
			t.Errorf("%d dials are under way after the end", n)
		}
	})
}

// comes wants a frame after so long, counted from the beginning.
func (f *far) comes(t *testing.T, want string, after time.Duration) {
	t.Helper()
	select {
	case got := <-f.frames:
		if took := time.Since(f.began); got != want || took != after {
			t.Errorf("%q came after %v, want %q after %v", got, took, want, after)
		}
	case <-time.After(time.Minute):
		t.Fatalf("%q does not come", want)
	}
}

// A vote that is posted in the pause after a failed try is not lost: the quorum
// would hold another election, a second later at the least.
func TestAFrameThatComesInThePauseOfAChannelWaitsForIt(t *testing.T) {
	inTime(t, func(t *testing.T, f *far) {
		f.pool.Post(1, []byte("to nobody"))
		synctest.Wait()
		f.pool.Post(1, []byte("vote"))
		f.comes(t, "vote", firstBackoff)
	}, func(_ context.Context, n int32, connect func() (net.Conn, error)) (net.Conn, error) {
		if n == 0 {
			return nil, syscall.ECONNREFUSED
		}
		return connect()
	})
}

// The same where it comes while a try lasts that comes to nothing, the node being
// silent: it has the next one.
func TestAFrameThatComesLateInATryHasTheNext(t *testing.T) {
	tries := int32(oneDial/dialAgain) + 1
	inTime(t, func(t *testing.T, f *far) {
		f.pool.Post(1, []byte("to nobody"))
		<-time.After(oneDial - time.Millisecond)
		f.pool.Post(1, []byte("vote"))
		f.comes(t, "vote", oneDial+firstBackoff)
	}, func(ctx context.Context, n int32, connect func() (net.Conn, error)) (net.Conn, error) {
		if n < tries {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return connect()
	})
}

// A first packet that is lost, in a cut that ends, is not waited for until the kernel
// sends it again.
func TestAConnectionWhoseFirstPacketIsLostIsBegunAgain(t *testing.T) {
	inTime(t, func(t *testing.T, f *far) {
		f.pool.Post(1, []byte("vote"))
		f.comes(t, "vote", 2*dialAgain)
		if n := f.dials.Load(); n != 3 {
			t.Errorf("%d dials, want 3", n)
		}
	}, func(ctx context.Context, n int32, connect func() (net.Conn, error)) (net.Conn, error) {
		if n < 2 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return connect()
	})
}

// Of two connections that come about the second is ended.
func TestOneConnectionIsMade(t *testing.T) {
	ended := make(chan error, 1)
	inTime(t, func(t *testing.T, f *far) {
		f.pool.Post(1, []byte("vote"))
		f.comes(t, "vote", dialAgain)
		if err := <-ended; err == nil {
			t.Error("the late connection is open")
		}
	}, func(ctx context.Context, n int32, connect func() (net.Conn, error)) (net.Conn, error) {
		if n > 0 {
			return connect()
		}
		<-ctx.Done() // and comes about all the same
		mine, theirs := net.Pipe()
		go func() {
			_, err := theirs.Read(make([]byte, 1))
			ended <- err
		}()
		return mine, nil
	})
}
