package lead

import (
	"context"
	"time"

	"ottla/internal/partition"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// retryLoadMs is how long a load that failed waits for its next try.
const retryLoadMs = 100

func wait(ms int64) time.Duration { return time.Duration(max(ms, 1)) * time.Millisecond }

// begin starts a load. mu held.
func (p *Part) begin() {
	p.life++
	p.phase, p.err = loading, nil
	life := p.life
	p.m.working.Go(func() { p.load(life) })
}

// loaded is what a load brings.
type loaded struct {
	log    *partition.Partition
	epoch  int32
	state  int32
	set    Settings
	core   *share.Partition
	window *share.Window
}

// load reads the state and makes the part ready.
func (p *Part) load(life uint64) {
	l, err := p.fetch()
	p.mu.Lock()
	defer p.unlock()
	if p.life != life || p.phase != loading {
		return
	}
	p.wake = true
	if err != nil {
		p.m.o.Wheel.Cancel(&p.timer)
		p.phase, p.err, p.armed = failed, err, 0
		if !passing(err) {
			p.m.o.Logger.Warn("a share-partition cannot be loaded; it is tried again", "group", p.Key.Group,
				"topic_id", p.Key.TopicID.String(), "partition", p.Key.Partition, "err", err)
		}
		return
	}
	p.phase, p.log, p.epoch, p.state, p.set, p.core = ready, l.log, l.epoch, l.state, l.set, l.core
	p.window, p.seen, p.repeats = l.window, l.core.End(), map[int64]struct{}{}
	p.bury()
}

// fetch asks the store for the state, and finds the start where there is none.
func (p *Part) fetch() (l loaded, err error) {
	log, code := p.m.o.Partitions.ByID(p.Key.TopicID, p.Key.Partition)
	if code != wire.None {
		return l, code
	}
	l.log, l.epoch, l.set = log, log.Offsets().LeaderEpoch, p.m.o.Settings(p.Key.Group)
	body, err := p.ask(store.Read{Key: p.Key, LeaderEpoch: l.epoch, OrNone: true})
	if err != nil {
		return l, err
	}
	st, ok := body.(store.State)
	if !ok {
		return l, wire.Errorf(wire.UnknownServerError, "the share coordinator answered %T with %T", store.Read{}, body)
	}
	l.state = st.StateEpoch
	if st.Start < 0 {
		if st.Start, err = p.first(log, l.set); err != nil {
			return l, err
		}
		if _, err := p.ask(store.Initialize{Key: p.Key, StateEpoch: st.StateEpoch, Start: st.Start, LeaderEpoch: l.epoch}); err != nil {
			return l, err
		}
	}
	shift := p.m.o.Wall().UnixMilli() - p.m.nowMs(&l.set)
	for i := range st.Rows {
		r := &st.Rows[i]
		if r.NotBeforeMs != 0 {
			r.NotBeforeMs = max(1, r.NotBeforeMs-shift)
		}
		if r.UntilMs != 0 {
			r.UntilMs = max(1, r.UntilMs-shift)
		}
	}
	l.core = share.Load(l.set.Settings, st.Start, st.Rows)
	return l, l.remember(p.m.o.Wall().UnixMilli())
}

// first is where a share-partition begins that nobody has read.
func (p *Part) first(log *partition.Partition, set Settings) (int64, error) {
	at, err := log.ListOffset(set.Reset.timestamp(p.m.o.Wall().UnixMilli()), partition.ReadUncommitted, -1)
	if err != nil {
		return -1, err
	}
	if at.Offset < 0 { // no record is as young as that
		return log.Offsets().HighWatermark, nil
	}
	return at.Offset, nil
}

// ask gives the store a command and waits.
func (p *Part) ask(cmd any) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.m.o.Patience)
	defer cancel()
	type said struct {
		body any
		err  error
	}
	c := make(chan said, 1)
	p.m.o.Store.Go(ctx, p.Key.String(), cmd, func(body any, err error) { c <- said{body, err} })
	s := <-c
	return s.body, s.err
}
