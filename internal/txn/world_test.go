package txn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
)

// world is what a machine lives in: it does what a shard does with an Output,
// one command at a time, and keeps the log. Markers are written when the test
// says so.
type world struct {
	t      *testing.T
	s      Settings
	level  int16
	epoch  int32 // of the leadership
	m      *Machine
	now    time.Time
	log    []coordinator.Record
	timers []coordinator.Timer // by time, then as they were set
	token  coordinator.Token
	fresh  int64
	asked  map[coordinator.Token]bool // not answered yet
	writes []*write
	// fenced are those whose markers a newer coordinator writes.
	fenced map[string]bool
}

// write is a marker that was begun.
type write struct {
	Marker
	done func(error)
	// life is the leadership that began it: results of an older one go nowhere.
	life int32
	// stored is how much of the log there was.
	stored int
}

var start = time.UnixMilli(1_700_000_000_000).UTC()

func newWorld(t *testing.T) *world {
	w := &world{t: t, s: Defaults(), level: 2, now: start, asked: map[coordinator.Token]bool{}, fenced: map[string]bool{}}
	w.restart()
	return w
}

// Write implements Markers.
func (w *world) Write(_ context.Context, m Marker, done func(error)) {
	w.writes = append(w.writes, &write{Marker: m, done: done, life: w.epoch, stored: len(w.log)})
}

func (w *world) options() Options {
	return Options{Settings: w.s, Markers: w, Level: func() int16 { return w.level }}
}

// restart forgets soft state and replays the log, as a failover does.
func (w *world) restart() {
	w.epoch++
	w.m = w.replay(w.log)
	w.timers, w.asked, w.writes = nil, map[coordinator.Token]bool{}, nil
	if _, err := w.step(0, coordinator.Loaded{LeaderEpoch: w.epoch}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) replay(log []coordinator.Record) *Machine {
	m := New(w.options())
	for _, r := range log {
		m.Apply(r)
	}
	return m
}

// ask gives a command as the door does: with a fresh producer id when one is
// needed.
func (w *world) ask(body any) (coordinator.Token, coordinator.Output, error) {
	w.token++
	w.asked[w.token] = true
	out, err := w.step(w.token, body)
	if !errors.Is(err, ErrNeedsProducerID) {
		return w.token, out, err
	}
	switch c := body.(type) {
	case Init:
		w.fresh++
		c.FreshID = w.fresh
		body = c
	case End:
		w.fresh++
		c.FreshID = w.fresh
		body = c
	}
	w.asked[w.token] = true
	out, err = w.step(w.token, body)
	return w.token, out, err
}

func (w *world) step(token coordinator.Token, body any) (coordinator.Output, error) {
	w.t.Helper()
	cmd := coordinator.Command{Token: token, Body: body}
	again, errAgain := w.m.Step(w.now, cmd)
	out, err := w.m.Step(w.now, cmd)
	if !reflect.DeepEqual(out.Records, again.Records) || !reflect.DeepEqual(out.Replies, again.Replies) || !reflect.DeepEqual(out.Timers, again.Timers) ||
		len(out.Work) != len(again.Work) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		w.t.Fatalf("the same command gave two outputs:\n%+v %v\n%+v %v", again, errAgain, out, err)
	}
	if err != nil {
		delete(w.asked, token)
		return out, err
	}
	w.accept(out)
	return out, nil
}

// accept does what a shard does, every record being committed at once.
func (w *world) accept(out coordinator.Output) {
	w.t.Helper()
	for _, r := range out.Records {
		w.log = append(w.log, r)
		w.m.Apply(r)
	}
	if out.Accepted != nil {
		out.Accepted()
	}
	for _, r := range out.Replies {
		if !w.asked[r.Token] {
			w.t.Fatalf("a reply to #%d, who waits for none: %+v", r.Token, r)
		}
		delete(w.asked, r.Token)
	}
	for _, tm := range out.Timers {
		w.timers = slices.DeleteFunc(w.timers, func(old coordinator.Timer) bool { return old.Key == tm.Key })
		if !tm.At.IsZero() {
			w.timers = append(w.timers, tm)
		}
	}
	slices.SortStableFunc(w.timers, func(a, b coordinator.Timer) int { return a.At.Compare(b.At) })
	for _, work := range out.Work {
		life := w.epoch
		work.Begin(context.Background(), func(result any) {
			if w.epoch == life {
				w.results(result)
			}
		})
	}
	w.check()
}

func (w *world) results(result any) {
	w.timers = slices.Insert(w.timers, 0, coordinator.Timer{At: w.now, Body: result})
}

// written ends the first marker write of a transactional id.
func (w *world) written(id string, err error) bool {
	i := slices.IndexFunc(w.writes, func(x *write) bool { return x.ID == id })
	if i < 0 {
		return false
	}
	x := w.writes[i]
	w.writes = slices.Delete(w.writes, i, i+1)
	x.done(err)
	return true
}

// fire runs the next timer if it is due at or before a time.
func (w *world) fire(until time.Time) (coordinator.Output, bool) {
	if len(w.timers) == 0 || w.timers[0].At.After(until) {
		return coordinator.Output{}, false
	}
	tm := w.timers[0]
	w.timers = w.timers[1:]
	if tm.At.After(w.now) {
		w.now = tm.At
	}
	out, err := w.step(0, tm.Body)
	if err != nil {
		w.t.Fatalf("timer %+v was refused: %v", tm, err)
	}
	return out, true
}

// check holds what is always true.
func (w *world) check() {
	w.t.Helper()
	waiting := map[coordinator.Token]bool{}
	for id, e := range w.m.ids {
		for _, token := range e.enders {
			waiting[token] = true
		}
		for _, p := range e.parked {
			waiting[p.token] = true
		}
		switch {
		case len(e.enders) > 0 && !e.state.decided():
			w.t.Errorf("%s is %s, and %d wait for its end", id, e.state, len(e.enders))
		case e.state == Ongoing && len(e.parts) > 0 && e.startMs < 0:
			w.t.Errorf("%s is open since never", id)
		case (e.state == Empty || e.state == CompleteAbort || e.state == CompleteCommit) && len(e.parts) > 0:
			w.t.Errorf("%s is %s with partitions %v", id, e.state, e.parts)
		case !slices.IsSortedFunc(e.parts, compare):
			w.t.Errorf("%s: partitions out of order: %v", id, e.parts)
		}
		if e.state.decided() && !slices.ContainsFunc(w.writes, func(x *write) bool { return x.ID == id }) && !w.resultWaits(id) {
			w.t.Errorf("%s is %s, and nobody writes its markers", id, e.state)
		}
	}
	for _, s := range w.m.sweeps {
		waiting[s.token] = true
	}
	for token := range w.asked {
		if !waiting[token] && token != 0 {
			w.t.Errorf("#%d was neither answered nor does it wait", token)
		}
	}
}

func (w *world) resultWaits(id string) bool {
	return slices.ContainsFunc(w.timers, func(tm coordinator.Timer) bool {
		r, ok := tm.Body.(written)
		return ok && r.id == id
	}) || w.fenced[id]
}

// sameAfterReplay holds that the log is all there is to know: replayed, and
// through a snapshot, it gives the same durable state.
func (w *world) sameAfterReplay() {
	w.t.Helper()
	want := bare(slices.Collect(w.m.Records()))
	if got := bare(slices.Collect(w.replay(w.log).Records())); !slices.Equal(got, want) {
		w.t.Errorf("a replay of %d records gives other state:\n%q\nwant\n%q", len(w.log), got, want)
	}
	if got := bare(slices.Collect(w.replay(slices.Collect(w.m.Records())).Records())); !slices.Equal(got, want) {
		w.t.Errorf("a snapshot gives other state:\n%q\nwant\n%q", got, want)
	}
}

// bare shows records as text, so that they compare by content.
func bare(records []coordinator.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, fmt.Sprintf("%x=%x", r.Key, r.Value))
	}
	return out
}
