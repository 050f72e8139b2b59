package lead

import (
	"ottla/internal/share"
	"ottla/internal/wire"
)

// Acknowledge takes what a member says of records, all or, with an error,
// nothing; acks have passed share.Check. done is called once, perhaps before
// Acknowledge returns: with nil when it is durable. After another error than
// INVALID_RECORD_STATE and INVALID_REQUEST nobody knows whether it counts.
func (p *Part) Acknowledge(member string, acks []share.Ack, done func(error)) {
	p.mu.Lock()
	err := p.acknowledge(member, acks)
	if err == nil {
		p.asked = append(p.asked, done)
	}
	p.unlock()
	if err != nil {
		done(err)
	}
}

func (p *Part) acknowledge(member string, acks []share.Ack) error {
	ok, err := p.serve()
	switch {
	case err != nil:
		return err
	case !ok: // nobody holds anything of a state that is not loaded
		return wire.Errorf(wire.InvalidRecordState, "the share-partition was loaded anew; the records' locks are gone")
	}
	now := p.nowMs()
	p.catchUp(now)
	if !p.set.Renew {
		for i := range acks {
			for _, t := range acks[i].Types {
				if t == share.Renew {
					return wire.Errorf(wire.InvalidRequest, "the group %s may not renew locks (share.renew.acknowledge.enable)", p.Key.Group)
				}
			}
		}
	}
	if err := p.core.Acknowledge(now, member, acks); err != nil {
		return err
	}
	p.wake = true
	p.bury()
	return nil
}

// Leave gives back what a member holds.
func (p *Part) Leave(member string) {
	p.mu.Lock()
	if p.phase == ready && p.core.Leave(p.nowMs(), member) {
		p.wake = true
		p.bury()
	}
	p.unlock()
}
