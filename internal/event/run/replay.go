package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// replay reads part of the source again, or its part of an archive. It has a cursor of
// its own, and sheds targets that fail as the pass does.
type replay struct {
	r      *runner
	name   string
	id     string
	bell   chan struct{}
	cancel context.CancelFunc
	beside context.Context // of its branches, which may outlive it
	over   bool            // guarded by runner.mu: nothing is left to do
	ill    map[string]string
}

// replayOf finds a replay of a source by its id, which another of the name does not have; nil when it is not there, or over.
func replayOf(src *plan.Source, id string) *plan.Replay {
	for _, p := range src.Replays {
		if p.ID == id && !p.Cancelled {
			return p
		}
	}
	return nil
}

// sourceOf is the source as a replay has it.
func sourceOf(src *plan.Source, p *plan.Replay) *plan.Source {
	if p.Only == nil {
		return src
	}
	out := *src
	out.Rules = []*plan.Rule{p.Only}
	out.Match = func(into []int, _ []byte) ([]int, error) { return append(into, 0), nil }
	return &out
}

// beginReplays starts replays that are there and do not walk yet.
func (r *runner) beginReplays(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.src.Load().Replays {
		if p.Cancelled || slices.ContainsFunc(r.again, func(x *replay) bool { return x.id == p.ID }) {
			continue
		}
		x := &replay{r: r, name: p.Ref.Name, id: p.ID, bell: make(chan struct{}, 1), beside: ctx, ill: map[string]string{}}
		within, cancel := context.WithCancel(ctx)
		x.cancel = cancel
		r.again = append(r.again, x)
		r.helpers.Go(func() {
			defer cancel()
			x.run(within)
			r.mu.Lock()
			x.over = true
			if within.Err() != nil || replayOf(r.src.Load(), x.id) == nil { // else it is not begun again
				r.again = slices.DeleteFunc(r.again, func(o *replay) bool { return o == x })
			}
			r.mu.Unlock()
			r.ring()
		})
	}
}

// run walks until the replay is over: what it loses it loads again.
func (x *replay) run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		err := x.live(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if x.blame(err) {
			continue
		}
		clear(x.ill)
		failures++
		x.r.s.o.Logger.Warn("a replay is loaded again", "replay", x.name, "topic", x.r.topic, "partition", x.r.seat.Partition, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(course.Wait(failures)) * time.Millisecond):
		}
	}
}

// blame has targets that failed leave the replay, as runner.blame has them leave the pass.
func (x *replay) blame(err error) bool {
	var failed *failedError
	p := x.def()
	if p == nil || !errors.As(err, &failed) {
		return false
	}
	leave := failed.leave(sourceOf(x.r.src.Load(), p))
	for _, key := range leave {
		x.ill[key] = failed.of[key].err.Error()
	}
	return len(leave) > 0
}

// def is the replay as it is defined now, nil when it is gone.
func (x *replay) def() *plan.Replay { return replayOf(x.r.src.Load(), x.id) }

// live loads how far the replay is, and walks on; nil when there is nothing more to do.
func (x *replay) live(ctx context.Context) error {
	p, seat := x.def(), x.r.seat
	if p == nil {
		return nil
	}
	sum := sha256.Sum256([]byte("replay\x00" + x.id))
	w := &walk{
		r: x.r, txn: "ottla-bus-" + strings.ReplaceAll(seat.Key(), "/", "-") + "-replay-" + hex.EncodeToString(sum[:10]),
		key: seat.ReplayKey(x.id), name: x.name, id: x.id, patience: x.r.s.o.Patience, wary: true, fromMs: p.FromMs, toMs: p.ToMs,
	}
	defer w.close()
	records, err := w.open(ctx)
	if err != nil {
		return err
	}
	state, err := course.Read(records)
	if err != nil {
		return err
	}
	begin, end := course.From(p.From, seat.Partition), course.From(p.To, seat.Partition)
	at, ok := state.Replays[x.id]
	if !ok {
		at = course.Replay{Name: x.name, At: begin}
	}
	var notes []course.Note
	for key, why := range x.ill {
		n := course.Name{Replay: x.id, Target: key}
		if _, away := state.Branches[n]; !away {
			b := course.Branch{At: at.At, Until: end, SinceMs: x.r.s.nowMs(), Attempts: 1, Why: cut(why, mostReason)}
			state.Branches[n] = b
			notes = append(notes, course.Note{Key: seat.BranchKey(n), Value: b})
		}
	}
	if at.Done {
		return nil
	}
	if err := w.openFeed(ctx, p.Topic, at.At); err != nil {
		return err
	}
	return x.walkOn(ctx, w, &at, end, notes, state.Branches)
}

// tableOf tells which targets a replay gives events to itself.
func tableOf(src *plan.Source, p *plan.Replay, away map[course.Name]course.Branch) course.Table {
	table := make(course.Table, len(src.Rules))
	for i, r := range src.Rules {
		for k, g := range r.Targets {
			if _, elsewhere := away[course.Name{Replay: p.ID, Target: g.Key}]; elsewhere || p.Only == nil && p.Wants != nil && !p.Wants(r, g) {
				continue
			}
			if table[i] == nil {
				table[i] = make([]int64, len(r.Targets))
				for j := range table[i] {
					table[i][j] = course.Never
				}
			}
			table[i][k] = 0
		}
	}
	return table
}

// walkOn takes turns until the replay is at its end, gone or paused.
func (x *replay) walkOn(ctx context.Context, w *walk, at *course.Replay, end int64, notes []course.Note, away map[course.Name]course.Branch) error {
	var last *plan.Source
	for {
		p := x.def()
		switch src := x.r.src.Load(); {
		case p == nil:
			return w.finish()
		case p.Paused:
			if err := w.wait(ctx, x.bell); err != nil {
				return err
			}
			continue
		case src != last:
			last, w.src = src, sourceOf(src, p)
			w.table = tableOf(w.src, p, away)
		}
		if w.at < end && !w.waiting(end) {
			if err := w.wait(ctx, x.bell); err != nil {
				return err
			}
			continue
		}
		most, pause := x.pace(p)
		records, next := w.take(end, most)
		if w.at >= end {
			records, next = nil, w.at
		}
		t := w.decide(records, next)
		now := course.Replay{Name: x.name, At: t.next, Events: at.Events + int64(t.events), Done: t.next >= end}
		if err := w.write(ctx, t, append(notes, course.Note{Key: w.key, Value: now})); err != nil {
			return err
		}
		w.took(t.next)
		x.r.counted(t)
		begun := notes
		notes, *at = nil, now
		if len(begun) > 0 || now.Done {
			if err := w.finish(); err != nil {
				return err
			}
			for n, b := range away {
				if n.Replay == x.id && !b.Over() {
					x.r.begin(x.beside, n, b)
				}
			}
			clear(x.ill)
		}
		if now.Done {
			x.r.s.o.Logger.Info("a replay has read all that it was to", "replay", x.name, "topic", p.Topic, "partition", x.r.seat.Partition, "events", now.Events)
			return nil
		}
		if err := x.rest(ctx, pause, t.events); err != nil {
			return err
		}
	}
}

// pace is how many events a turn may have, and the pause for each.
func (x *replay) pace(p *plan.Replay) (most int, pause time.Duration) {
	parts := 1
	if topic, ok := x.r.s.o.Topic(x.r.topic); ok {
		parts = max(topic.Partitions, 1)
	}
	if p.Rate <= 0 {
		return mostEvents, 0
	}
	each := time.Duration(float64(parts) / p.Rate * float64(time.Second))
	return int(min(max(int64(100*time.Millisecond/max(each, 1)), 1), mostEvents)), each
}

// rest keeps to the replay's rate.
func (x *replay) rest(ctx context.Context, each time.Duration, events int) error {
	if each == 0 || events == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(each * time.Duration(events)):
		return nil
	}
}
