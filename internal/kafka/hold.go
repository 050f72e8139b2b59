package kafka

import (
	"errors"
	"net"
	"sync"
	"time"
)

// gate keeps clients waiting until the node may serve them; nodes pass.
type gate struct {
	once sync.Once
	open chan struct{} // closed when clients may come in
}

// LetIn lets in the clients that Options.Hold kept waiting.
func (d *Door) LetIn() { d.gate.once.Do(func() { close(d.gate.open) }) }

var errHeld = errors.New("this node does not serve clients yet")

// hold waits until clients may come in. One that another node can serve is sent off
// after a while (Options.HoldFor).
func (c *conn) hold() error {
	if c.info.Node >= 0 {
		return nil
	}
	select { // nearly always, and then without a timer
	case <-c.door.gate.open:
		return nil
	default:
	}
	var over <-chan time.Time
	if c.door.o.HoldFor > 0 {
		timer := time.NewTimer(c.door.o.HoldFor)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-c.door.gate.open:
		return nil
	case <-c.door.quit:
		return ErrClosed
	case <-over:
		Reset(c.nc)
		return errHeld
	}
}

// Reset ends a connection like one that nobody listens for: its client tries
// another node at once, where it would take a plain end before the first answer for
// a listener that speaks something else.
func Reset(nc net.Conn) {
	if tc, ok := nc.(interface{ SetLinger(sec int) error }); ok {
		_ = tc.SetLinger(0) // one that cannot is closed
	}
	_ = nc.Close() // there is nobody to tell
}
