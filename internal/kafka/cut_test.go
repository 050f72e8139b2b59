package kafka

import (
	"errors"
	"testing"
)

func TestACutEndsEveryConnectionAndDropsWhatIsParked(t *testing.T) {
	r := newRig(t, nil)
	idle, waits := r.dial(""), r.dial("")
	send(t, waits, op('p', 1, 0))
	eventually(t, "one parked", func() bool { return len(r.answers()) == 1 })
	if n := r.door.Cut(); n != 2 {
		t.Errorf("%d connections were cut, want 2", n)
	}
	ends(t, idle)
	ends(t, waits)
	<-r.answers()[0].dropped
	again := r.dial("")
	send(t, again, op('r', 1, 0))
	receive(t, again)
}

func TestRefusedConnectionsEndAndOpenOnesGoOn(t *testing.T) {
	r := newRig(t, nil)
	old := r.dial("")
	send(t, old, op('r', 1, 0))
	receive(t, old)
	r.door.Refuse(true)
	ends(t, r.dial(r.listen(Listener{})))
	if _, err := r.door.Dial(); !errors.Is(err, errRefusing) {
		t.Errorf("in memory: got %v, want %v", err, errRefusing)
	}
	send(t, old, op('r', 2, 0))
	receive(t, old)
	r.door.Refuse(false)
	again := r.dial("")
	send(t, again, op('r', 1, 0))
	receive(t, again)
}
