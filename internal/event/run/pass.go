package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"ottla/internal/event/run/course"
)

// pass is the cursor of all targets that are not elsewhere.
type pass struct {
	walk
	ctx    context.Context // of all that runs beside it
	state  course.State
	notes  []course.Note // to be written with the next turn
	taken  course.Taken  // what is to be done when they are
	after  bool          // taken is to be carried out
	stored int64         // the cursor that was written last
}

// load keeps others out, and reads what is known. Definitions are brought up to date
// after that: what the one before took up is known here.
func (p *pass) load() error {
	records, err := p.open(p.ctx)
	if err != nil {
		return err
	}
	if p.state, err = course.Read(records); err != nil {
		return fmt.Errorf("read %s: %w", StateTopic, err)
	}
	within, cancel := context.WithTimeout(p.ctx, loadTimeout)
	defer cancel()
	if err := p.r.s.current(within); err != nil {
		return err
	}
	if src := p.r.s.published(p.r.seat.Source); src != nil { // it may not have been given to the runner yet
		p.r.publish(src)
	}
	end, err := p.end(within)
	if err != nil {
		return err
	}
	if m := p.state.Main; m != nil && m.At > end && p.sameTopic(m.Topic) {
		p.r.s.o.Logger.Error("the log of a bus has lost its end, and what comes instead is new", "source", p.r.src.Load().Ref.String(),
			"topic", p.r.topic, "partition", p.r.seat.Partition, "read_to", m.At, "end", end)
		m.At = end
	}
	p.src = nil
	p.takeUp(end)
	p.stored = p.state.Main.At
	p.r.passAt.Store(p.stored)
	return p.openFeed(p.ctx, p.r.topic, p.stored)
}

// sameTopic tells whether the topic is the one that a cursor is of.
func (p *pass) sameTopic(id string) bool {
	topic, _ := p.r.s.o.Topic(p.r.topic)
	return id == topic.ID || id == "" || topic.ID == ""
}

// end tells where the source's log ends.
func (p *pass) end(ctx context.Context) (int64, error) {
	if p.feed != nil {
		return p.feed.log.End(ctx)
	}
	if err := p.openFeed(ctx, p.r.topic, 0); err != nil {
		return 0, err
	}
	end, err := p.feed.log.End(ctx)
	p.feed.close()
	p.feed = nil
	return end, err
}

// takeUp takes the source up as it is now, at the pass's cursor.
func (p *pass) takeUp(end int64) {
	src := p.r.src.Load()
	if p.src == src {
		return
	}
	p.src = src
	if p.state.Main != nil && p.feed != nil {
		p.state.Main.At, p.state.Main.TimeMs = p.at, p.timeMs
	}
	topic, _ := p.r.s.o.Topic(p.r.topic)
	p.taken = p.state.Take(p.r.seat, src, topic.ID, p.r.ill, p.r.s.nowMs(), end)
	p.table, p.notes, p.after = p.taken.Table, append(p.notes, p.taken.Notes...), true
}

// walkOn takes turns until something fails.
func (p *pass) walkOn() error {
	for {
		p.takeUp(p.at)
		if err := p.rejoin(); err != nil {
			return err
		}
		p.revive()
		switch {
		case len(p.notes) > 0 || p.waiting(endless):
			if err := p.turn(); err != nil {
				return err
			}
			continue
		case p.after:
			if err := p.carryOut(); err != nil {
				return err
			}
		}
		p.settled()
		var quiet <-chan time.Time
		if p.at > p.stored && p.ending == nil {
			quiet = time.After(quietFor)
		}
		select {
		case <-p.ctx.Done():
			return p.ctx.Err()
		case <-quiet:
			if err := p.put(&turn{from: p.at, next: p.at}, p.timeMs); err != nil {
				return err
			}
		case <-p.r.bell:
		case c := <-p.feed.chunks:
			if err := p.add(c); err != nil {
				return err
			}
		case err := <-p.ending:
			p.ending = nil
			if err := committed(err); err != nil {
				return err
			}
			p.done()
		}
	}
}

const (
	// lazyOffsets is how far the cursor may move without being written, past events
	// that nobody wanted.
	lazyOffsets = 50_000
	// quietFor is after how long without events it is written in any case: others tell
	// by it how far the runner is behind.
	quietFor = time.Second
)

// turn decides for the events that were read, and writes what they come to.
func (p *pass) turn() error {
	if err := p.gather(); err != nil {
		return err
	}
	records, next := p.take(endless, p.r.most())
	t := p.decide(records, next)
	if len(t.outputs)+len(t.sends)+len(t.failed)+len(p.notes)+len(t.drops) == 0 && t.next-p.stored < lazyOffsets {
		p.took(t.next)
		if p.ending == nil {
			p.done()
		}
		return nil
	}
	timeMs := p.state.Main.TimeMs
	if n := t.events; n > 0 {
		timeMs = records[n-1].Timestamp.UnixMilli()
	}
	return p.put(t, timeMs)
}

// put writes a turn and where the cursor is after it.
func (p *pass) put(t *turn, timeMs int64) error {
	main := *p.state.Main
	main.At, main.TimeMs = t.next, timeMs
	if err := p.write(p.ctx, t, append(p.notes, course.Note{Key: p.key, Value: main})); err != nil {
		return err
	}
	p.done() // what was begun before is committed
	p.notes, p.stored = nil, t.next
	*p.state.Main = main
	p.took(t.next)
	p.r.counted(t)
	p.r.failures = 0
	if !p.after {
		return nil
	}
	return p.carryOut()
}

// most is how many events a turn of the pass takes: half as many after each failure in a
// row. A turn may be too much for what is slow, and would be for ever.
func (r *runner) most() int { return max(1, mostEvents>>min(r.failures, 30)) }

// done tells how far the pass is, after a commit.
func (p *pass) done() {
	if p.r.passAt.Swap(p.at) != p.at {
		p.r.wakeAll()
	}
}

// carryOut does what follows from what was taken up, once that is committed: branches
// and replays begin and end.
func (p *pass) carryOut() error {
	if err := p.finish(); err != nil {
		return err
	}
	p.after = false
	clear(p.r.ill)
	p.done()
	for _, n := range slices.Concat(p.taken.Hold, p.taken.End) {
		p.r.end(n)
	}
	for _, n := range p.taken.Run {
		p.r.begin(p.ctx, n, p.state.Branches[n])
	}
	p.r.beginReplays(p.ctx)
	p.r.forget(p.src)
	return nil
}

// rejoinWithin is how long the pass waits for a branch to come to its cursor.
const rejoinWithin = time.Second

// rejoin takes branches back that have come to where the pass is.
func (p *pass) rejoin() error {
	p.r.mu.Lock()
	joins := p.r.joins
	if len(joins) > 0 {
		p.r.joins = map[course.Name]*branch{}
	}
	p.r.mu.Unlock()
	if len(joins) == 0 {
		return nil
	}
	if err := p.finish(); err != nil {
		return err
	}
	p.done()
	for _, n := range slices.SortedFunc(maps.Keys(joins), compareNames) {
		b := joins[n]
		if _, there := p.state.Branches[n]; !there {
			continue
		}
		if !b.halt(p.at, rejoinWithin) {
			p.r.late(b)
			continue
		}
		p.notes = append(p.notes, p.state.Rejoin(p.r.seat, n))
		for i, r := range p.src.Rules {
			for k, g := range r.Targets {
				if g.Key == n.Target && i < len(p.table) {
					p.table[i][k] = p.state.Rules[r.Ref.Key()].Targets[g.ID]
				}
			}
		}
		p.r.s.o.Logger.Info("a target is back in the pass of its bus", "target", n.Target, "topic", p.r.topic, "partition", p.r.seat.Partition, "offset", p.at)
	}
	return nil
}

// revive begins branches again that ended because their rules were paused, where these
// went on before the pass had heard of it.
func (p *pass) revive() {
	p.r.mu.Lock()
	stopped := p.r.stopped
	p.r.stopped = nil
	p.r.mu.Unlock()
	if p.after {
		return // what was taken up is carried out first, and says what runs
	}
	for _, n := range stopped {
		b, there := p.state.Branches[n]
		if _, rule, _ := only(p.src, n.Target); there && n.Replay == "" && rule != nil && !rule.Paused {
			p.r.begin(p.ctx, n, b)
		}
	}
}
