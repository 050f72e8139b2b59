package kafka

import "errors"

// Why connections end that a test cuts.
var (
	errCut      = errors.New("the connection was cut on demand")
	errRefusing = errors.New("connections are refused on demand")
)

// Cut closes every connection now, in the middle of whatever it does, and
// tells how many there were. Answers that were not written are lost; what they
// would have told has happened.
func (d *Door) Cut() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.close(errCut)
	}
	return len(d.conns)
}

// Refuse lets no new connection in, or lets them in again. Listeners stay open:
// a client's connection is accepted and closed at once.
func (d *Door) Refuse(refuse bool) { d.refusing.Store(refuse) }
