package kafka

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Clients that come early wait for the door, and where others could serve them for
// a while only: to the moment, whatever they sent.
func TestHeldClientsAreLetInOrSentOff(t *testing.T) {
	for name, c := range map[string]struct {
		most, opens time.Duration
		want        time.Duration // 0: it is answered
	}{
		"alone, for long":       {0, 5 * time.Minute, 0},
		"among others, in time": {time.Second, 900 * time.Millisecond, 0},
		"among others, late":    {time.Second, time.Hour, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRigWith(t, nil, func(o *Options) { o.Hold, o.HoldFor = true, c.most })
			nc, err := r.door.Dial()
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			began := time.Now()
			opening := time.AfterFunc(c.opens, r.door.LetIn)
			defer opening.Stop()
			if c.want == 0 {
				ask(t, nc, apiVersions(3))
				if took := time.Since(began); took != c.opens {
					t.Errorf("%s: answered after %v, want %v", name, took, c.opens)
				}
				return
			}
			send(t, nc, op('r', 1, 0))
			if b, err := readFrame(nc); err == nil {
				t.Errorf("%s: answered %x", name, b)
			}
			if took := time.Since(began); took != c.want {
				t.Errorf("%s: sent off after %v, want %v", name, took, c.want)
			}
		})
	}
}

// Who is sent off sees a connection that was reset, as at a port where nobody
// listens: clients take a plain end before the first answer for a wrong protocol.
func TestWhoIsSentOffSeesAReset(t *testing.T) {
	r := newRigWith(t, nil, func(o *Options) { o.Hold, o.HoldFor = true, time.Nanosecond })
	nc, err := net.Dial("tcp", r.listen(Listener{}))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	send(t, nc, op('r', 1, 0))
	_ = nc.SetDeadline(time.Now().Add(patience))
	if b, err := readFrame(nc); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("answered %x, %v; want a reset", b, err)
	}
}
