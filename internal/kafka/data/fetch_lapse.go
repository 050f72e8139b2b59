package data

import (
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// A consumer of a node that is cut off from the others would read to the end of what
// that node has, and wait there for as long as the cut lasts, while another node
// leads and is written to. So a node that is cut off for all that it knows
// (Options.Mute) gives what it has, which is committed and right, however old; but a
// partition at whose end the consumer is, and that another node may lead by now, is
// answered with NOT_LEADER_OR_FOLLOWER, so that the consumer asks who leads. Where
// nobody does it comes again: it is kept for a moment each time, since clients ask
// again at once.
//
// And from the moment that another node may lead in this one's place
// (Options.Trusted), before it counts as cut off, nobody is told here that an offset is
// above all that there is. The consumer may have committed it where records were
// written meanwhile, and would throw it away: it would begin again by
// auto.offset.reset, most often with the first record of all.

// arm lets the timer fire when the answer is to be looked at next.
func (a *fetchAnswer) arm() {
	next := api.Pause(a.left, a.family.o.Mute)
	a.left -= next
	a.family.wheel.Arm(&a.timer, next)
}

// expire is called by the wheel. The reference that the timer has stays with it when
// it is armed again.
func (a *fetchAnswer) expire() {
	if a.left > 0 && !a.family.o.Mute() {
		a.arm()
		if a.over.Load() && a.family.wheel.Cancel(&a.timer) { // meanwhile
			a.release()
		}
		return
	}
	a.expired.Store(true)
	a.Ready()
	a.release()
}

// lapse sends the consumer away from partitions that it has read to their end, on a
// node that is cut off.
func (a *fetchAnswer) lapse() {
	if a.family.o.Mute == nil || !a.family.o.Mute() {
		return
	}
	for i := range a.parts {
		p := &a.parts[i]
		if p.partition == nil || p.code != wire.None || p.preferred >= 0 || p.got.Diverging || p.got.Slice.Len > 0 || p.partition.Sole() {
			continue
		}
		a.lapsed = true
		a.fail(p, wire.NotLeaderOrFollower)
	}
}

// beyond sends a consumer away whose offset is above what is here, or of a leadership
// that is not known here, where another node may lead by now. What lies below the
// start of a log is gone everywhere.
func (a *fetchAnswer) beyond(p *fetchPart, code wire.Code) wire.Code {
	if code != wire.OffsetOutOfRange || !p.partition.Deposed(a.family.o.Trusted) || p.offset < p.partition.Offsets().LogStart {
		return code
	}
	a.lapsed = true
	return wire.NotLeaderOrFollower
}
