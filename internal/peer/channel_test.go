package peer

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
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
	p := NewPool(PoolOptions{
		Identity: func() (*Identity, error) { return one, nil }, Addresses: func(int32) []string { return []string{"x:1"} },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			dialled.Done()
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
