package lead

import (
	"time"

	"ottla/internal/partition"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// Dying is a range of records that were given up and wait for their dead
// letters.
type Dying struct {
	Key      store.Key
	Log      *partition.Partition
	Range    share.Range
	Settings Settings
	// Leads asks whoever keeps the state whether this node leads still, as it did
	// when the range was given out; nil says so. Who has kept other writers of
	// letters out asks it before he writes: a leader who does not know yet that he is
	// none would write what the next one has written.
	Leads func() error
	life  uint64
}

// bury starts to write dead letters, if there is anything to write and nobody
// does. mu held.
func (p *Part) bury() {
	if p.burial || p.m.o.Dead == nil || p.phase != ready || len(p.core.Dead(1)) == 0 {
		return
	}
	p.burial = true
	p.m.working.Go(p.undertake)
}

// buryPause is how long dead letters that cannot be written now wait.
const buryPause = time.Second

// undertake writes dead letters until there are none left.
func (p *Part) undertake() {
	for {
		d, ok := p.dying()
		if !ok {
			return
		}
		if p.settled(d.life) != nil {
			continue // dying tells whether there is a state still
		}
		err := p.m.o.Dead(p.m.ctx, &d)
		switch {
		case p.m.ctx.Err() != nil:
			continue // dying ends it
		case err != nil && passing(err):
			p.m.o.Logger.Debug("dead letters wait, and are tried again", "group", p.Key.Group, "partition", p.Key.Partition, "offset", d.Range.First, "err", err)
			select {
			case <-time.After(buryPause):
			case <-p.m.ctx.Done():
			}
			continue
		case err != nil:
			p.m.o.Logger.Warn("records of a share group were given up without dead letters", "group", p.Key.Group,
				"topic_id", p.Key.TopicID.String(), "partition", p.Key.Partition, "first", d.Range.First, "last", d.Range.Last, "err", err)
		}
		p.buried(d.Range)
	}
}

// buryAtOnce is how many messages of a queue are buried together: their letters
// are one transaction, and are in memory until it ends.
const buryAtOnce = 64

// dying gives the next range; without one the burial is over.
func (p *Part) dying() (d Dying, ok bool) {
	p.mu.Lock()
	defer p.unlock()
	if p.phase == ready {
		_, _ = p.serve() // whoever does not lead any more throws the state away
	}
	if p.phase == ready && p.m.ctx.Err() == nil {
		if dead := p.core.Dead(1); len(dead) > 0 {
			r := dead[0]
			if p.set.Queue {
				r.Last = min(r.Last, r.First+buryAtOnce-1)
			}
			epoch := p.epoch
			return Dying{Key: p.Key, Log: p.log, Range: r, Settings: p.set, Leads: func() error { return p.leads(epoch) }, life: p.life}, true
		}
	}
	p.burial = false
	return d, false
}

// settled returns when all that is known now is stored, an error when the state is
// not the one of that life any more. A record whose giving up is not stored may come
// back after a crash: it must not have a letter.
func (p *Part) settled(life uint64) error {
	stored := make(chan error, 1)
	p.mu.Lock()
	if p.phase == ready && p.life == life {
		p.asked = append(p.asked, func(err error) { stored <- err })
	} else {
		stored <- wire.NotLeaderOrFollower
	}
	p.unlock()
	return <-stored
}

// leads is Dying.Leads.
func (p *Part) leads(epoch int32) error {
	_, err := p.ask(store.Read{Key: p.Key, LeaderEpoch: epoch, OrNone: true})
	if wire.CodeOf(err) == wire.FencedLeaderEpoch {
		return wire.Errorf(wire.NotLeaderOrFollower, "%w", err)
	}
	return err
}

// buried tells that the dead letters of a range are written, and returns when
// that is stored, or never will be: who writes the next must know that these are
// not asked for again.
func (p *Part) buried(r share.Range) {
	stored := make(chan struct{})
	p.mu.Lock()
	if p.phase == ready {
		p.core.Moved(r.First, r.Last)
		p.wake = true
		p.asked = append(p.asked, func(error) { close(stored) })
	} else {
		close(stored)
	}
	p.unlock()
	<-stored
}
