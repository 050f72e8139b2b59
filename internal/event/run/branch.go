package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

func compareNames(a, b course.Name) int {
	if c := strings.Compare(a.Replay, b.Replay); c != 0 {
		return c
	}
	return strings.Compare(a.Target, b.Target)
}

// branch is a target with a cursor of its own, until it has reached the pass, or the
// end of the replay that it is of.
type branch struct {
	r      *runner
	n      course.Name
	bell   chan struct{}
	poke   chan struct{} // try at once, however long the pause is
	cancel context.CancelFunc
	over   chan struct{} // closed when it has ended
	haltAt atomic.Int64  // it is to end at this offset; -1: go on
	halted atomic.Bool   // it has ended there

	state    course.Branch
	doomed   map[int64]dead
	overdue  *overdue
	came     marks         // while it fails
	careful  bool          // one event at a time
	failures int           // in a row, that are nobody's fault but ours
	frontMs  int64         // the time of the event that was tried alone
	told     chan struct{} // closed after an attempt; guarded by runner.mu
}

// begin starts a branch, unless it walks.
func (r *runner) begin(ctx context.Context, n course.Name, at course.Branch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.walking[n] != nil || ctx.Err() != nil {
		return
	}
	b := &branch{r: r, n: n, state: at, bell: make(chan struct{}, 1), poke: make(chan struct{}, 1), over: make(chan struct{}), doomed: map[int64]dead{}, told: make(chan struct{})}
	b.haltAt.Store(-1)
	ctx, b.cancel = context.WithCancel(ctx)
	r.walking[n] = b
	r.helpers.Go(func() {
		b.run(ctx)
		b.cancel()
		r.mu.Lock()
		if r.walking[n] == b {
			delete(r.walking, n)
		}
		if r.joins[n] == b { // it may have told twice: the pass must not take it for one that walks
			delete(r.joins, n)
		}
		if !b.halted.Load() {
			r.stopped = append(r.stopped, n)
		}
		close(b.over)
		r.mu.Unlock()
		r.ring()
	})
}

// end stops a branch and waits for it.
func (r *runner) end(n course.Name) {
	r.mu.Lock()
	b := r.walking[n]
	delete(r.joins, n)
	r.mu.Unlock()
	if b != nil {
		b.cancel()
		<-b.over
	}
}

// halt has a branch end at an offset; false when it does not come there in time. It must
// not have ended before: where it did is not this offset.
func (b *branch) halt(at int64, within time.Duration) bool {
	b.haltAt.Store(at)
	ring(b.bell)
	select {
	case <-b.over:
	case <-time.After(within):
		if b.haltAt.CompareAndSwap(at, -1) {
			ring(b.bell)
			return false
		}
		<-b.over // it has just taken it up
	}
	return b.halted.Load()
}

// run walks until the branch has come to its end: what it loses it loads again.
func (b *branch) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := b.ready()
		if err == nil {
			if !b.r.takeTurn(ctx) {
				return
			}
			err = b.live(ctx)
			<-b.r.turns
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		if errors.Is(err, errStays) {
			b.stayOut(ctx)
			continue
		}
		wait := b.judge(err)
		select {
		case <-ctx.Done():
		case <-b.poke:
		case <-time.After(wait):
		}
	}
}

// source is what the branch goes by; nil where its replay is gone.
func (b *branch) source() *plan.Source {
	src := b.r.src.Load()
	if b.n.Replay == "" {
		return src
	}
	p := replayOf(src, b.n.Replay)
	if p == nil {
		return nil
	}
	return sourceOf(src, p)
}

// target is the branch's, nil where it is gone.
func (b *branch) target() *plan.Target {
	src := b.source()
	if src == nil {
		return nil
	}
	_, _, g := only(src, b.n.Target)
	return g
}

// retryOf bounds how often the place of a target is written to. What calls are tried by is
// no bound of that: an address has not been asked yet.
func retryOf(g *plan.Target) plan.Retry {
	if g.To.Kind != plan.Call {
		return g.Retry
	}
	return plan.Retry{Most: -1, MaxAgeMs: g.Retry.MaxAgeMs}
}

// ready tells, without opening anything, why the target can get nothing now; nil where
// that is not known, or where its events may be too old to be tried.
func (b *branch) ready() error {
	g := b.target()
	if g == nil || b.state.SinceMs == 0 || b.r.s.nowMs()-b.state.SinceMs >= course.Patience(retryOf(g)) {
		return nil
	}
	if err := b.r.s.reach(b.r.ctx, g); err != nil && !final(err) && !b.r.s.gone(b.r.ctx, g, err) {
		return &failedError{map[string]failure{b.n.Target: {err: err, offset: -1}}}
	}
	return nil
}

// reach tells why a target's place takes nothing, as far as that is known.
func (s *Service) reach(ctx context.Context, g *plan.Target) error {
	topic := g.To.Topic
	switch g.To.Kind {
	case plan.Queue:
		_, err := s.o.Queues.Records(ctx, refOf(g.To.Ref), nil)
		return err
	case plan.Call:
		topic = s.o.Parcels
	case plan.Bus, plan.SNS:
		var ok bool
		if topic, ok = s.o.TopicOf(g.To.Ref); !ok {
			return fmt.Errorf("%s: %w", g.To.Ref, errNoTopic)
		}
	}
	switch p, ok := s.o.Topic(topic); {
	case !ok:
		return fmt.Errorf("topic %s: %w", topic, errNoTopic)
	case p.Ill != nil:
		return fmt.Errorf("topic %s: %w", topic, p.Ill)
	}
	return nil
}

// judge tells how long to wait after an error. When the target is to blame, that is
// noted, and an event that was tried alone may be given up.
func (b *branch) judge(err error) time.Duration {
	var failed *failedError
	f, blamed := failure{}, false
	if errors.As(err, &failed) {
		f, blamed = failed.of[b.n.Target]
	}
	defer b.tell()
	if !blamed {
		b.failures++
		b.r.s.o.Logger.Warn("a target on its own is loaded again", "target", b.n.Target, "topic", b.r.topic, "partition", b.r.seat.Partition, "err", err)
		return time.Duration(course.Wait(b.failures)) * time.Millisecond
	}
	b.failures = 0
	b.state.Attempts++
	b.state.Why = cut(f.err.Error(), mostReason)
	if b.state.SinceMs == 0 {
		b.state.SinceMs = b.r.s.nowMs()
	}
	if len(b.came) == 0 { // what is there waits since then, as far as its own time allows
		b.came = b.came.add(b.state.SinceMs, b.behind())
	}
	b.came = b.came.add(b.r.s.nowMs(), b.behind())
	b.r.failing(b.n, &b.state)
	if !b.careful {
		b.careful = true
		return 0 // which event it is shows when they come one by one
	}
	retry := plan.Retry{Most: -1}
	if g := b.target(); g != nil {
		retry = retryOf(g)
	}
	v := course.Judge(b.state, retry, f.final, max(b.frontMs, b.came.since(f.offset)), b.r.s.nowMs())
	if !v.GiveUp {
		return time.Duration(v.WaitMs) * time.Millisecond
	}
	if _, before := b.doomed[f.offset]; before { // its dead letter cannot be written now
		return time.Duration(course.Wait(b.state.Attempts)) * time.Millisecond
	}
	d := dead{code: codeOf(f.err), why: b.state.Why, retries: b.state.Attempts - 1, exhausted: v.Exhausted}
	if retry.Most >= 0 {
		d.retries = min(d.retries, retry.Most) // see course.Judge
	}
	if b.doomed[f.offset] = d; v.Exhausted != "" {
		b.overdue = &overdue{v.UntilMs, b.came.there(v.UntilMs), d}
	}
	return 0
}

// behind is an offset below which all events are there by now.
func (b *branch) behind() int64 {
	if b.n.Replay != "" {
		return b.state.Until
	}
	return b.r.passAt.Load()
}

// live loads the branch's cursor, and walks until it is at its end or something fails.
func (b *branch) live(ctx context.Context) error {
	sum := sha256.Sum256([]byte(b.n.Replay + "\x00" + b.n.Target))
	w := &walk{
		r: b.r, txn: "ottla-bus-" + strings.ReplaceAll(b.r.seat.Key(), "/", "-") + "-branch-" + hex.EncodeToString(sum[:10]),
		key: b.r.seat.BranchKey(b.n), patience: branchPatience, wary: true, doomed: b.doomed, overdue: b.overdue,
	}
	defer w.close()
	records, err := w.open(ctx)
	if err != nil {
		return err
	}
	raw, there := records[strings.TrimPrefix(w.key, b.r.seat.Key()+"/")]
	if !there {
		return nil
	}
	var stored course.Branch
	if err := json.Unmarshal(raw, &stored); err != nil {
		return err
	}
	if b.state.Attempts == 0 || b.state.At != stored.At {
		b.state = stored
	}
	b.careful = b.careful || b.state.Attempts > 0
	topic, ok := b.reads()
	if !ok {
		return nil
	}
	if p := replayOf(b.r.src.Load(), b.n.Replay); p != nil {
		w.name, w.id, w.fromMs, w.toMs = p.Ref.Name, p.ID, p.FromMs, p.ToMs
	}
	if err := w.openFeed(ctx, topic, stored.At); err != nil {
		return err
	}
	end, err := w.feed.log.End(ctx)
	if err != nil {
		return err
	}
	if stored.At > end { // the log lost its end
		w.feed.close()
		if err := w.openFeed(ctx, topic, end); err != nil {
			return err
		}
	}
	if b.n.Replay == "" {
		return b.follow(ctx, w)
	}
	return b.finishReplay(ctx, w)
}

// branchPatience is how long a topic may take whose target is on its own.
const branchPatience = 5 * time.Second

// reads is the topic that a branch reads; false when its replay is gone.
func (b *branch) reads() (topic string, ok bool) {
	if b.n.Replay == "" {
		return b.r.topic, true
	}
	p := replayOf(b.r.src.Load(), b.n.Replay)
	if p == nil {
		return "", false
	}
	return p.Topic, true
}

// follow walks behind the pass until that takes the target back.
func (b *branch) follow(ctx context.Context, w *walk) error {
	for {
		limit := b.r.passAt.Load()
		if at := b.haltAt.Load(); at >= 0 && w.at == at && b.haltAt.CompareAndSwap(at, -2) {
			b.halted.Store(true) // each turn was committed
			return nil
		}
		if w.waiting(limit) {
			if gone, err := b.turn(ctx, w, limit); gone || err != nil {
				return err
			}
			continue
		}
		var later <-chan time.Time
		if w.at >= limit && b.haltAt.Load() == -1 {
			b.tell() // there is nothing more to do now
			// After a crash a branch may be ahead of the pass, whose cursor is not
			// written where nothing in it was wanted.
			if left := b.stay(); left > 0 {
				if b.r.queued.Load() > 0 {
					return errStays
				}
				later = time.After(left)
			} else if w.at == limit {
				b.r.mu.Lock()
				b.r.joins[b.n] = b
				b.r.mu.Unlock()
				b.r.ring()
			}
		}
		select {
		case <-later:
		case <-ctx.Done():
			return ctx.Err()
		case <-b.bell:
		case <-b.poke: // who settles hears that there is nothing to try
		case c := <-w.more():
			if err := w.add(c); err != nil {
				return err
			}
		}
	}
}

// wait waits for something to read, or a bell.
func (w *walk) wait(ctx context.Context, bell <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-bell:
		return nil
	case c := <-w.more():
		return w.add(c)
	}
}

// finishReplay walks to the end of a replay.
func (b *branch) finishReplay(ctx context.Context, w *walk) error {
	for w.at < b.state.Until {
		if !w.waiting(b.state.Until) {
			if err := w.wait(ctx, b.bell); err != nil {
				return err
			}
			continue
		}
		if gone, err := b.turn(ctx, w, b.state.Until); gone || err != nil {
			return err
		}
	}
	return w.finish()
}

// turn gives the target some events. gone: there is no such target any more.
func (b *branch) turn(ctx context.Context, w *walk, limit int64) (gone bool, err error) {
	src := b.source()
	if src == nil {
		return true, nil
	}
	if w.src != src {
		table, rule, target := only(src, b.n.Target)
		if target == nil || rule.Paused && b.n.Replay == "" {
			return true, nil
		}
		w.src, w.table = src, table
	}
	records, next := w.take(limit, mostEvents)
	w.single, w.overdue = b.careful, b.overdue
	t := w.decide(records, next)
	b.frontMs = t.atMs
	now := course.Branch{At: t.next, Until: b.state.Until, SinceMs: b.state.SinceMs}
	if t.gives() {
		now.SinceMs = 0 // where this is written it was taken
	}
	// At the end of a replay the record stays: without it the replay, which may be
	// behind, would take the target for one of its own.
	if err := w.write(ctx, t, []course.Note{{Key: w.key, Value: now}}); err != nil {
		return false, err
	}
	if err := w.finish(); err != nil {
		return false, err
	}
	w.took(t.next)
	b.r.counted(t)
	clear(b.doomed)
	b.overdue, b.state, b.failures = nil, now, 0
	if t.gives() {
		b.careful, b.came = false, nil // it was taken
	}
	return false, nil
}
