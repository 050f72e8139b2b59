package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

const (
	// restPause is how long a runner rests that lost its place or its topics.
	restPause = 250 * time.Millisecond
	// mostFailures in a row are told to those who wait.
	mostFailures = 3
	// mostBranches bounds the branches of a runner that walk at the same time: each has
	// clients of its own. Others wait for their turn.
	mostBranches = 64
)

// runner has one partition of a source: its pass, and the branches and replays beside
// it. What is below mu is for anybody; the rest belongs to the goroutine of run.
type runner struct {
	s              *Service
	seat           course.Seat
	topic          string
	statePartition int32
	ctx            context.Context
	stop           context.CancelFunc
	bell           chan struct{}
	src            atomic.Pointer[plan.Source]
	gone           atomic.Bool  // its source is no more
	passAt         atomic.Int64 // everything below is decided, and committed

	mu      sync.Mutex
	joins   map[course.Name]*branch // that have reached the pass, and walk
	asking  []ask                   // who waits until all is done
	walking map[course.Name]*branch
	again   []*replay     // replays that walk
	stopped []course.Name // branches that have ended by themselves
	stands  stands        // what is told of the runner

	ill      map[string]string // targets that failed in the pass, with why
	left     map[string]leaving
	turns    chan struct{} // a token for each branch that walks
	helpers  sync.WaitGroup
	failures int
}

func newRunner(s *Service, seat course.Seat, src *plan.Source, statePartition int32) *runner {
	r := &runner{s: s, seat: seat, topic: src.Topic, statePartition: statePartition, bell: make(chan struct{}, 1),
		joins: map[course.Name]*branch{}, walking: map[course.Name]*branch{}, ill: map[string]string{},
		left: map[string]leaving{}, turns: make(chan struct{}, mostBranches)}
	r.src.Store(src)
	r.ctx, r.stop = context.WithCancel(s.ctx)
	return r
}

// publish gives the runner the source as it is now. One that was published before what
// it has is of no use: what that lacks would be forgotten.
func (r *runner) publish(src *plan.Source) {
	for {
		was := r.src.Load()
		if was == src || was.Version > src.Version {
			return
		}
		if r.src.CompareAndSwap(was, src) {
			r.ring()
			r.wakeAll()
			return
		}
	}
}

func (r *runner) ring() { ring(r.bell) }

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// wakeAll has all who walk beside the pass look at what is new.
func (r *runner) wakeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.walking {
		ring(b.bell)
	}
	for _, p := range r.again {
		ring(p.bell)
	}
}

// run lives until the runner is stopped: what it loses it loads again.
func (r *runner) run() {
	defer r.stop()
	for r.ctx.Err() == nil {
		err := r.live()
		if r.ctx.Err() != nil {
			break
		}
		var blamed *failedError
		if errors.As(err, &blamed) && r.blame(blamed) {
			continue
		}
		if r.failures++; r.failures >= mostFailures {
			r.answer(err)
		}
		r.s.o.Logger.Warn("the pass of a bus is loaded again", "source", r.src.Load().Ref.String(), "topic", r.topic, "partition", r.seat.Partition, "err", err)
		r.told(err)
		r.rest(restPause)
	}
	r.answer(errStopped)
	if r.gone.Load() {
		if err := r.erase(); err != nil {
			r.s.o.Logger.Warn("what was known of a bus that is no more is still there", "topic", StateTopic, "key", r.seat.Key(), "err", err)
		}
	}
}

// eraseWithin is how long it is tried to forget a source.
const eraseWithin = 10 * time.Second

// erase takes back all that is known of a source that is no more.
func (r *runner) erase() error {
	ctx, cancel := context.WithTimeout(r.s.ctx, eraseWithin)
	defer cancel()
	w := &walk{r: r, txn: r.txn(), key: r.seat.Key(), patience: eraseWithin, alone: true}
	defer w.close()
	records, err := w.open(ctx)
	if err != nil {
		return err
	}
	var notes []course.Note
	for rest := range records {
		notes = append(notes, course.Note{Key: strings.TrimSuffix(r.seat.Key()+"/"+rest, "/")})
	}
	if err := w.write(ctx, &turn{}, notes); err != nil {
		return err
	}
	return w.finish()
}

// txn is the transactional id of the pass.
func (r *runner) txn() string { return fmt.Sprintf("ottla-bus-%s-%d", r.seat.Source, r.seat.Partition) }

// leaving is how often a target has left the pass, and when it did last.
type leaving struct {
	times int
	last  time.Time
}

const (
	// calmAfter is after how long a target is taken for well that once left the pass.
	calmAfter = 10 * time.Minute
	// mostStay is how long a target stays out of the pass at most, that can be written
	// to but leaves the pass again and again.
	mostStay = 5 * time.Minute
)

// stay is how long a target stays out: not at all at first, then longer and longer.
func (l leaving) stay() time.Duration {
	if l.times < 2 {
		return 0
	}
	return min(time.Second<<min(l.times-2, 16), mostStay)
}

// blame has targets that failed leave the pass; false when they are too many for it to
// be their fault, and nothing is known to be wrong with them.
func (r *runner) blame(f *failedError) bool {
	slow, mine := 0, 0
	src := r.src.Load()
	for key, x := range f.of {
		if errors.Is(x.err, errSlow) {
			slow++
		}
		if _, _, g := only(src, key); g != nil {
			mine++
		}
	}
	if slow > mostBranches || mine == 0 { // what is the source's own can only be tried again
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, x := range f.of {
		l := r.left[key]
		if time.Since(l.last) > calmAfter {
			l.times = 0
		}
		r.left[key] = leaving{l.times + 1, time.Now()}
		r.ill[key] = x.err.Error()
		r.s.o.Logger.Warn("a target leaves the pass of its bus until it can be written to again", "target", key, "topic", r.topic,
			"partition", r.seat.Partition, "offset", x.offset, "err", x.err)
	}
	return true
}

// rest pauses, unless the runner is stopped.
func (r *runner) rest(d time.Duration) {
	select {
	case <-r.ctx.Done():
	case <-time.After(d):
	}
}

// live loads what there is, and walks until something fails.
func (r *runner) live() error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer r.helpers.Wait()
	defer cancel()
	p := &pass{walk: walk{
		r: r, txn: r.txn(), key: r.seat.Key(), patience: r.s.o.Patience, alone: true,
	}, ctx: ctx}
	defer p.close()
	if err := p.load(); err != nil {
		return err
	}
	return p.walkOn()
}

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
	records, next := p.take(endless, mostEvents)
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
		if _, there := p.state.Branches[n]; !there || !b.halt(p.at, rejoinWithin) {
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
