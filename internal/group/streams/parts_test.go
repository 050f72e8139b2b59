package streams

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// some draws tasks.
func some(r *rand.Rand) (tasks, map[place]bool) {
	var list []schema.StreamsTasks
	naive := map[place]bool{}
	for range r.IntN(6) {
		t := schema.StreamsTasks{Subtopology: fmt.Sprint(r.IntN(3))}
		for range r.IntN(4) {
			p := int32(r.IntN(5))
			t.Partitions = append(t.Partitions, p)
			naive[place{t.Subtopology, p}] = true
		}
		list = append(list, t)
	}
	return tasksOf(list), naive
}

func agree(t *testing.T, what string, got tasks, want map[place]bool) {
	t.Helper()
	if len(got) != len(want) || !slices.IsSortedFunc(got, compare) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
	for _, x := range got {
		if !want[x.place] {
			t.Errorf("%s: %v should not be there", what, x)
		}
	}
}

func TestSetsOfTasksBehaveAsMapsDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		a, na := some(r)
		b, nb := some(r)
		agree(t, "a set", a, na)
		both, kept, rest := map[place]bool{}, map[place]bool{}, map[place]bool{}
		for p := range na {
			both[p] = true
			if nb[p] {
				kept[p] = true
			} else {
				rest[p] = true
			}
		}
		for p := range nb {
			both[p] = true
		}
		agree(t, "with", a.with(b), both)
		k, d := a.split(b.has)
		agree(t, "kept", k, kept)
		agree(t, "rest", d, rest)
		if again := tasksOf(a.list(false)); !again.samePlaces(a) {
			t.Errorf("%v is listed and read as %v", a, again)
		}
		x, y := roleTasks{a, nil, b}, roleTasks{b, nil, nil}
		if got, want := x.overlaps(y), len(kept) > 0; got != want {
			t.Errorf("%v overlaps %v: %v", x, y, got)
		}
		if x.samePlaces(y) != (reflect.DeepEqual(na, nb) && len(nb) == 0) {
			t.Errorf("%v is the same as %v", x, y)
		}
		if x.empty() != (len(na)+len(nb) == 0) {
			t.Errorf("%v is empty: %v", x, x.empty())
		}
		for p := range both {
			if !x.hasPlace(p) {
				t.Errorf("%v has no %v", x, p)
			}
		}
	}
}

func TestEpochsOfTasksAreKept(t *testing.T) {
	in := []schema.StreamsTasks{{Subtopology: "1", Partitions: []int32{3, 1}, Epochs: []int32{9, 8}}, {Subtopology: "0", Partitions: []int32{2}, Epochs: []int32{7}}}
	want := []schema.StreamsTasks{{Subtopology: "0", Partitions: []int32{2}, Epochs: []int32{7}}, {Subtopology: "1", Partitions: []int32{1, 3}, Epochs: []int32{8, 9}}}
	if got := tasksOf(in).list(true); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	older, newer := tasksOf(in), tasksOf(want)
	newer[0].epoch = 99
	if got := older.with(newer); got[0].epoch != 7 {
		t.Errorf("with another set a task has epoch %d, want the first's", got[0].epoch)
	}
}

// drawn is a group with members in processes, without a target.
func drawn(r *rand.Rand) (*group, *plan) {
	g, p := newGroup("g"), &plan{tasks: map[string]int32{}}
	for i := range 1 + r.IntN(8) {
		m := newMember(fmt.Sprintf("m%02d", i))
		m.said.ProcessID = fmt.Sprint("p", r.IntN(4))
		g.put(m.id, m)
	}
	for i := range 1 + r.IntN(4) {
		s := schema.Subtopology{ID: fmt.Sprint(i)}
		if r.IntN(2) == 0 {
			s.Changelogs = []schema.StreamsTopic{{Name: "c"}}
		}
		p.subs, p.tasks[s.ID] = append(p.subs, s), int32(r.IntN(7))
	}
	return g, p
}

// judge holds what every sharing out must be, and tells where each active task
// is.
func judge(t *testing.T, g *group, p *plan, standbys int, out map[string]roleTasks) map[place]string {
	t.Helper()
	processes := map[string]bool{}
	at, copies := map[place]string{}, map[place]int{}
	inProcess := map[string]bool{}
	least, most := 1<<30, 0
	for _, id := range g.ids {
		process := g.members[id].said.ProcessID
		processes[process] = true
		least, most = min(least, len(out[id][active])), max(most, len(out[id][active]))
		for _, x := range out[id][active] {
			if at[x.place] != "" {
				t.Errorf("task %v is active twice", x.place)
			}
			at[x.place] = id
		}
		for _, x := range out[id][active].with(out[id][standby]) {
			key := fmt.Sprint(process, x.place)
			if inProcess[key] {
				t.Errorf("task %v is in process %s twice", x.place, process)
			}
			inProcess[key] = true
		}
		for _, x := range out[id][standby] {
			copies[x.place]++
		}
		if len(out[id][warmup]) > 0 {
			t.Errorf("%s has warm-up tasks", id)
		}
	}
	total := 0
	for i := range p.subs {
		s := &p.subs[i]
		total += int(p.tasks[s.ID])
		want := 0
		if stateful(s) {
			want = min(standbys, len(processes)-1)
		}
		for n := range p.tasks[s.ID] {
			if got := copies[place{s.ID, n}]; got != want {
				t.Errorf("task %s-%d has %d standbys, want %d", s.ID, n, got, want)
			}
		}
	}
	if len(at) != total || most-least > 1 {
		t.Errorf("%d of %d tasks are active, %d to %d a member", len(at), total, least, most)
	}
	return at
}

func TestWhateverIsSharedOutIsWholeEvenAndStays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 400 {
		g, p := drawn(r)
		standbys := r.IntN(3)
		first := shareOut(g, p, standbys, nil)
		before := judge(t, g, p, standbys, first)
		g.target = first
		if again := shareOut(g, p, standbys, nil); !sameActives(first, again) {
			t.Errorf("nothing has changed, and tasks move from %v to %v", first, again)
		}
		m := newMember("m99")
		m.said.ProcessID = "p9"
		g.put(m.id, m)
		after := judge(t, g, p, standbys, shareOut(g, p, standbys, nil))
		moved := 0
		for at, id := range after {
			if before[at] != id {
				moved++
			}
		}
		if most := (len(before) + len(g.ids) - 1) / len(g.ids); moved > most {
			t.Errorf("one came to %d, and %d of %d tasks move, at most %d need to", len(g.ids)-1, moved, len(before), most)
		}
		g.put(m.id, nil)
		g.target = first
		gone := g.ids[0]
		g.put(gone, nil)
		if len(g.ids) == 0 {
			continue
		}
		for at, id := range judge(t, g, p, standbys, shareOut(g, p, standbys, nil)) {
			if before[at] != gone && before[at] != id {
				t.Errorf("%s is gone, and task %v moves from %s to %s", gone, at, before[at], id)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func sameActives(a, b map[string]roleTasks) bool {
	for id := range a {
		if !a[id][active].samePlaces(b[id][active]) {
			return false
		}
	}
	return true
}

func TestAStandbyTakesOver(t *testing.T) {
	g, p := newGroup("g"), &plan{tasks: map[string]int32{"0": 4}, subs: []schema.Subtopology{{ID: "0", Changelogs: []schema.StreamsTopic{{Name: "c"}}}}}
	for i := range 3 {
		m := newMember(fmt.Sprint("m", i))
		m.said.ProcessID = m.id
		g.put(m.id, m)
	}
	g.target = shareOut(g, p, 1, nil)
	lost := g.target["m0"][active]
	spare := map[place]string{}
	for _, id := range g.ids {
		for _, x := range g.target[id][standby] {
			spare[x.place] = id
		}
	}
	g.put("m0", nil)
	next, over := shareOut(g, p, 1, nil), 0
	for _, x := range lost {
		if next[spare[x.place]][active].has(x) {
			over++
		}
	}
	if len(lost) == 0 || over == 0 {
		t.Errorf("of %d lost tasks none goes to who stood by (%v): %v", len(lost), spare, next)
	}
}

func TestNobodyGetsAnythingWhileTopicsAreAmiss(t *testing.T) {
	g, p := drawn(rand.New(rand.NewPCG(5, 6)))
	p.problem = &Status{Code: MissingSources}
	for id, r := range shareOut(g, p, 1, nil) {
		if !r.empty() {
			t.Errorf("%s gets %v", id, r)
		}
	}
}

// imageOf has topics with so many partitions.
func imageOf(t *testing.T, topics map[string]int) *metadata.Image {
	t.Helper()
	var recs []metadata.Record
	for name, n := range topics {
		id := uuid.UUID([]byte(fmt.Sprintf("%-16.16s", name)))
		recs = append(recs, &metadata.TopicRecord{Name: name, ID: id})
		for i := range n {
			recs = append(recs, &metadata.PartitionRecord{TopicID: id, Partition: int32(i), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1})
		}
	}
	img, _, err := metadata.Empty().With(1, 1, recs...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestTheHashIsOfTheTopicsOfTheTopology(t *testing.T) {
	topology := &schema.StreamsTopologyValue{Subtopologies: []schema.Subtopology{{ID: "0", Sources: []string{"a", "b"}, Changelogs: []schema.StreamsTopic{{Name: "c"}}}}}
	if got := hashOf(topology, metadata.Empty()); got != 0 {
		t.Errorf("without topics it is %d", got)
	}
	seen := map[int64]string{}
	for _, topics := range []map[string]int{{"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": 1}, {"a": 1, "c": 1}} {
		h := hashOf(topology, imageOf(t, topics))
		if other, there := seen[h]; there || h == 0 {
			t.Errorf("%v has the hash of %q", topics, other)
		}
		seen[h] = fmt.Sprint(topics)
	}
	if a, b := hashOf(topology, imageOf(t, map[string]int{"a": 1})), hashOf(topology, imageOf(t, map[string]int{"a": 1, "other": 3})); a != b {
		t.Error("a topic that is none of the topology's changes the hash")
	}
}

func TestALookLeavesTheTopologyAsItIs(t *testing.T) {
	topology := &schema.StreamsTopologyValue{Subtopologies: []schema.Subtopology{
		{ID: "0", Sources: []string{"a"}, Sinks: []string{"r"}, Changelogs: []schema.StreamsTopic{{Name: "c"}}},
		{ID: "1", Repartitions: []schema.StreamsTopic{{Name: "r"}}},
	}}
	before := schema.AppendStreamsTopology(nil, *topology)
	p := look(topology, imageOf(t, map[string]int{"a": 3}))
	if p.tasks["0"] != 3 || p.tasks["1"] != 3 || len(p.missing) != 2 || p.problem.Code != MissingInternal {
		t.Errorf("the plan is %+v", p)
	}
	if !slices.Equal(before, schema.AppendStreamsTopology(nil, *topology)) {
		t.Error("the topology was changed")
	}
	wrong := look(topology, imageOf(t, map[string]int{"a": 3, "c": 2, "r": 3}))
	if wrong.problem.Code != WronglyPartitioned || wrong.subs != nil || wrong.missing != nil {
		t.Errorf("with a changelog of two partitions: %+v", wrong)
	}
	if ready := look(topology, imageOf(t, map[string]int{"a": 3, "c": 3, "r": 3})); !ready.ready() {
		t.Errorf("with all topics: %+v", ready.problem)
	}
}

func TestRecordsThatCannotBeReadChangeNothing(t *testing.T) {
	k := New(Defaults())(nil).(*Kind)
	key := func(recordType int16, member string) schema.Key {
		return schema.Key{Type: recordType, Group: "g", Member: member}
	}
	k.Apply(key(schema.StreamsGroupMetadata, ""), schema.AppendStreamsGroup(nil, schema.StreamsGroupValue{Epoch: 4, Validated: -1}))
	k.Apply(key(schema.StreamsMember, "m"), schema.AppendStreamsMember(nil, schema.StreamsMemberValue{ProcessID: "p"}))
	k.Apply(key(schema.StreamsTarget, ""), schema.AppendTarget(nil, schema.TargetValue{Epoch: 4}))
	before := fmt.Sprint(slices.Collect(k.Records()))
	for _, recordType := range []int16{schema.StreamsGroupMetadata, schema.StreamsMember, schema.StreamsTarget, schema.StreamsTargetMember, schema.StreamsCurrent, schema.StreamsTopology} {
		if !k.Owns(recordType) {
			t.Errorf("type %d is nobody's", recordType)
		}
		for _, raw := range [][]byte{{}, {0}, {0, 9, 1, 2}, {0, 0, 255, 255, 255, 255, 15}} {
			k.Apply(key(recordType, "m"), raw)
		}
	}
	if after := fmt.Sprint(slices.Collect(k.Records())); after != before {
		t.Errorf("the state became %s, was %s", after, before)
	}
	k.Apply(schema.Key{Type: schema.StreamsMember, Group: "none", Member: "m"}, nil)
	if k.Has("none") {
		t.Error("a tombstone made a group")
	}
}

func TestTombstonesTakeBackWhatTheyAreAbout(t *testing.T) {
	g := newGroup("g")
	set := func(recordType int16, value []byte) {
		g.Apply(schema.Key{Type: recordType, Group: "g", Member: "m"}, value)
	}
	roles := schema.StreamsAssignment{Active: []schema.StreamsTasks{{Subtopology: "0", Partitions: []int32{0}, Epochs: []int32{2}}}}
	instance := "i"
	set(schema.StreamsMember, schema.AppendStreamsMember(nil, schema.StreamsMemberValue{InstanceID: &instance}))
	set(schema.StreamsTargetMember, schema.AppendStreamsTarget(nil, roles))
	set(schema.StreamsTarget, schema.AppendTarget(nil, schema.TargetValue{Epoch: 2, AtMs: 5}))
	set(schema.StreamsTopology, schema.AppendStreamsTopology(nil, schema.StreamsTopologyValue{}))
	set(schema.StreamsCurrent, schema.AppendStreamsCurrent(nil, schema.StreamsCurrentValue{Epoch: 2, State: 1, Assigned: roles}))
	if g.owners[place{"0", 0}] != "m" || g.static("i") == nil || len(g.target) != 1 || g.topology == nil {
		t.Fatalf("the group is %+v", g)
	}
	set(schema.StreamsCurrent, nil)
	if m := g.members["m"]; m.epoch != leaving || len(g.owners) != 0 || m.instance() != "i" {
		t.Errorf("without its assignment the member is %+v", m)
	}
	set(schema.StreamsTargetMember, nil)
	set(schema.StreamsTarget, nil)
	set(schema.StreamsTopology, nil)
	set(schema.StreamsMember, nil)
	if len(g.members)+len(g.ids)+len(g.instances)+len(g.target) != 0 || g.topology != nil || g.targetEpoch != -1 || g.static("i") != nil {
		t.Errorf("the group is %+v", g)
	}
}

func TestStatesOfAGroup(t *testing.T) {
	topology := &schema.StreamsTopologyValue{Epoch: 3}
	with := func(change func(*group)) *group {
		g := newGroup("g")
		m := newMember("m")
		m.epoch = 5
		g.put("m", m)
		g.topology, g.meta.Validated, g.meta.Epoch, g.targetEpoch = topology, 3, 5, 5
		change(g)
		return g
	}
	for want, g := range map[string]*group{
		"Stable":      with(func(*group) {}),
		"Empty":       with(func(g *group) { g.put("m", nil) }),
		"NotReady":    with(func(g *group) { g.meta.Validated = -1 }),
		"Assigning":   with(func(g *group) { g.meta.Epoch = 6 }),
		"Reconciling": with(func(g *group) { g.meta.Epoch, g.targetEpoch = 6, 6 }),
	} {
		if got := g.state(); got != want {
			t.Errorf("a group is %s, want %s", got, want)
		}
	}
	if got := with(func(g *group) { g.topology = nil }).state(); got != "NotReady" {
		t.Errorf("a group without a topology is %s", got)
	}
}

// A topology as long as a request may bring is worked out in a moment, and one
// that goes round in a long circle is refused as soon.
func TestALongTopologyIsWorkedOutOnce(t *testing.T) {
	const n = 20000
	topology := &schema.StreamsTopologyValue{}
	for i := range n {
		s := schema.Subtopology{ID: fmt.Sprintf("%05d", i), Sinks: []string{fmt.Sprintf("r%05d", i)}}
		if i == n-1 {
			s.Sources = []string{"a"}
		} else {
			s.Repartitions = []schema.StreamsTopic{{Name: fmt.Sprintf("r%05d", i+1)}}
		}
		topology.Subtopologies = append(topology.Subtopologies, s)
	}
	img := imageOf(t, map[string]int{"a": 3})
	if p := look(topology, img); p.problem.Code != MissingInternal || p.tasks["00000"] != 3 || len(p.missing) != n-1 {
		t.Errorf("the plan has %d topics to make, %d tasks in the last, %+v", len(p.missing), p.tasks["00000"], p.problem.Code)
	}
	last := &topology.Subtopologies[n-1]
	last.Repartitions = []schema.StreamsTopic{{Name: "r00000"}}
	if p := look(topology, img); p.problem.Code != WronglyPartitioned {
		t.Errorf("a circle gives %+v", p.problem)
	}
}
