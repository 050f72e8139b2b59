package coordinator

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"ottla/internal/record"
)

// phase is where a shard stands.
type phase int32

const (
	idle    phase = iota // this node does not lead the partition
	loading              // the machine is being brought to what the log says
	active
	failed // the log could not be read; it is tried again
)

// core is a shard without its goroutine, its lock and its clock: whoever owns
// it calls lead, resign, turn and committedTo, and passes the time in.
type core struct {
	coreOptions
	partition int32
	machine   Machine

	phase phase
	tail  Tail            // nil when idle
	ctx   context.Context // ends with the leadership
	// life rises whenever the machine is reset: what was begun before (a sync,
	// a piece of work) does not count any more. Its context ends then.
	life    uint64
	lifeCtx context.Context
	endLife context.CancelFunc
	// underWay counts the work that others do (Work.Begin), of any life. A new
	// one begins when nothing of an older one can do anything any more.
	underWay int

	// committed <= written <= accepted, as offsets of the log. What is accepted
	// is applied; the builder holds what is accepted and not written.
	accepted, written, committed int64
	builder                      *record.Builder
	// hurry: somebody waits for what the builder holds. Otherwise it may wait
	// until lazyBy, which is set while it does.
	hurry  bool
	lazyBy time.Time
	// careful: the log refused a write, so until one succeeds each command's
	// records are written before they are applied, and a refusal costs that
	// command alone.
	careful bool

	snaps   snapshots
	timers  timers
	waiting map[Token]*call // taken up and not answered
	token   Token           // the last one given
	replies replies         // answered, and waiting for commitment

	works    uint64    // results taken; they name those that must come again
	from     int64     // where the replay began: the snapshot has what is below
	loadTo   int64     // loading: the end of the log that is waited for, then read
	again    bool      // a load is to be begun once the clock reaches retry
	retry    time.Time // zero: at once
	attempts int       // loads that failed in a row
}

// coreOptions are what a core needs from around it.
type coreOptions struct {
	topic   string
	logger  *slog.Logger
	metrics *Metrics
	codec   record.Codec
	// wall is the clock that what lasts is dated by; nil is that of the turns.
	wall func() time.Time
	// synced hands a flight that ended to the owner, who calls committed with
	// it. Called from any goroutine, and not from within the core.
	synced func(*flight)
	// work starts something long; its result comes back through turn if the
	// life is still the same.
	work func(life uint64, w Work)
	// worked takes the result of something that Work.Begin began. Called from
	// any goroutine.
	worked func(result)
	// keep writes a snapshot; its end comes back through turn, in whatever life.
	keep          func(life uint64, k Keeper, s *snapshot)
	snapshotEvery int64
	// show tells the phase to those outside.
	show func(phase)
	// trusted tells whether nobody can have taken over yet; nil is always.
	trusted func() bool
}

// call is a command with somebody who waits for its reply. done is called
// exactly once.
type call struct {
	ctx  context.Context
	body any
	done func(any, error)
}

// result is what a piece of work came to.
type result struct {
	life uint64
	body any
}

// ended is the body of a result of work that others did.
type ended struct{ body any }

func newCore(o coreOptions, partition int32, m Machine) *core {
	c := &core{coreOptions: o, partition: partition, machine: m, waiting: map[Token]*call{}}
	c.builder = record.NewBuilder()
	c.builder.Codec = o.codec
	return c
}

// turn takes what has come, in order: timers that are due, results of work,
// calls. Each is stepped with everything before it accepted and applied; all
// they write is one batch, if it fits into one.
func (c *core) turn(now time.Time, results []result, calls []*call) {
	for i := range results {
		if e, ok := results[i].body.(ended); ok {
			results[i].body = e.body
			c.underWay--
		}
	}
	c.tick(now)
	for _, r := range results {
		if k, ok := r.body.(kept); ok {
			c.noteKept(k)
			continue
		}
		if c.phase == active && r.life == c.life {
			c.works++
			c.fire(now, Timer{Key: workKey{c.works}, Body: r.body})
		}
	}
	for _, x := range calls {
		c.take(now, x)
	}
	c.write(now)
	c.release()
	c.snap()
}

// lazyFor is how long records may wait that nobody needs: long enough for the
// next command of a producer that is busy.
const lazyFor = 20 * time.Millisecond

// write writes what was accepted, unless it may wait.
func (c *core) write(now time.Time) {
	if c.phase != active || c.builder.Len() == 0 {
		return
	}
	if !c.hurry {
		if c.lazyBy.IsZero() {
			c.lazyBy = now.Add(lazyFor)
		}
		if now.Before(c.lazyBy) {
			return
		}
	}
	c.flush()
}

// take steps one call, or tells why not.
func (c *core) take(now time.Time, x *call) {
	if err := c.refusal(); err != nil {
		x.done(nil, err)
		return
	}
	if err := x.ctx.Err(); err != nil {
		x.done(nil, timedOut(err))
		return
	}
	c.token++
	t := c.token
	c.waiting[t] = x
	c.metrics.Commands.Inc()
	life := c.life
	if err := c.step(now, Command{Token: t, Body: x.body}); err != nil && c.life == life {
		c.metrics.CommandsFailed.Inc()
		r := Reply{Token: t, Err: err}
		c.doubt(&r)
		c.answer(t, nil, r.Err)
	}
}

// refusal tells why a command cannot be taken at this moment.
func (c *core) refusal() error {
	if len(c.waiting) >= maxWaiting {
		return errCrowded
	}
	return refusalOf(c.phase)
}

// step lets the machine decide one command, and does what it decided. An error
// means that nothing has happened; it is errLost when everything was lost.
func (c *core) step(now time.Time, cmd Command) error {
	cmd.Wall = c.date(now)
	out, err := c.machine.Step(now, cmd)
	if err != nil {
		return err
	}
	return c.carry(now, &out)
}

// date is the time that what becomes durable at now is dated by.
func (c *core) date(now time.Time) time.Time {
	if c.wall == nil {
		return now
	}
	return c.wall()
}

// carry does what a Step decided; an error means that its records were
// refused.
func (c *core) carry(now time.Time, out *Output) error {
	if len(out.Records) > 0 {
		if err := c.accept(c.date(now), out.Records); err != nil {
			return err
		}
		c.hurry = c.hurry || !out.Lazy
	}
	if out.Accepted != nil {
		out.Accepted()
	}
	for _, t := range out.Timers {
		c.timers.put(t)
	}
	for _, w := range out.Work {
		if w.Committed {
			c.push(reply{end: c.accepted, work: &w})
			continue
		}
		c.begin(w)
	}
	for _, r := range out.Replies {
		if len(out.Records) == 0 {
			c.doubt(&r)
		}
		if r.Now {
			c.answerNow(r)
			continue
		}
		c.answer(r.Token, r.Body, r.Err)
	}
	return nil
}

// begin starts a piece of work.
func (c *core) begin(w Work) {
	if w.Begin == nil {
		c.work(c.life, w)
		return
	}
	life := c.life
	c.underWay++
	w.Begin(c.lifeCtx, func(body any) { c.worked(result{life, ended{body}}) })
}

// answerNow gives a reply that waits for nothing.
func (c *core) answerNow(r Reply) {
	if x := c.waiting[r.Token]; x != nil {
		delete(c.waiting, r.Token)
		x.done(r.Body, r.Err)
	}
}

// answer puts a reply in the queue of those that leave when everything
// accepted so far is committed.
func (c *core) answer(t Token, body any, err error) {
	x := c.waiting[t]
	if x == nil {
		return
	}
	delete(c.waiting, t)
	c.push(reply{end: c.accepted, call: x, body: body, err: err})
}

// push puts what waits for commitment in the queue.
func (c *core) push(r reply) {
	c.replies.push(r)
	c.hurry = c.hurry || r.end > c.written
}

// release lets the replies go that need wait no longer, in order, and begins
// the work that waited like them.
func (c *core) release() {
	for {
		r, ok := c.replies.ready(c.committed)
		switch {
		case !ok:
			return
		case r.work != nil:
			c.begin(*r.work)
		default:
			r.call.done(r.body, r.err)
		}
	}
}

// forget resets the machine and tells everyone who waits why, in the order
// they came. What they asked for may be done or not.
func (c *core) forget(why error) {
	c.life++
	if c.endLife != nil {
		c.endLife()
	}
	c.timers.clear()
	c.snaps.drop()
	c.builder.Build(0) // drops what was accepted
	c.hurry, c.lazyBy = false, time.Time{}
	for {
		r, ok := c.replies.pop()
		if !ok {
			break
		}
		if r.call != nil {
			r.call.done(nil, why)
		}
	}
	c.letGo(why)
	c.machine.Reset()
}

// letGo tells why to all whose command was taken up and not answered.
func (c *core) letGo(why error) {
	for _, x := range c.leave() {
		x.done(nil, why)
	}
}

// leave takes out all calls that were taken up and not answered, in the order they
// came.
func (c *core) leave() []*call {
	tokens := make([]Token, 0, len(c.waiting))
	for t := range c.waiting {
		tokens = append(tokens, t)
	}
	slices.Sort(tokens)
	calls := make([]*call, len(tokens))
	for i, t := range tokens {
		calls[i] = c.waiting[t]
	}
	c.waiting = map[Token]*call{}
	return calls
}

// enter changes the phase.
func (c *core) enter(p phase) {
	c.phase = p
	c.show(p)
}

// full tells that so many replies wait for the disk that no command should be
// taken up before some have left.
func (c *core) full() bool { return c.replies.len() >= maxReplies }
