package lead

import (
	"context"
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
	State    int32 // the state's epoch: where offsets were reset, records are given up anew
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
	if p.burial || p.m.o.Dead == nil || p.phase != ready {
		return
	}
	if _, ok := p.nextDead(); !ok {
		return
	}
	p.burial, p.over = true, make(chan struct{})
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
			p.mu.Lock()
			p.pause()
			p.mu.Unlock()
			select {
			case <-time.After(buryPause):
			case <-p.m.ctx.Done():
			}
			continue
		case d.Settings.Queue && refusal(err):
			p.refuse(&d, err)
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
		if r, ok := p.nextDead(); ok {
			epoch := p.epoch
			return Dying{Key: p.Key, Log: p.log, Range: r, Settings: p.set, State: p.state, Leads: func() error { return p.leads(epoch) }, life: p.life}, true
		}
	}
	p.burial = false
	p.pause()
	return d, false
}

// pause tells that no letter is written for now. mu held.
func (p *Part) pause() {
	if p.over != nil {
		close(p.over)
		p.over = nil
	}
}

// calm returns when all that is known now is stored, and no letter is written. What is
// loaded again instead has nothing that waits.
func (p *Part) calm(ctx context.Context) error {
	stored := make(chan struct{})
	p.mu.Lock()
	over := p.over
	if p.phase == ready {
		p.asked = append(p.asked, func(error) { close(stored) })
	} else {
		close(stored)
	}
	p.unlock()
	for _, end := range []<-chan struct{}{stored, over} {
		if end == nil {
			continue
		}
		select {
		case <-end:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// refused are messages of a queue whose dead letters their topic does not take: a
// letter is too large for it, or not of its form. They stay, given up, and do not hold
// up the others.
type refused struct {
	offsets map[int64]struct{}
	retryMs int64 // when all of them are tried again; 0 without any
	single  int64 // what lies below is buried one by one: together it was refused
}

const (
	// refusedMs is how long it takes until letters that were refused are tried again:
	// somebody may have let their topic take more.
	refusedMs = 60_000
	// mostRefused bounds how many are passed over; with so many, all wait.
	mostRefused = 1000
)

// refusal tells of an error of letters that their topic does not take.
func refusal(err error) bool {
	switch wire.CodeOf(err) {
	case wire.MessageTooLarge, wire.RecordListTooLarge, wire.InvalidRecord:
		return true
	}
	return false
}

// nextDead is the lowest range that waits for dead letters, of a queue at most so many
// as are buried at once, without those that were refused. mu held.
func (p *Part) nextDead() (share.Range, bool) {
	f := &p.refused
	if f.retryMs != 0 && p.nowMs() >= f.retryMs {
		f.offsets, f.retryMs = nil, 0
	}
	if len(f.offsets) >= mostRefused {
		return share.Range{}, false
	}
	for _, r := range p.core.Dead(1 + len(f.offsets)) {
		for f.has(r.First) && r.First <= r.Last {
			r.First++
		}
		if r.First > r.Last {
			continue
		}
		if p.set.Queue {
			r.Last = min(r.Last, r.First+buryAtOnce-1)
		}
		if r.First < f.single {
			r.Last = r.First
		}
		for at := r.First + 1; at <= r.Last && len(f.offsets) > 0; at++ {
			if f.has(at) {
				r.Last = at - 1
			}
		}
		return r, true
	}
	return share.Range{}, false
}

func (f *refused) has(offset int64) bool {
	_, ok := f.offsets[offset]
	return ok
}

// refuse notes that letters were refused: of several each is tried alone, one stays.
func (p *Part) refuse(d *Dying, why error) {
	p.mu.Lock()
	defer p.unlock()
	f := &p.refused
	switch {
	case p.phase != ready || p.life != d.life:
		return
	case d.Range.First < d.Range.Last:
		f.single = d.Range.Last + 1
		return
	case f.offsets == nil:
		f.offsets, f.retryMs = map[int64]struct{}{}, p.nowMs()+refusedMs
		p.m.o.Logger.Warn("a message was given up, and its dead letter is refused: it stays in its queue and is tried again, as are others like it",
			"group", p.Key.Group, "topic_id", p.Key.TopicID.String(), "partition", p.Key.Partition, "offset", d.Range.First, "dead_letters", d.Settings.DeadTopic, "err", why)
	}
	f.offsets[d.Range.First] = struct{}{}
	f.single = max(f.single, d.Range.First+1)
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
