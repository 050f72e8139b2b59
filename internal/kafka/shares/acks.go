package shares

import (
	"sync/atomic"

	"ottla/internal/share"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// ackPart is what a request says of the records of one partition, and what
// came of it.
type ackPart struct {
	topic uuid.UUID
	index int32
	acks  []share.Ack
	err   error
}

// ackBatch makes one acknowledgement of a request's fields.
func ackBatch(first, last int64, types []int8) share.Ack {
	a := share.Ack{First: first, Last: last, Types: make([]share.AckType, len(types))}
	for i, t := range types {
		a.Types[i] = share.AckType(t)
	}
	return a
}

// renews tells whether a lock is to begin anew.
func renews(acks []share.Ack) bool {
	for i := range acks {
		for _, t := range acks[i].Types {
			if t == share.Renew {
				return true
			}
		}
	}
	return false
}

// check judges the form of acknowledgements. renewing says that the request
// may renew locks (KIP-1222).
func (p *ackPart) check(renewing bool) error {
	if err := share.Check(p.acks); err != nil {
		return err
	}
	if !renewing && renews(p.acks) {
		return wire.Errorf(wire.InvalidRequest, "locks are renewed by requests that say so (IsRenewAck) only")
	}
	return nil
}

// acknowledge carries out acknowledgements side by side; done is called once,
// when all are durable or refused.
func (f *Family) acknowledge(key sessionKey, parts []ackPart, renewing bool, done func()) {
	left := new(atomic.Int64)
	left.Store(1)
	finish := func() {
		if left.Add(-1) == 0 {
			done()
		}
	}
	for i := range parts {
		p := &parts[i]
		if p.err = p.check(renewing); p.err != nil {
			continue
		}
		at, err := f.part(key.keyOf(p.topic, p.index))
		if err != nil {
			p.err = err
			continue
		}
		left.Add(1)
		at.Acknowledge(key.member, p.acks, func(err error) {
			p.err = err
			finish()
		})
	}
	finish()
}
