package kafka

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
)

// errands is an api.Later that takes up to a number.
type errands struct {
	takes int
	list  []func()
}

func (e *errands) Add(do func()) bool {
	if len(e.list) == e.takes {
		return false
	}
	e.list = append(e.list, do)
	return true
}

func (e *errands) run() {
	for _, do := range e.list {
		do()
	}
	e.list = nil
}

// parkOne has one request wait on a connection.
func parkOne(t *testing.T, r *rig, corr int32) (net.Conn, *parkedAnswer) {
	t.Helper()
	nc := r.dial(r.listen(Listener{}))
	before := len(r.answers())
	send(t, nc, op('p', corr, 0))
	eventually(t, "the request is parked", func() bool { return len(r.answers()) > before })
	a := r.answers()[before]
	return nc, a
}

func TestWhoMakesAnAnswerReadyMayWriteItHimself(t *testing.T) {
	r := newRig(t, nil)
	nc, a := parkOne(t, r, 7)
	later := &errands{takes: 1}
	// The reader may not have come to its wait yet; then it writes itself.
	eventually(t, "the answer is left to who made it ready, or written by its reader", func() bool {
		a.ReadyBy(later)
		return len(later.list) == 1 || !a.IsReady()
	})
	later.run()
	if got := receive(t, nc); binary.BigEndian.Uint32(got) != 7 {
		t.Errorf("answered %x, want correlation id 7", got)
	}
	send(t, nc, op('r', 8, 0))
	if got := receive(t, nc); binary.BigEndian.Uint32(got) != 8 {
		t.Errorf("then %x, want correlation id 8: the connection goes on", got)
	}
}

func TestAnAnswerThatNobodyTakesOnIsWrittenAllTheSame(t *testing.T) {
	r := newRig(t, nil)
	nc, a := parkOne(t, r, 7)
	a.ReadyBy(&errands{})
	if got := receive(t, nc); binary.BigEndian.Uint32(got) != 7 {
		t.Errorf("answered %x, want correlation id 7", got)
	}
}

func TestWritingForAnotherNeverWaitsForItsClient(t *testing.T) {
	r := newRig(t, map[string]string{"socket.send.buffer.bytes": "4096"})
	for _, pad := range []int{obligeUpTo - 100, 8 * obligeUpTo, 1 << 20} {
		nc, a := parkOne(t, r, 9)
		a.pad = pad
		later := &errands{takes: 1}
		a.ReadyBy(later)
		later.run() // returns although nothing is read
		if got := receive(t, nc); len(got) != 4+pad || !bytes.Equal(got[4:], make([]byte, pad)) {
			t.Errorf("%d bytes of answer, want %d", len(got), 4+pad)
		}
	}
}

func TestAFailureWhileWritingForAnotherEndsOnlyThatConnection(t *testing.T) {
	r := newRig(t, nil)
	other := r.dial(r.listen(Listener{}))
	nc, a := parkOne(t, r, 9)
	a.pad = -1
	later := &errands{takes: 1}
	a.ReadyBy(later)
	later.run()
	ends(t, nc)
	send(t, other, op('r', 1, 0))
	if got := receive(t, other); binary.BigEndian.Uint32(got) != 1 {
		t.Errorf("another connection is answered %x, want correlation id 1", got)
	}
}

func TestSeveralAnswersInARowAreWrittenForAnother(t *testing.T) {
	r := newRig(t, nil)
	nc, a := parkOne(t, r, 1)
	send(t, nc, append(op('r', 2, 0), op('p', 3, 0)...))
	eventually(t, "three requests are parked", func() bool { return len(r.answers()) == 3 })
	later := &errands{takes: 1}
	a.ReadyBy(later)
	later.run()
	for want := uint32(1); want <= 2; want++ {
		if got := receive(t, nc); binary.BigEndian.Uint32(got) != want {
			t.Errorf("answered %x, want correlation id %d", got, want)
		}
	}
	r.answers()[2].Ready()
	if got := receive(t, nc); binary.BigEndian.Uint32(got) != 3 {
		t.Errorf("then %x, want correlation id 3", got)
	}
}
