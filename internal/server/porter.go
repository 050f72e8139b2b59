package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"ottla/internal/kafka"
)

// turnAway resets every connection that comes to ports behind which nobody serves
// yet, until stop, which leaves them open. Clients of the cluster, which know the
// address from before, then ask other nodes, and other nodes learn that the process
// they knew is gone; a connection that is made and not answered would keep both
// waiting for seconds.
func turnAway(ports []net.Listener) (stop func()) {
	var porters sync.WaitGroup
	quit := make(chan struct{})
	for _, port := range ports {
		porters.Go(func() { porter(port, quit) })
	}
	return func() {
		close(quit)
		for _, port := range ports {
			interrupt(port, time.Unix(1, 0))
		}
		porters.Wait()
		for _, port := range ports {
			interrupt(port, time.Time{})
		}
	}
}

// porter stands at one port.
func porter(port net.Listener, quit <-chan struct{}) {
	for {
		nc, err := port.Accept()
		switch {
		case err == nil:
			kafka.Reset(nc)
			continue
		case errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded):
			return
		}
		select {
		case <-quit:
			return
		case <-time.After(50 * time.Millisecond): // no descriptor is left, for example
		}
	}
}

// interrupt has an Accept that waits, and all that come, end at a time; never with
// the zero time.
func interrupt(port net.Listener, at time.Time) {
	if l, ok := port.(interface{ SetDeadline(t time.Time) error }); ok {
		_ = l.SetDeadline(at) // a closed one ends by itself
	}
}
