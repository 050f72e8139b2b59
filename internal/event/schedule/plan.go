package schedule

import (
	"errors"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
	"ottla/internal/event/schedule/course"
)

// plan is what a turn decides for one schedule. It can be made again, knowing
// what could not be written.
type plan struct {
	key     string
	def     *known // nil when the schedule is no more
	nowMs   int64
	before  course.State
	results []ended

	// fails are deliveries that are known to fail, by what they are of.
	fails map[output]error

	state   course.State
	changed bool
	outputs []written
	calls   []call
	rest    course.Rest
	more    bool

	runs, failed, skipped int       // for the metrics
	given, held           []givenUp // for the log
}

// output names a record that a plan writes: the run of a slot, or its dead
// letter.
type output struct {
	slotMs int64
	letter bool
}

// written is a record that a plan writes.
type written struct {
	output
	record *kgo.Record
}

// plan decides for a schedule; nil when there is nothing to be done.
func (r *runner) plan(key string, results []ended, nowMs int64) *plan {
	p := &plan{key: key, def: r.s.view.get(key), nowMs: nowMs, before: r.states[key], results: results, fails: map[output]error{}}
	if p.def == nil && p.before.ID == "" && r.wakes[key] == 0 || p.def != nil && p.def.err != nil {
		return nil
	}
	r.decide(p)
	return p
}

// decide fills in what a plan comes to.
func (r *runner) decide(p *plan) {
	p.outputs, p.calls, p.rest, p.more = nil, nil, course.Rest{}, false
	p.runs, p.failed, p.skipped, p.given, p.held = 0, 0, 0, nil, nil
	if p.def == nil {
		p.state, p.changed = course.State{}, p.before.ID != ""
		return
	}
	t := p.def.timing
	p.state, p.changed = p.before, false
	if p.state.ID != p.def.ID { // another schedule had the name
		p.state = course.State{ID: p.def.ID}
	}
	for _, e := range p.results {
		if e.id == p.def.ID {
			r.settle(p, e.slotMs, e.result)
		}
	}
	turn := course.Step(t, p.state, p.nowMs)
	p.state, p.more, p.skipped = turn.State, turn.More, turn.Skipped
	p.changed = p.changed || turn.Changed
	for _, l := range turn.Letters {
		r.bury(p, l)
	}
	for _, a := range turn.Attempts {
		it := run{Schedule: p.def.Schedule, SlotMs: a.SlotMs, Attempt: a.Number}
		if p.def.Target.called() {
			p.calls = append(p.calls, callOf(p.key, it))
			continue
		}
		of := output{slotMs: a.SlotMs}
		records, err := r.records(it)
		if errors.Is(err, queue.ErrDelays) {
			p.calls = append(p.calls, callOf(p.key, it))
			continue
		}
		if err == nil {
			err = r.fit(records)
		}
		if known := p.fails[of]; known != nil {
			err = known
		}
		result := failure(err)
		if err == nil {
			result = course.Result{OK: true}
			for _, rec := range records {
				p.outputs = append(p.outputs, written{of, rec})
			}
		}
		r.settle(p, a.SlotMs, result)
	}
	p.rest = course.Look(t, p.state)
}

// settle takes up what came of an attempt.
func (r *runner) settle(p *plan, slotMs int64, result course.Result) {
	state, letter := course.Settle(p.def.timing, p.state, slotMs, result, p.nowMs)
	p.state, p.changed = state, true
	if result.OK {
		p.runs++
	}
	if letter != nil {
		p.failed++
		r.bury(p, *letter)
	}
}

// bury ends a run that was given up, unless its letter is to be written and cannot be
// at the moment.
func (r *runner) bury(p *plan, l course.Letter) {
	g := givenUp{Letter: l}
	if p.def.DeadLetters != "" {
		var records []*kgo.Record
		it := p.def.run(l.SlotMs)
		it.Attempt = l.Attempts
		records, g.err = r.letter(it, l)
		of := output{slotMs: l.SlotMs, letter: true}
		if known := p.fails[of]; known != nil {
			g.err = known
		}
		if g.err != nil && !l.Last && passes(g.err) {
			p.held = append(p.held, g)
			return
		}
		if g.err == nil {
			for _, rec := range records {
				p.outputs = append(p.outputs, written{of, rec})
			}
		}
	}
	p.state = course.Bury(p.state, l.SlotMs)
	p.given = append(p.given, g)
}

// givenUp is a run that was given up, and why it is no dead letter.
type givenUp struct {
	course.Letter
	err error
}

// tell logs what was given up.
func (p *plan) tell(log *slog.Logger) {
	for _, g := range p.given {
		log.Warn("a run was given up", "schedule", p.def.Full().Name, "scheduled", p.def.run(g.SlotMs).scheduled(), "attempts", g.Attempts,
			"err", g.Why, "dead_letters", p.def.DeadLetters, "dead_letters_err", g.err)
	}
	for _, g := range p.held {
		log.Warn("a run was given up, and cannot be written to the dead letters yet; it is tried again", "schedule", p.def.Full().Name,
			"scheduled", p.def.run(g.SlotMs).scheduled(), "err", g.Why, "dead_letters", p.def.DeadLetters, "dead_letters_err", g.err)
	}
}

// run is a run of the schedule.
func (k *known) run(slotMs int64) run { return run{Schedule: k.Schedule, SlotMs: slotMs} }

// count measures what a plan that was carried out has done.
func (p *plan) count(c *counters) {
	c.runs.Add(p.runs)
	c.failed.Add(p.failed)
	c.skipped.Add(p.skipped)
}
