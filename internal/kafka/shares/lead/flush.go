package lead

import (
	"context"

	"ottla/internal/share/store"
)

// nextWrite begins to store what changed, when no write is on its way; it gives
// what is to be called without mu. Those who wait and need no write are told.
func (p *Part) nextWrite() func() {
	if p.phase != ready || p.store {
		return nil
	}
	w, ok := p.core.Changes()
	asked := p.asked
	p.asked = nil
	if !ok {
		if len(asked) == 0 {
			return nil
		}
		return func() { tell(asked, nil) }
	}
	p.store, p.flying = true, asked
	shift := p.m.o.Wall().UnixMilli() - p.nowMs()
	for i := range w.Changed {
		r := &w.Changed[i]
		if r.NotBeforeMs != 0 {
			r.NotBeforeMs += shift
		}
		if r.UntilMs != 0 {
			r.UntilMs += shift
		}
	}
	put := store.Put{Key: p.Key, StateEpoch: p.state, LeaderEpoch: p.epoch, Start: w.Start, Done: w.Done, Rows: w.Changed}
	life := p.life
	return func() { p.send(put, life) }
}

// send gives a write to the store.
func (p *Part) send(put store.Put, life uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), p.m.o.Patience)
	p.m.working.Add(1)
	p.m.o.Store.Go(ctx, p.Key.String(), put, func(_ any, err error) {
		cancel()
		p.m.working.Go(func() { p.stored(life, err) })
		p.m.working.Done()
	})
}

// stored takes the end of a write.
func (p *Part) stored(life uint64, err error) {
	p.mu.Lock()
	if p.life != life {
		p.unlock()
		return // whoever waited has been told
	}
	flying := p.flying
	p.flying, p.store = nil, false
	if err != nil {
		p.m.o.Logger.Warn("a share-partition could not be stored and is loaded again", "group", p.Key.Group,
			"topic_id", p.Key.TopicID.String(), "partition", p.Key.Partition, "err", err)
		p.discard(err)
	} else if p.core.Stored() {
		p.wake = true // keys go on
	}
	p.unlock()
	tell(flying, err)
}

func tell(all []func(error), err error) {
	for _, done := range all {
		done(err)
	}
}
