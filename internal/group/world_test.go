package group

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
)

// world is what a machine lives in: it does what a shard does with an Output,
// one command at a time, and keeps the log.
type world struct {
	t      *testing.T
	s      Settings
	m      *Machine
	now    time.Time
	log    []coordinator.Record
	timers []coordinator.Timer // by time, then as they were set
	token  coordinator.Token
	ids    int
	parked map[coordinator.Token]bool
	// generation is the highest that was stored, by group, since it was there.
	stored map[string]int32
}

var start = time.UnixMilli(1_700_000_000_000).UTC()

func newWorld(t *testing.T, s Settings) *world {
	w := &world{t: t, s: s, m: New(s), now: start, parked: map[coordinator.Token]bool{}, stored: map[string]int32{}}
	w.step(0, coordinator.Loaded{})
	return w
}

// newID gives the numbers 1, 2, … as identifiers.
func (w *world) newID() uuid.UUID {
	w.ids++
	return number(w.ids)
}

func number(n int) uuid.UUID { return uuid.UUID{14: byte(n >> 8), 15: byte(n)} }

// do gives a command and returns its token and what happened.
func (w *world) do(body any) (coordinator.Token, coordinator.Output, error) {
	w.token++
	w.parked[w.token] = true
	out, err := w.step(w.token, body)
	return w.token, out, err
}

func (w *world) step(token coordinator.Token, body any) (coordinator.Output, error) {
	w.t.Helper()
	cmd := coordinator.Command{Token: token, Body: body}
	again, errAgain := w.m.Step(w.now, cmd)
	out, err := w.m.Step(w.now, cmd)
	w.sameOutput(out, again)
	if fmt.Sprint(err) != fmt.Sprint(errAgain) {
		w.t.Fatalf("%T was refused with %v, and before with %v", body, err, errAgain)
	}
	if err != nil {
		if len(out.Records)+len(out.Replies)+len(out.Timers) > 0 {
			w.t.Fatalf("%T was refused with %v, yet did something", body, err)
		}
		delete(w.parked, token)
		return out, err
	}
	w.accept(out)
	return out, nil
}

// sameOutput holds that a Step asked twice says the same.
func (w *world) sameOutput(a, b coordinator.Output) {
	w.t.Helper()
	if !reflect.DeepEqual(a.Records, b.Records) || !reflect.DeepEqual(a.Replies, b.Replies) || !reflect.DeepEqual(a.Timers, b.Timers) {
		w.t.Fatalf("the same command gave two outputs:\n%+v\n%+v", a, b)
	}
}

func (w *world) accept(out coordinator.Output) {
	w.t.Helper()
	for _, r := range out.Records {
		w.log = append(w.log, r)
		w.m.Apply(r)
		w.noteGeneration(r)
	}
	if out.Accepted != nil {
		out.Accepted()
	}
	for _, r := range out.Replies {
		if !w.parked[r.Token] {
			w.t.Fatalf("a reply to #%d, who waits for none: %+v", r.Token, r)
		}
		delete(w.parked, r.Token)
	}
	for _, tm := range out.Timers {
		w.timers = slices.DeleteFunc(w.timers, func(old coordinator.Timer) bool { return old.Key == tm.Key })
		if !tm.At.IsZero() {
			w.timers = append(w.timers, tm)
		}
	}
	slices.SortStableFunc(w.timers, func(a, b coordinator.Timer) int { return a.At.Compare(b.At) })
	w.check()
}

// noteGeneration holds that stored generations never go down.
func (w *world) noteGeneration(r coordinator.Record) {
	k, err := schema.ParseKey(r.Key)
	if err != nil || k.Type != schema.GroupMetadata {
		return
	}
	if r.Value == nil {
		delete(w.stored, k.Group)
		return
	}
	v, err := schema.ParseGroupValue(r.Value)
	if err != nil {
		return
	}
	if v.Generation < w.stored[k.Group] {
		w.t.Errorf("group %s: generation %d was stored after %d", k.Group, v.Generation, w.stored[k.Group])
	}
	w.stored[k.Group] = v.Generation
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

// restart forgets soft state and replays the log, as a failover does.
func (w *world) restart() {
	w.m = replay(w.s, w.log)
	w.timers, w.parked = nil, map[coordinator.Token]bool{}
	if _, err := w.step(0, coordinator.Loaded{}); err != nil {
		w.t.Fatal(err)
	}
}

func replay(s Settings, log []coordinator.Record) *Machine {
	m := New(s)
	for _, r := range log {
		m.Apply(r)
	}
	return m
}

// check holds what is always true.
func (w *world) check() {
	w.t.Helper()
	waiting := map[coordinator.Token]bool{}
	for id, g := range w.m.groups {
		l := g.live
		if len(l.members) > 0 && l.members.get(l.leader) == nil {
			w.t.Errorf("group %s: the leader %q is no member", id, l.leader)
		}
		if len(l.members) == 0 && l.leader != "" {
			w.t.Errorf("group %s: no members, but leader %q", id, l.leader)
		}
		if l.state == Empty && len(l.members) > 0 || (l.state == Stable || l.state == CompletingRebalance) && len(l.members) == 0 {
			w.t.Errorf("group %s is %s with %d members", id, l.state, len(l.members))
		}
		if (l.state == Stable || l.state == CompletingRebalance) && (l.protocol == nil || !l.members.common(*l.protocol)) {
			w.t.Errorf("group %s is %s with a protocol that not all members know", id, l.state)
		}
		if !slices.IsSortedFunc(l.members, func(a, b *member) int { return bytes.Compare([]byte(a.id), []byte(b.id)) }) || !slices.IsSorted(l.pending) {
			w.t.Errorf("group %s: members or pending ids are out of order", id)
		}
		for _, m := range l.members {
			w.checkMember(id, l, m, waiting)
		}
	}
	for _, tm := range w.timers {
		if d, ok := tm.Body.(Delete); ok { // a large group goes in parts
			waiting[d.caller] = true
		}
	}
	for token := range w.parked {
		if !waiting[token] {
			w.t.Errorf("#%d was neither answered nor is it parked", token)
		}
	}
}

func (w *world) checkMember(id string, l *live, m *member, waiting map[coordinator.Token]bool) {
	w.t.Helper()
	waiting[m.join], waiting[m.sync] = true, true
	if m.join != 0 && l.state != PreparingRebalance {
		w.t.Errorf("group %s is %s, member %s still waits for its join", id, l.state, m.id)
	}
	if m.sync != 0 && l.state != CompletingRebalance {
		w.t.Errorf("group %s is %s, member %s still waits for its assignment", id, l.state, m.id)
	}
	if l.isPending(m.id) {
		w.t.Errorf("group %s: %s is a member and pending at once", id, m.id)
	}
	if m.join == 0 && m.sync == 0 && !slices.ContainsFunc(w.timers, func(tm coordinator.Timer) bool { return tm.Key == sessionKey{id, m.id} }) {
		w.t.Errorf("group %s: member %s waits for nothing and has no session timer", id, m.id)
	}
}

// sameAfterReplay holds that the log is all there is to know: replayed, and
// through a snapshot, it gives the same durable state.
func (w *world) sameAfterReplay() {
	w.t.Helper()
	want := slices.Collect(w.m.Records())
	again := replay(w.s, w.log)
	if got := slices.Collect(again.Records()); !reflect.DeepEqual(bare(got), bare(want)) {
		w.t.Errorf("a replay of %d records gives other state:\n%q\nwant\n%q", len(w.log), bare(got), bare(want))
	}
	short := replay(w.s, want)
	if got := slices.Collect(short.Records()); !reflect.DeepEqual(bare(got), bare(want)) {
		w.t.Errorf("a snapshot gives other state:\n%q\nwant\n%q", bare(got), bare(want))
	}
	if !slices.Equal(again.ids(), w.m.ids()) || !slices.Equal(short.ids(), w.m.ids()) {
		w.t.Errorf("groups %q, after a replay %q, from a snapshot %q", w.m.ids(), again.ids(), short.ids())
	}
}

// bare shows records as text, so that they compare by content.
func bare(records []coordinator.Record) []string {
	var out []string
	for _, r := range records {
		s := fmt.Sprintf("%x=%x", r.Key, r.Value)
		if r.Txn != nil {
			s += fmt.Sprintf(" txn %+v", *r.Txn)
		}
		out = append(out, s)
	}
	return out
}
