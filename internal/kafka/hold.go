package kafka

import "sync"

// gate keeps clients waiting until the node may serve them; nodes pass.
type gate struct {
	once sync.Once
	open chan struct{} // closed when clients may come in
}

// LetIn lets in the clients that Options.Hold kept waiting.
func (d *Door) LetIn() { d.gate.once.Do(func() { close(d.gate.open) }) }

// hold waits until clients may come in.
func (c *conn) hold() error {
	if c.info.Node >= 0 {
		return nil
	}
	select {
	case <-c.door.gate.open:
		return nil
	case <-c.door.quit:
		return ErrClosed
	}
}
