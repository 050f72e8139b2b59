package kafka

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// fetchOp is a Fetch frame that rig.serve understands.
func fetchOp(letter byte, corr int32) []byte {
	b := op(letter, corr, 0)
	binary.BigEndian.PutUint16(b[4:], uint16(wire.KeyFetch))
	binary.BigEndian.PutUint16(b[6:], 4)
	return b
}

// closing is a door with a client that is closed in the background.
func closing(t *testing.T, sent ...[]byte) (r *rig, nc net.Conn, closed chan struct{}) {
	r = newRigWith(t, nil, func(o *Options) {
		o.APIs = append(o.APIs, api.API{Key: wire.KeyFetch, Min: 4, Max: 4, ListedMin: 4, Waits: true,
			Serve: func(c *api.Conn, q *api.Request) (api.Answer, error) { return r.serve(c, q) }})
	})
	nc, err := r.door.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	for _, b := range sent {
		send(t, nc, b)
	}
	synctest.Wait()
	closed = make(chan struct{})
	go func() {
		defer close(closed)
		r.close()
	}()
	synctest.Wait()
	return r, nc, closed
}

// What came before the door closes is answered, what comes later is not even read, and
// then the connection ends at once.
func TestADoorThatClosesAnswersWhatCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, nc, closed := closing(t, op('p', 1, 0), op('p', 2, 0))
		if _, err := r.door.Dial(); err == nil {
			t.Error("a door that closes let somebody in")
		}
		send(t, nc, op('r', 3, 0))
		synctest.Wait()
		began := time.Now()
		parked := r.answers()
		if len(parked) != 2 {
			t.Fatalf("%d requests were read, want the 2 from before", len(parked))
		}
		for i, a := range parked {
			a.Ready()
			if b := receive(t, nc); binary.BigEndian.Uint32(b) != uint32(i+1) {
				t.Errorf("answer %x, want that of request %d", b, i+1)
			}
		}
		ends(t, nc)
		<-closed
		if took := time.Since(began); took != 0 {
			t.Errorf("the door closed %v after the last answer", took)
		}
	})
}

// Nobody waits for records that may never come: a long poll is answered with what there
// is, before what stands behind it.
func TestADoorThatClosesWaitsForNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, nc, closed := closing(t, fetchOp('l', 1), op('r', 2, 0), fetchOp('l', 3), fetchOp('m', 4))
		for corr := range uint32(3) {
			if b := receive(t, nc); binary.BigEndian.Uint32(b) != corr+1 {
				t.Errorf("answer %x, want that of request %d", b, corr+1)
			}
		}
		ends(t, nc)
		<-closed
		if took := time.Since(began); took != 0 {
			t.Errorf("the door waited %v for records", took)
		}
	})
}

// An answer that does not come holds the stop up for a second.
func TestADoorThatClosesWaitsNoLongerThanThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, nc, closed := closing(t, op('p', 1, 0))
		ends(t, nc)
		<-closed
		if took := time.Since(began); took != settleTimeout {
			t.Errorf("the door closed after %v, want %v", took, settleTimeout)
		}
	})
}

// A client that goes on sending while the door closes reads its answers, and then the
// end: a socket that is closed with something unread would be reset.
func TestADoorThatClosesResetsNobody(t *testing.T) {
	r := newRig(t, nil)
	nc := r.dial(r.listen(Listener{}))
	send(t, nc, op('p', 1, 0))
	eventually(t, "the request is parked", func() bool { return len(r.answers()) == 1 })
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		r.close()
	}()
	eventually(t, "the door closes", r.door.isClosed)
	send(t, nc, op('r', 2, 0))
	r.answers()[0].Ready()
	if b := receive(t, nc); binary.BigEndian.Uint32(b) != 1 {
		t.Errorf("answer %x, want that of request 1", b)
	}
	_, err := readFrame(nc)
	if err == nil { // the reader was about to look when the door closed
		_, err = readFrame(nc)
	}
	if err != io.EOF {
		t.Errorf("the connection ended with %v, want %v", err, io.EOF)
	}
	nc.Close()
	<-closed
}
