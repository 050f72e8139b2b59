package sharegroup_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/group/sharegroup"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// world is a machine with share groups, stepped by hand.
type world struct {
	t      *testing.T
	m      *group.Machine
	now    time.Time
	image  *metadata.Image
	log    []coordinator.Record
	timers map[any]coordinator.Timer
	gone   []string
	count  int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.UnixMilli(1e12).UTC(), image: metadata.Empty(), timers: map[any]coordinator.Timer{}}
	w.m = w.machine()
	return w
}

func (w *world) machine() *group.Machine {
	s := sharegroup.Defaults()
	s.Image = func() *metadata.Image { return w.image }
	s.Gone = func(g, m string) { w.gone = append(w.gone, g+"/"+m) }
	s.Count = func(n int) { w.count += n }
	s.MaxSize = 5
	o := group.Defaults()
	o.Kinds = []func(kind.Host) kind.Kind{sharegroup.New(s)}
	return group.New(o)
}

// topic makes or grows a topic.
func (w *world) topic(name string, partitions int) {
	w.t.Helper()
	id := uuid.UUID([]byte(fmt.Sprintf("%-16s", name)))
	var recs []metadata.Record
	have := 0
	if old := w.image.TopicByName(name); old != nil {
		have = len(old.Partitions)
	} else {
		recs = append(recs, &metadata.TopicRecord{Name: name, ID: id})
	}
	for i := have; i < partitions; i++ {
		recs = append(recs, &metadata.PartitionRecord{TopicID: id, Partition: int32(i), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1})
	}
	img, _, err := w.image.With(w.image.Offset+1, 1, recs...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.image = img
	w.do(group.TopicsChanged{Names: []string{name}})
}

func (w *world) do(body any) (any, error) {
	w.t.Helper()
	cmd := coordinator.Command{Token: 1, Wall: w.now, Body: body}
	out, err := w.m.Step(w.now, cmd)
	again, _ := w.m.Step(w.now, cmd)
	if !reflect.DeepEqual(out.Records, again.Records) {
		w.t.Fatalf("%+v: a second Step says something else", body)
	}
	if err != nil {
		return nil, err
	}
	for _, r := range out.Records {
		w.log = append(w.log, r)
		w.m.Apply(r)
	}
	if out.Accepted != nil {
		out.Accepted()
	}
	for _, x := range out.Timers {
		if delete(w.timers, x.Key); !x.At.IsZero() {
			w.timers[x.Key] = x
		}
	}
	for _, x := range out.Work {
		if _, err := w.m.Step(w.now, coordinator.Command{Body: x.Run()}); err != nil {
			w.t.Fatalf("the result of work: %v", err)
		}
	}
	for _, r := range out.Replies {
		if r.Token == 1 {
			return r.Body, r.Err
		}
	}
	return nil, nil
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	for key, x := range w.timers {
		if !x.At.After(w.now) {
			delete(w.timers, key)
			w.do(x.Body)
		}
	}
}

func (w *world) beat(member string, epoch int32, topics ...string) sharegroup.Beat {
	w.t.Helper()
	b, err := w.do(sharegroup.Heartbeat{Group: "g", MemberID: member, Epoch: epoch, Topics: topics, SaidTopics: topics != nil, ClientID: "c", ClientHost: "/h"})
	if err != nil {
		w.t.Fatalf("%s at %d: %v", member, epoch, err)
	}
	return b.(sharegroup.Beat)
}

func (w *world) refuses(want wire.Code, h sharegroup.Heartbeat) {
	w.t.Helper()
	if _, err := w.do(h); wire.CodeOf(err) != want {
		w.t.Errorf("%+v: %v, want %v", h, err, want)
	}
}

func show(parts []schema.TopicPartitions) string {
	var out []string
	for _, p := range parts {
		out = append(out, fmt.Sprintf("%s%v", strings.TrimSpace(string(p.Topic[:])), p.Partitions))
	}
	return strings.Join(out, " ")
}

func (w *world) described() sharegroup.Described {
	w.t.Helper()
	d, err := w.do(sharegroup.Describe{Group: "g"})
	if err != nil {
		w.t.Fatal(err)
	}
	return d.(sharegroup.Described)
}

func TestMembersShareOutPartitionsAsTheyComeAndGo(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 4)
	a := w.beat("a", 0, "t")
	if a.Epoch != 1 || show(a.Assignment) != "t[0 1 2 3]" || a.Interval != 300*time.Millisecond {
		t.Fatalf("alone: %+v", a)
	}
	if again := w.beat("a", 1); again.Assigned || again.Epoch != 1 {
		t.Errorf("nothing changed: %+v", again)
	}
	b := w.beat("b", 0, "t")
	a = w.beat("a", 1)
	if b.Epoch != 2 || a.Epoch != 2 || len(a.Assignment[0].Partitions) != 2 || len(b.Assignment[0].Partitions) != 2 {
		t.Fatalf("two members: %+v and %+v", a, b)
	}
	if w.count != 2 {
		t.Errorf("%d members were counted", w.count)
	}
	w.beat("b", -1)
	if a = w.beat("a", 2); show(a.Assignment) != "t[0 1 2 3]" || a.Epoch != 3 {
		t.Errorf("after b left: %+v", a)
	}
	if !slices.Equal(w.gone, []string{"g/b"}) {
		t.Errorf("told of %v", w.gone)
	}
	w.beat("a", -1)
	if d := w.described(); d.State != "Empty" || d.Epoch != 4 || len(d.Members) != 0 || w.count != 0 {
		t.Errorf("empty: %+v, %d members counted", d, w.count)
	}
}

func TestMoreMembersThanPartitionsSharePartitions(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 2)
	owners := map[int32]int{}
	for _, m := range []string{"a", "b", "c", "d", "e"} {
		w.beat(m, 0, "t")
	}
	for _, m := range []string{"a", "b", "c", "d", "e"} {
		got := w.beat(m, 0, "t")
		if len(got.Assignment) != 1 || len(got.Assignment[0].Partitions) != 1 {
			t.Fatalf("%s has %s, want one partition", m, show(got.Assignment))
		}
		owners[got.Assignment[0].Partitions[0]]++
	}
	if owners[0]+owners[1] != 5 || owners[0] < 2 || owners[1] < 2 {
		t.Errorf("owners %v", owners)
	}
	w.refuses(wire.GroupMaxSizeReached, sharegroup.Heartbeat{Group: "g", MemberID: "f", Topics: []string{"t"}, SaidTopics: true})
}

func TestEpochsTellWhoIsBehind(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 1)
	w.beat("a", 0, "t")
	w.beat("b", 0, "t") // the group is at 2
	w.beat("a", 1)
	w.beat("a", 1) // the answer was lost: the last epoch is good still
	w.refuses(wire.FencedMemberEpoch, sharegroup.Heartbeat{Group: "g", MemberID: "a", Epoch: 7})
	w.beat("c", 0, "t")
	w.beat("a", 2)
	w.refuses(wire.FencedMemberEpoch, sharegroup.Heartbeat{Group: "g", MemberID: "a", Epoch: 1})
	w.refuses(wire.UnknownMemberID, sharegroup.Heartbeat{Group: "g", MemberID: "x", Epoch: 1})
	w.refuses(wire.UnknownMemberID, sharegroup.Heartbeat{Group: "g", MemberID: "x", Epoch: -1})
	w.refuses(wire.GroupIDNotFound, sharegroup.Heartbeat{Group: "h", MemberID: "x", Epoch: 1})
	if a := w.beat("a", 0, "t"); a.Epoch != 3 || !a.Assigned {
		t.Errorf("joining anew: %+v", a)
	}
}

func TestMalformedHeartbeatsAreRefused(t *testing.T) {
	w := newWorld(t)
	empty := ""
	for _, h := range []sharegroup.Heartbeat{
		{MemberID: "a", Topics: []string{"t"}}, {Group: "g", Topics: []string{"t"}}, {Group: "g", MemberID: "a"},
		{Group: "g", MemberID: "a", Epoch: -2}, {Group: "g", MemberID: "a", Topics: []string{"t"}, RackID: &empty},
		{Group: "g", MemberID: strings.Repeat("x", 1<<15), Topics: []string{"t"}},
	} {
		w.refuses(wire.InvalidRequest, h)
	}
}

func TestASilentMemberIsPutOut(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 2)
	w.beat("a", 0, "t")
	w.beat("b", 0, "t")
	w.pass(30 * time.Second)
	w.beat("a", 1)
	w.pass(30 * time.Second)
	if a := w.beat("a", 2); show(a.Assignment) != "t[0 1]" {
		t.Errorf("a has %s", show(a.Assignment))
	}
	if !slices.Equal(w.gone, []string{"g/b"}) {
		t.Errorf("told of %v", w.gone)
	}
}

func TestNewPartitionsAndTopicsAreGivenOut(t *testing.T) {
	w := newWorld(t)
	if a := w.beat("a", 0, "t", "u", "t"); len(a.Assignment) != 0 || a.Epoch != 1 {
		t.Fatalf("no topic: %+v", a)
	}
	w.topic("t", 1)
	if a := w.beat("a", 1); show(a.Assignment) != "t[0]" || a.Epoch != 2 {
		t.Errorf("a topic: %+v", a)
	}
	w.topic("t", 3)
	w.topic("u", 1)
	if a := w.beat("a", 2); show(a.Assignment) != "t[0 1 2] u[0]" {
		t.Errorf("grown: %s", show(a.Assignment))
	}
	w.topic("v", 1)
	if a := w.beat("a", 3); a.Assigned {
		t.Errorf("another topic is nobody's business: %+v", a)
	}
	if a := w.beat("a", 3, "v"); show(a.Assignment) != "v[0]" {
		t.Errorf("another subscription: %s", show(a.Assignment))
	}
}

func TestStatesOfTopicsAreNotedAndDropped(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 2)
	w.topic("u", 1)
	names := func(idle bool) string {
		t.Helper()
		body, err := w.do(sharegroup.States{Group: "g", Idle: idle})
		if err != nil {
			return wire.CodeOf(err).Name()
		}
		var out []string
		for _, x := range body.([]schema.ShareTopic) {
			out = append(out, fmt.Sprintf("%s%v", x.Name, x.Partitions))
		}
		return strings.Join(out, " ")
	}
	if got := names(false); got != "GROUP_ID_NOT_FOUND" {
		t.Errorf("no group: %s", got)
	}
	w.beat("a", 0, "t")
	if got := names(true); got != "NON_EMPTY_GROUP" {
		t.Errorf("with a member: %s", got)
	}
	w.beat("a", -1)
	w.do(sharegroup.AddStates{Group: "g", Topics: []schema.ShareTopic{{ID: w.image.TopicByName("u").ID, Name: "u", Partitions: []int32{0}}}})
	if got := names(true); got != "t[0 1] u[0]" {
		t.Errorf("got %s", got)
	}
	w.do(sharegroup.DropStates{Group: "g", IDs: []uuid.UUID{w.image.TopicByName("t").ID}})
	if got := names(true); got != "u[0]" {
		t.Errorf("after one was dropped: %s", got)
	}
	if _, err := w.do(sharegroup.AddStates{Group: "new"}); err != nil {
		t.Errorf("a group is made: %v", err)
	}
	if d, err := w.do(sharegroup.Describe{Group: "new"}); err != nil || d.(sharegroup.Described).State != "Empty" {
		t.Errorf("the group that was made: %+v, %v", d, err)
	}
}

func TestAnIDHasOneType(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 1)
	if _, err := w.do(group.Commit{Group: "g", Generation: -1, RetentionMs: -1, Topics: []group.CommitTopic{{Name: "t", Partitions: []group.CommitPartition{{}}}}}); err != nil {
		t.Fatal(err)
	}
	w.refuses(wire.GroupIDNotFound, sharegroup.Heartbeat{Group: "g", MemberID: "a", Topics: []string{"t"}, SaidTopics: true})
	if _, err := w.do(sharegroup.Describe{Group: "g"}); wire.CodeOf(err) != wire.GroupIDNotFound {
		t.Errorf("described: %v", err)
	}
}

func TestAnEmptyGroupIsDeletedWhole(t *testing.T) {
	w := newWorld(t)
	w.topic("t", 1)
	w.beat("a", 0, "t")
	if _, err := w.do(group.Delete{Group: "g"}); wire.CodeOf(err) != wire.NonEmptyGroup {
		t.Errorf("with a member: %v", err)
	}
	w.beat("a", -1)
	if _, err := w.do(group.Delete{Group: "g"}); err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, r := range w.log {
		if left[string(r.Key)] = r.Value != nil; r.Value == nil {
			delete(left, string(r.Key))
		}
	}
	if len(left) != 0 {
		t.Errorf("%d records are left", len(left))
	}
}

func TestReplayAndSnapshotGiveTheSameGroups(t *testing.T) {
	for seed := range uint64(30) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 3))
		epochs := map[string]int32{}
		for range 80 {
			m := string(rune('a' + r.IntN(6)))
			switch r.IntN(6) {
			case 0:
				w.topic([]string{"t", "u"}[r.IntN(2)], 1+r.IntN(4))
			case 1:
				w.pass(time.Duration(r.IntN(20)) * time.Second)
			case 2:
				if _, err := w.do(sharegroup.Heartbeat{Group: "g", MemberID: m, Epoch: -1}); err == nil {
					delete(epochs, m)
				}
			default:
				h := sharegroup.Heartbeat{Group: "g", MemberID: m, Epoch: epochs[m]}
				if h.Epoch == 0 || r.IntN(3) == 0 {
					h.Topics, h.SaidTopics = []string{"t", "u"}[:1+r.IntN(2)], true
				}
				b, err := w.do(h)
				if beat, ok := b.(sharegroup.Beat); err == nil && ok {
					epochs[m] = beat.Epoch
				} else {
					epochs[m] = 0
				}
			}
			w.invariants()
		}
		replayed, listed := w.machine(), w.machine()
		for _, rec := range w.log {
			replayed.Apply(rec)
		}
		for rec := range w.m.Records() {
			listed.Apply(rec)
		}
		want := describe(t, w.m)
		for name, m := range map[string]*group.Machine{"replayed": replayed, "listed": listed} {
			if got := describe(t, m); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, %s: %+v, live %+v", seed, name, got, want)
			}
		}
	}
}

func describe(t *testing.T, m *group.Machine) any {
	t.Helper()
	out, err := m.Step(time.UnixMilli(0), coordinator.Command{Token: 1, Body: sharegroup.Describe{Group: "g"}})
	if err != nil {
		return wire.CodeOf(err)
	}
	return out.Replies[0].Body
}

// invariants hold at every moment: whoever reads a topic with partitions has
// one of it in its target, and every partition has somebody.
func (w *world) invariants() {
	w.t.Helper()
	body, err := w.do(sharegroup.Describe{Group: "g"})
	if err != nil {
		return
	}
	for _, m := range body.(sharegroup.Described).Members {
		for _, a := range m.Assigned {
			if len(a.Partitions) == 0 || !slices.IsSorted(a.Partitions) {
				w.t.Fatalf("%s has %+v", m.ID, a)
			}
		}
	}
}
