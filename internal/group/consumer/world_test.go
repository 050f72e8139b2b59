package consumer

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// world is what a Kind lives in: it does what a shard does with an Output, one
// command at a time, keeps the log, and has the clock and the topics.
type world struct {
	t      *testing.T
	s      Settings
	k      *Kind
	host   *fakeHost
	img    *metadata.Image
	offset int64
	ids    map[string]uuid.UUID // of topics; a topic that is made again has another
	now    time.Time
	log    []coordinator.Record
	marks  []int // lengths of the log between two commands: what a crash may leave
	timers []coordinator.Timer
	works  []coordinator.Work
	token  coordinator.Token
	// counted is what Settings.Count was told.
	counted int
	// epochs are the highest seen, by group, since it was there.
	epochs map[string]int32
}

// fakeHost is a machine with one classic group at most.
type fakeHost struct {
	classic map[string]*kind.ClassicGroup
	ended   []string
	begun   map[string]bool // whether a rebalance was asked for
	k       func(id string) bool
}

func (h *fakeHost) TypeOf(id string) kind.Type {
	switch {
	case h.k(id):
		return kind.Consumer
	case h.classic[id] != nil:
		return kind.Classic
	}
	return kind.None
}
func (h *fakeHost) Classic(id string) *kind.ClassicGroup { return h.classic[id] }
func (h *fakeHost) EndClassic(t *kind.Turn, id string) {
	t.Then(func() {
		h.ended = append(h.ended, id)
		delete(h.classic, id)
	})
}
func (h *fakeHost) BeginClassic(t *kind.Turn, id string, g *kind.ClassicGroup, rebalance bool) {
	t.Then(func() { h.classic[id], h.begun[id] = g, rebalance })
}

var began = time.UnixMilli(1_700_000_000_000).UTC()

func newWorld(t *testing.T) *world {
	w := &world{t: t, s: Defaults(), img: metadata.Empty(), now: began, ids: map[string]uuid.UUID{}, epochs: map[string]int32{}}
	w.s.Image = func() *metadata.Image { return w.img }
	w.s.Count = func(d int) { w.counted += d }
	w.host = &fakeHost{classic: map[string]*kind.ClassicGroup{}, begun: map[string]bool{}}
	w.k = w.newKind()
	w.host.k = func(id string) bool { return w.k.Has(id) }
	return w
}

func (w *world) newKind() *Kind { return New(w.s)(w.host).(*Kind) }

// topic makes a topic, or makes it larger; the groups hear of it.
func (w *world) topic(name string, partitions int) {
	w.t.Helper()
	var records []metadata.Record
	have := 0
	if t := w.img.TopicByName(name); t != nil {
		have = len(t.Partitions)
	} else {
		w.ids[name] = uuid.UUID{byte(len(w.ids) + 1), byte(w.offset >> 8), byte(w.offset)}
		records = append(records, &metadata.TopicRecord{Name: name, ID: w.ids[name]})
	}
	for p := have; p < partitions; p++ {
		records = append(records, &metadata.PartitionRecord{
			TopicID: w.ids[name], Partition: int32(p), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []uuid.UUID{{9}},
		})
	}
	w.change(name, records...)
}

func (w *world) deleteTopic(name string) {
	w.change(name, &metadata.RemoveTopicRecord{TopicID: w.ids[name]})
}

func (w *world) change(name string, records ...metadata.Record) {
	w.t.Helper()
	w.offset += int64(len(records))
	img, _, err := w.img.With(w.offset, 1, records...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.img = img
	t := w.turn(0)
	w.k.TopicsChanged(t, []string{name})
	w.accept(t)
}

func (w *world) turn(token coordinator.Token) *kind.Turn {
	return &kind.Turn{Now: w.now, Wall: w.now, Token: token, Out: &coordinator.Output{}}
}

// do gives a command and returns the reply.
func (w *world) do(body any) (any, error) {
	w.t.Helper()
	w.token++
	out, err := w.step(w.token, body)
	if err != nil {
		return nil, err
	}
	if len(out.Replies) != 1 || out.Replies[0].Token != w.token {
		w.t.Fatalf("%T got the replies %+v, want one", body, out.Replies)
	}
	return out.Replies[0].Body, out.Replies[0].Err
}

// step gives a command twice, for a Step changes nothing, and accepts the
// second output.
func (w *world) step(token coordinator.Token, body any) (*coordinator.Output, error) {
	w.t.Helper()
	first, again := w.turn(token), w.turn(token)
	_, errFirst := w.k.Step(first, body)
	ok, err := w.k.Step(again, body)
	if !ok {
		w.t.Fatalf("%T is no command of the kind", body)
	}
	a, b := first.Out, again.Out
	if fmt.Sprint(err) != fmt.Sprint(errFirst) || err == nil &&
		(!reflect.DeepEqual(a.Records, b.Records) || !reflect.DeepEqual(a.Replies, b.Replies) || !reflect.DeepEqual(a.Timers, b.Timers)) {
		w.t.Fatalf("the same command gave two outputs: %+v, %v and %+v, %v", a, errFirst, b, err)
	}
	if err != nil {
		return nil, err
	}
	w.accept(again)
	return b, nil
}

func (w *world) accept(t *kind.Turn) {
	w.t.Helper()
	for _, r := range t.Out.Records {
		w.log = append(w.log, r)
		applyTo(w.k, r)
	}
	if n := len(w.log); len(w.marks) == 0 || w.marks[len(w.marks)-1] != n {
		w.marks = append(w.marks, n)
	}
	if t.Out.Accepted != nil {
		t.Out.Accepted()
	}
	for _, tm := range t.Out.Timers {
		w.timers = slices.DeleteFunc(w.timers, func(old coordinator.Timer) bool { return old.Key == tm.Key })
		if !tm.At.IsZero() {
			w.timers = append(w.timers, tm)
		}
	}
	slices.SortStableFunc(w.timers, func(a, b coordinator.Timer) int { return a.At.Compare(b.At) })
	w.works = append(w.works, t.Out.Work...)
	w.check()
}

func applyTo(k *Kind, r coordinator.Record) {
	key, err := schema.ParseKey(r.Key)
	if err != nil || !k.Owns(key.Type) {
		panic(fmt.Sprintf("a record with the key %x is not the kind's: %v", r.Key, err))
	}
	k.Apply(key, r.Value)
}

// work lets one piece of work be done; false when there is none.
func (w *world) work() (*coordinator.Output, bool) {
	w.t.Helper()
	if len(w.works) == 0 {
		return nil, false
	}
	run := w.works[0].Run
	w.works = w.works[1:]
	out, err := w.step(0, run())
	if err != nil {
		w.t.Fatal(err)
	}
	return out, true
}

// fire runs the next timer that is due at or before a time.
func (w *world) fire(until time.Time) (*coordinator.Output, bool) {
	w.t.Helper()
	if len(w.timers) == 0 || w.timers[0].At.After(until) {
		return nil, false
	}
	tm := w.timers[0]
	w.timers = w.timers[1:]
	if tm.At.After(w.now) {
		w.now = tm.At
	}
	out, err := w.step(0, tm.Body)
	if err != nil {
		w.t.Fatalf("timer %+v: %v", tm, err)
	}
	return out, true
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	until := w.now.Add(d)
	for _, ok := w.fire(until); ok; _, ok = w.fire(until) {
	}
	w.now = until
}

// restart replays the log, as a failover does.
func (w *world) restart() {
	w.t.Helper()
	w.k.Reset()
	for _, r := range w.log {
		applyTo(w.k, r)
	}
	w.timers, w.works = nil, nil
	t := w.turn(0)
	w.k.Loaded(t)
	w.accept(t)
}

// check holds what is always true.
func (w *world) check() {
	w.t.Helper()
	members := 0
	for id, g := range w.k.Groups {
		members += len(g.members)
		if g.epoch < w.epochs[id] || g.targetEpoch > max(g.epoch, 0) {
			w.t.Errorf("group %s is at epoch %d after %d, its target at %d", id, g.epoch, w.epochs[id], g.targetEpoch)
		}
		w.epochs[id] = g.epoch
		owners := map[place]string{}
		for _, m := range g.members {
			w.checkMember(g, m, owners)
		}
		if !reflect.DeepEqual(owners, g.owners) {
			w.t.Errorf("group %s: owners %v, by the members %v", id, g.owners, owners)
		}
		if !slices.IsSorted(g.ids) || len(g.ids) != len(g.members) {
			w.t.Errorf("group %s: ids %q of %d members", id, g.ids, len(g.members))
		}
	}
	for id := range w.epochs {
		if w.k.Groups[id] == nil {
			delete(w.epochs, id)
		}
	}
	if w.counted != members {
		w.t.Errorf("%d members were counted, there are %d", w.counted, members)
	}
}

func (w *world) checkMember(g *group, m *member, owners map[place]string) {
	w.t.Helper()
	for _, s := range append(slices.Clone(m.assigned), m.revoking...) {
		if other, twice := owners[s.place()]; twice {
			w.t.Errorf("group %s: %v is owned by %s and by %s", g.id, s.place(), other, m.id)
		}
		owners[s.place()] = m.id
	}
	if m.epoch > max(g.epoch, 1) {
		w.t.Errorf("member %s is at epoch %d, the group at %d", m.id, m.epoch, g.epoch)
	}
	if m.state != unrevoked && len(m.revoking) > 0 {
		w.t.Errorf("member %s is in state %d and gives up %v", m.id, m.state, m.revoking)
	}
	has := func(key any) bool {
		return slices.ContainsFunc(w.timers, func(tm coordinator.Timer) bool { return tm.Key == key })
	}
	if !has(sessionKey{g.id, m.id}) {
		w.t.Errorf("member %s has no session timer", m.id)
	}
	if m.state == unrevoked && !m.classic() && m.epoch != leavingSoon && !has(rebalanceKey{g.id, m.id}) {
		w.t.Errorf("member %s gives up partitions without a time-out", m.id)
	}
}

// sameAfterReplay holds that the log is all there is to know: replayed, and
// through a snapshot, it gives the same.
func (w *world) sameAfterReplay() {
	w.t.Helper()
	counted := w.counted
	want := stateOf(w.k)
	again, short := w.newKind(), w.newKind()
	for _, r := range w.log {
		applyTo(again, r)
	}
	for r := range w.k.Records() {
		applyTo(short, r)
	}
	w.counted = counted
	if got := stateOf(again); !slices.Equal(got, want) {
		w.t.Errorf("a replay of %d records gives\n%q\nwant\n%q", len(w.log), got, want)
	}
	if got := stateOf(short); !slices.Equal(got, want) {
		w.t.Errorf("a snapshot gives\n%q\nwant\n%q", got, want)
	}
}

// stateOf shows the durable state of a kind.
func stateOf(k *Kind) (out []string) {
	for r := range k.Records() {
		out = append(out, fmt.Sprintf("%x=%x", r.Key, r.Value))
	}
	return out
}
