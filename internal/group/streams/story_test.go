package streams_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/internal/group"
	"ottla/internal/group/schema"
	"ottla/internal/group/streams"
	"ottla/internal/wire"
)

func TestTasksAreSharedOutAsMembersComeAndGo(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 4)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	if a.beat(); show(a.has) != "0[0 1 2 3]" || a.epoch != 2 || codes(a.last.Status) != "" {
		t.Errorf("the first member has %q at %d, %+v", show(a.has), a.epoch, a.last.Status)
	}
	if b.beat(); show(b.has) != "" || b.epoch != 3 {
		t.Errorf("the second has %q at %d before the first gave anything up", show(b.has), b.epoch)
	}
	if a.beat(); show(a.has) != "0[0 1]" || a.epoch != 2 {
		t.Errorf("the first is told to keep %q at %d, want two tasks at its epoch", show(a.has), a.epoch)
	}
	if a.beat(); a.epoch != 3 {
		t.Errorf("the first is at %d after it gave two up, want 3", a.epoch)
	}
	if b.beat(); show(b.has) != "0[2 3]" {
		t.Errorf("the second has %q", show(b.has))
	}
	if d := w.describe(); d.State != "Stable" || d.Epoch != 3 || d.AssignmentEpoch != 3 || len(d.Members) != 2 {
		t.Errorf("the group is %+v", d)
	}
	w.crash(false)
	b.leave(-1)
	if a.beat(); show(a.has) != "0[0 1 2 3]" || a.epoch != 4 {
		t.Errorf("the one that is left has %q at %d", show(a.has), a.epoch)
	}
	a.leave(-1)
	if d := w.describe(); d.State != "Empty" || w.count != 0 {
		t.Errorf("the group is %s with %d members", d.State, w.count)
	}
}

func TestAMemberThatDoesNotGiveUpOrReportIsTakenOut(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	a.beat()
	b.beat()
	keep := a.has
	a.beat() // is told to give one up, and keeps it
	a.has = keep
	for range 4 {
		w.pass(20 * time.Second)
		b.beat()
		if d := w.describe(); len(d.Members) == 2 {
			a.beat()
			a.has = keep
		}
	}
	if b.beat(); show(b.has) != "0[0 1]" {
		t.Errorf("after the rebalance timeout the other has %q", show(b.has))
	}
	a.refused(wire.UnknownMemberID, func(*streams.Heartbeat) {})
	w.pass(time.Minute)
	if d := w.describe(); d.State != "Empty" {
		t.Errorf("the group is %s after all sessions have lapsed", d.State)
	}
}

func TestInternalTopicsAreMadeAndTheirPartitionsCounted(t *testing.T) {
	w := newWorld(t)
	a := w.client("a", "p1", words())
	if a.beat(); len(a.last.Status) != 1 || a.last.Status[0] != (streams.Status{Code: streams.MissingSources, Detail: "Source topics in are missing."}) {
		t.Errorf("without the source: %+v", a.last.Status)
	}
	if d := w.describe(); d.State != "NotReady" || d.Ready || d.Topology.Subtopologies[1].Changelogs[0].Partitions != 0 {
		t.Errorf("the group is %+v", d)
	}
	w.refuse = "no more disks"
	w.topic("in", 3)
	if a.beat(); codes(a.last.Status) != "3" || a.last.Status[0].Detail != "Internal topics are missing: [app-changelog, app-repartition]" {
		t.Errorf("with the source: %+v", a.last.Status)
	}
	if a.beat(); !strings.Contains(a.last.Status[0].Detail, "Creation failed: app-changelog (no more disks), app-repartition (no more disks).") {
		t.Errorf("when they cannot be made: %+v", a.last.Status)
	}
	w.refuse = ""
	a.beat() // has them made
	if a.beat(); show(a.has) != "0[0 1 2] 1[0 1 2]" || len(a.last.Status) != 0 {
		t.Errorf("then the member has %q, %+v", show(a.has), a.last.Status)
	}
	for _, name := range []string{"app-changelog", "app-repartition"} {
		if topic := w.image.TopicByName(name); topic == nil || len(topic.Partitions) != 3 {
			t.Errorf("%s is %+v, want three partitions", name, topic)
		}
	}
	d := w.describe()
	if sub := d.Topology.Subtopologies[1]; d.State != "Stable" || sub.Changelogs[0].Partitions != 3 || sub.Repartitions[0].Partitions != 3 {
		t.Errorf("the group is %s with %+v", d.State, sub)
	}
	w.topic("in", 4)
	if a.beat(); codes(a.last.Status) != "2" || !strings.Contains(a.last.Status[0].Detail, "different number of partitions: expected 4, found 3") {
		t.Errorf("after the source grew: %+v", a.last.Status)
	}
}

func TestPartitionCountsFollowCopartitionRules(t *testing.T) {
	repartition := func(name string, n int32) schema.StreamsTopic { return schema.StreamsTopic{Name: name, Partitions: n} }
	both := []schema.Copartition{{Sources: []int16{0}, Repartitions: []int16{0}}}
	for name, tc := range map[string]struct {
		subs []schema.Subtopology
		want string // a status, or the tasks
	}{
		"unequal sources": {[]schema.Subtopology{{ID: "0", Sources: []string{"two", "three"}, Copartitions: []schema.Copartition{{Sources: []int16{0, 1}}}}},
			"Following topics do not have the same number of partitions: [{three=3, two=2}]"},
		"free sources": {[]schema.Subtopology{{ID: "0", Sources: []string{"two", "three"}}}, "0[0 1 2]"},
		"a repartition topic follows a source": {[]schema.Subtopology{
			{ID: "0", Sources: []string{"two"}, Sinks: []string{"r"}},
			{ID: "1", Sources: []string{"three"}, Repartitions: []schema.StreamsTopic{repartition("r", 0)}, Copartitions: both},
		}, "0[0 1] 1[0 1 2]"},
		"a fixed one may not differ": {[]schema.Subtopology{
			{ID: "0", Sources: []string{"two"}, Sinks: []string{"r"}},
			{ID: "1", Sources: []string{"three"}, Repartitions: []schema.StreamsTopic{repartition("r", 5)}, Copartitions: both},
		}, "Number of partitions [5] of repartition topic [r] doesn't match number of partitions [3] of the source topic."},
		"fixed ones lead": {[]schema.Subtopology{
			{ID: "0", Sources: []string{"two"}, Sinks: []string{"r", "s"}},
			{ID: "1", Repartitions: []schema.StreamsTopic{repartition("r", 5), repartition("s", 0)}, Copartitions: []schema.Copartition{{Repartitions: []int16{0, 1}}}},
		}, "0[0 1] 1[0 1 2 3 4]"},
		"fixed ones must agree": {[]schema.Subtopology{
			{ID: "1", Repartitions: []schema.StreamsTopic{repartition("r", 5), repartition("s", 4)}, Copartitions: []schema.Copartition{{Repartitions: []int16{0, 1}}}},
		}, "Following topics do not have the same number of partitions: [{r=5, s=4}]"},
		"loops": {[]schema.Subtopology{{ID: "0", Sinks: []string{"r"}, Repartitions: []schema.StreamsTopic{repartition("r", 0)}}},
			"Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved."},
		"a chain": {[]schema.Subtopology{
			{ID: "0", Sources: []string{"two"}, Sinks: []string{"r"}},
			{ID: "1", Repartitions: []schema.StreamsTopic{repartition("r", 0)}, Sinks: []string{"s"}},
			{ID: "2", Repartitions: []schema.StreamsTopic{repartition("s", 0)}},
		}, "0[0 1] 1[0 1] 2[0 1]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.topic("two", 2)
			w.topic("three", 3)
			a := w.client("a", "p", schema.StreamsTopologyValue{Subtopologies: tc.subs})
			a.beat()
			a.beat()
			got := show(a.has)
			for _, s := range a.last.Status {
				got += s.Detail
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestStandbysAreInOtherProcesses(t *testing.T) {
	w := newWorld(t)
	w.own.Standbys = 1
	w.topic("in", 2)
	w.topic("app-repartition", 2)
	w.topic("app-changelog", 2)
	a, a2, b := w.client("a", "p1", words()), w.client("a2", "p1", words()), w.client("b", "p2", words())
	for range 6 {
		a.beat()
		a2.beat()
		b.beat()
	}
	d := w.describe()
	if d.State != "Stable" {
		t.Fatalf("the group is %+v", d)
	}
	active, spare := map[string]string{}, map[string]string{}
	process := map[string]string{"a": "p1", "a2": "p1", "b": "p2"}
	for _, m := range d.Members {
		for _, s := range m.Assigned.Active {
			for _, p := range s.Partitions {
				active[fmt.Sprint(s.Subtopology, p)] = process[m.ID]
			}
		}
		for _, s := range m.Assigned.Standby {
			for _, p := range s.Partitions {
				spare[fmt.Sprint(s.Subtopology, p)] = process[m.ID]
			}
		}
	}
	if len(active) != 4 || len(spare) != 2 {
		t.Errorf("active %v, standby %v: want all four, and those of the store", active, spare)
	}
	for task, p := range spare {
		if active[task] == p || !strings.HasPrefix(task, "1") {
			t.Errorf("task %s stands by in %s, where it is active, or has no state", task, p)
		}
	}
	w.own.Standbys = 0
	if a.beat(); w.describe().Epoch == d.Epoch {
		t.Error("a changed setting did not bring another assignment")
	}
}

func TestStandbysGoWhereTagsDiffer(t *testing.T) {
	w := newWorld(t)
	w.own.Standbys, w.own.Tags = 1, []string{"zone"}
	w.topic("in", 1)
	w.topic("app-repartition", 1)
	w.topic("app-changelog", 1)
	var all []*client
	for i, zone := range []string{"z1", "z1", "z2"} {
		c := w.client(fmt.Sprint("m", i), fmt.Sprint("p", i), words())
		c.tags = []schema.StreamsPair{{Key: "zone", Value: zone}}
		all = append(all, c)
	}
	for range 5 {
		for _, c := range all {
			c.beat()
		}
	}
	for i, c := range all {
		if len(c.has.Standby) > 0 != (i == 2) && len(all[2].has.Active) == 0 {
			t.Errorf("m%d has %q", i, show(c.has))
		}
	}
	d := w.client("d", "p9", words())
	if d.beat(); codes(d.last.Status) != "6" {
		t.Errorf("a member without the tag hears %+v", d.last.Status)
	}
}

func TestTopologiesOfMembersAreCompared(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	newer := plain("in")
	newer.Epoch = 3
	w.client("a", "p1", newer).beat()
	old := w.client("b", "p2", plain("in"))
	if old.beat(); codes(old.last.Status) != "0" || old.last.Status[0].Detail != "The member's topology epoch 0 is behind the group's topology epoch 3." {
		t.Errorf("a member of an old topology hears %+v", old.last.Status)
	}
	other := plain("other")
	other.Epoch = 3
	w.client("c", "p3", other).refused(wire.InvalidRequest, func(*streams.Heartbeat) {})
	higher := plain("in")
	higher.Epoch = 4
	w.client("d", "p4", higher).refused(wire.InvalidRequest, func(*streams.Heartbeat) {})
}

func TestOneMemberMayStopAll(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	a.beat()
	b.beat()
	h := a.request()
	h.Shutdown = true
	if _, err := a.try(h); err != nil {
		t.Fatal(err)
	}
	want := "Streams group member a encountered a fatal error and requested a shutdown for the entire application."
	if b.beat(); codes(b.last.Status) != "4" || b.last.Status[0].Detail != want {
		t.Errorf("the other hears %+v", b.last.Status)
	}
	a.leave(-1)
	b.leave(-1)
	if a.beat(); len(a.last.Status) != 0 {
		t.Errorf("a new start hears %+v", a.last.Status)
	}
}

func TestANewGroupWaitsForMoreMembers(t *testing.T) {
	w := newWorld(t)
	w.own.Delay = 3 * time.Second
	w.topic("in", 4)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	for _, c := range []*client{a, b, a} {
		if c.beat(); codes(c.last.Status) != "5" || show(c.has) != "" || c.epoch != 1 {
			t.Errorf("%s has %q at %d, %+v, want nothing yet", c.id, show(c.has), c.epoch, c.last.Status)
		}
	}
	w.pass(3 * time.Second)
	a.beat()
	if b.beat(); show(a.has) != "0[0 2]" && show(a.has) != "0[0 1]" || len(b.has.Active) != 1 {
		t.Errorf("then they have %q and %q", show(a.has), show(b.has))
	}
}

func TestTheAssignmentIntervalHolds(t *testing.T) {
	w := newWorld(t)
	w.own.Assignment = time.Second
	w.topic("in", 4)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	a.beat()
	if b.beat(); codes(b.last.Status) != "5" || w.describe().State != "Assigning" {
		t.Errorf("the second hears %+v", b.last.Status)
	}
	w.pass(time.Second)
	if b.beat(); codes(b.last.Status) != "" || w.describe().State != "Reconciling" {
		t.Errorf("a second later it hears %+v", b.last.Status)
	}
}

func TestStaticMembersComeBackToTheirTasks(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	name := "i"
	a := w.client("a", "p1", plain("in"))
	a.instance = &name
	a.beat()
	twin := w.client("t", "p1", plain("in"))
	twin.instance = &name
	twin.refused(wire.UnreleasedInstanceID, func(*streams.Heartbeat) {})
	epoch := w.describe().Epoch
	a.leave(-2)
	if d := w.describe(); len(d.Members) != 1 || d.Members[0].Epoch != -2 {
		t.Errorf("a static member that left for a while: %+v", d.Members)
	}
	twin.beat()
	if d := w.describe(); d.Epoch != epoch || len(d.Members) != 1 || d.Members[0].ID != "t" || show(twin.has) != "0[0 1]" {
		t.Errorf("it came back as %+v with %q; the epoch was %d", d, show(twin.has), epoch)
	}
	a.epoch = 2
	a.refused(wire.FencedInstanceID, func(*streams.Heartbeat) {})
	twin.leave(-1)
	a.refused(wire.UnknownMemberID, func(*streams.Heartbeat) {})
}

func TestEpochsFence(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	a := w.client("a", "p1", plain("in"))
	a.beat()
	w.client("b", "p2", plain("in")).beat()
	a.beat()
	a.beat()
	for _, tc := range []struct {
		epoch int32
		owned string
		want  wire.Code
	}{{3, "", wire.None}, {9, "", wire.FencedMemberEpoch}, {2, "0", wire.None}, {2, "0 1", wire.FencedMemberEpoch}, {1, "", wire.FencedMemberEpoch}} {
		h := a.request()
		h.Epoch, h.Owned = tc.epoch, schema.StreamsAssignment{}
		for _, p := range strings.Fields(tc.owned) {
			h.Owned.Active = append(h.Owned.Active, schema.StreamsTasks{Subtopology: "0", Partitions: []int32{int32(p[0] - '0')}})
		}
		if _, err := w.do(h); wire.CodeOf(err) != tc.want {
			t.Errorf("epoch %d with %q: %v, want %v", tc.epoch, tc.owned, err, tc.want)
		}
	}
	a.refused(wire.UnknownMemberID, func(h *streams.Heartbeat) { h.MemberID = "nobody" })
	a.refused(wire.GroupIDNotFound, func(h *streams.Heartbeat) { h.Group = "none" })
}

func TestMalformedHeartbeatsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	empty, long := "", strings.Repeat("x", 1<<15)
	for name, tc := range map[string]struct {
		want   wire.Code
		change func(*streams.Heartbeat)
	}{
		"no id":          {wire.InvalidRequest, func(h *streams.Heartbeat) { h.MemberID = "" }},
		"no group":       {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Group = "" }},
		"empty instance": {wire.InvalidRequest, func(h *streams.Heartbeat) { h.InstanceID = &empty }},
		"empty rack":     {wire.InvalidRequest, func(h *streams.Heartbeat) { h.RackID = &empty }},
		"a long name":    {wire.InvalidRequest, func(h *streams.Heartbeat) { h.ProcessID = &long }},
		"epoch -3":       {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Epoch = -3 }},
		"-2 not static":  {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Epoch = -2 }},
		"no timeout":     {wire.InvalidRequest, func(h *streams.Heartbeat) { h.RebalanceMs = -1 }},
		"no active":      {wire.InvalidRequest, func(h *streams.Heartbeat) { h.SaidActive = false }},
		"no standby":     {wire.InvalidRequest, func(h *streams.Heartbeat) { h.SaidStandby = false }},
		"no warmup":      {wire.InvalidRequest, func(h *streams.Heartbeat) { h.SaidWarmup = false }},
		"no topology":    {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Topology = nil }},
		"topology later": {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Epoch = 1 }},
		"one role alone": {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Epoch, h.Topology, h.SaidStandby = 1, nil, false }},
		"regex":          {wire.InvalidRequest, func(h *streams.Heartbeat) { h.Topology.Subtopologies[0].SourceRegex = []string{"a.*"} }},
		"twice": {wire.StreamsInvalidTopology, func(h *streams.Heartbeat) {
			h.Topology.Subtopologies = append(h.Topology.Subtopologies, h.Topology.Subtopologies[0])
		}},
		"sized changelog": {wire.StreamsInvalidTopology, func(h *streams.Heartbeat) {
			h.Topology.Subtopologies[0].Changelogs = []schema.StreamsTopic{{Name: "c", Partitions: 2}}
		}},
		"copartition of nothing": {wire.StreamsInvalidTopology, func(h *streams.Heartbeat) {
			h.Topology.Subtopologies[0].Copartitions = []schema.Copartition{{Sources: []int16{1}}}
		}},
		"negative repartition": {wire.StreamsInvalidTopology, func(h *streams.Heartbeat) {
			h.Topology.Subtopologies[0].Repartitions = []schema.StreamsTopic{{Name: "r", Partitions: -1}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.client("a", "p", plain("in")).refused(tc.want, tc.change)
		})
	}
	a := w.client("a", "p", plain("in"))
	a.beat()
	a.refused(wire.InvalidRequest, func(h *streams.Heartbeat) { h.Owned.Active[0].Subtopology = "7" })
	a.refused(wire.InvalidRequest, func(h *streams.Heartbeat) { h.Owned.Active[0].Partitions = []int32{2} })
}

func TestEndpointsAreToldWhenTasksMove(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	a.at, b.at = &schema.StreamsEndpoint{Host: "ha", Port: 1}, &schema.StreamsEndpoint{Host: "hb", Port: 65535}
	if a.beat(); !a.last.SaidEndpoints || fmt.Sprint(a.last.Endpoints) != "[{{ha 1} [{in [0 1]}] []}]" {
		t.Errorf("the first hears %+v", a.last)
	}
	if a.beat(); a.last.SaidEndpoints {
		t.Errorf("nothing has changed, and it hears %+v", a.last)
	}
	for range 3 {
		b.beat()
		a.beat()
	}
	if a.beat(); a.endpoints != b.endpoints && !a.last.SaidEndpoints {
		t.Errorf("endpoint epochs are %d and %d", a.endpoints, b.endpoints)
	}
	h := a.request()
	h.EndpointEpoch = -5
	if got, err := a.try(h); err != nil || fmt.Sprint(got.Endpoints) != "[{{ha 1} [{in [0]}] []} {{hb 65535} [{in [1]}] []}]" {
		t.Errorf("whoever is behind hears %+v, %v", got, err)
	}
}

func TestTaskOffsetsAreShown(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 1)
	a := w.client("a", "p1", plain("in"))
	a.beat()
	h := a.request()
	h.Offsets, h.SaidOffsets = []streams.TaskOffset{{Subtopology: "0", Offset: 7}}, true
	h.Ends, h.SaidEnds = []streams.TaskOffset{{Subtopology: "0", Offset: 9}}, true
	if _, err := a.try(h); err != nil {
		t.Fatal(err)
	}
	a.beat()
	if m := w.describe().Members[0]; len(m.Offsets) != 1 || m.Offsets[0].Offset != 7 || m.Ends[0].Offset != 9 {
		t.Errorf("the member is %+v", m)
	}
}

func TestAFullGroupTakesNobodyMore(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 1)
	for i := range 6 {
		w.client(fmt.Sprint("m", i), "p", plain("in")).beat()
	}
	w.client("more", "p", plain("in")).refused(wire.GroupMaxSizeReached, func(*streams.Heartbeat) {})
}

func TestAGroupIsListedAndDeletedAndAnIDHasOneType(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 1)
	a := w.client("a", "p", plain("in"))
	a.beat()
	if _, err := w.do(group.Delete{Group: "g"}); wire.CodeOf(err) != wire.NonEmptyGroup {
		t.Errorf("a group with a member: %v", err)
	}
	a.leave(-1)
	if _, err := w.do(group.Delete{Group: "g"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.do(streams.Describe{Group: "g"}); wire.CodeOf(err) != wire.GroupIDNotFound {
		t.Errorf("a deleted group: %v", err)
	}
	w.crash(false)
	if left := dump(w.m); left != "" {
		t.Errorf("a deleted group leaves %s", left)
	}
}

func TestWhoMayCommit(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	a.beat()
	b.beat()
	a.beat()
	a.beat() // at 3, with task 0 since 2
	commit := func(member string, epoch int32, partition int32) wire.Code {
		body, err := w.do(group.Commit{
			Group: "g", MemberID: member, Generation: epoch, Version: 9,
			Topics: []group.CommitTopic{{Name: "in", ID: idOf("in"), Partitions: []group.CommitPartition{{Index: partition, Offset: 1}}}},
		})
		if err != nil {
			return wire.CodeOf(err)
		}
		return body.(group.CommitReply).Codes[0][0]
	}
	for _, tc := range []struct {
		member           string
		epoch, partition int32
		want             wire.Code
	}{
		{"a", 3, 0, wire.None}, {"a", 2, 0, wire.None}, {"a", 1, 0, wire.StaleMemberEpoch}, {"a", 2, 1, wire.StaleMemberEpoch},
		{"a", 4, 0, wire.StaleMemberEpoch}, {"x", 3, 0, wire.UnknownMemberID}, {"", -1, 0, wire.UnknownMemberID},
	} {
		if got := commit(tc.member, tc.epoch, tc.partition); got != tc.want {
			t.Errorf("%q at %d for %d: %v, want %v", tc.member, tc.epoch, tc.partition, got, tc.want)
		}
	}
	a.leave(-1)
	b.leave(-1)
	if got := commit("", -1, 0); got != wire.None {
		t.Errorf("a tool commits to an empty group: %v", got)
	}
}

func TestEveryMemberHasSomeOfEachSubtopology(t *testing.T) {
	for _, together := range []bool{false, true} {
		w := newWorld(t)
		if together {
			w.own.Delay = time.Second
		}
		w.topic("in", 4)
		w.topic("app-repartition", 4)
		w.topic("app-changelog", 4)
		a, b := w.client("a", "p1", words()), w.client("b", "p2", words())
		a.beat()
		for range 4 {
			b.beat()
			a.beat()
			w.pass(time.Second)
		}
		for _, c := range []*client{a, b} {
			if len(c.has.Active) != 2 || len(c.has.Active[0].Partitions) != 2 || len(c.has.Active[1].Partitions) != 2 {
				t.Errorf("%s has %q, want two of each", c.id, show(c.has))
			}
		}
	}
}

func TestAGroupWithoutMembersChangesItsType(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 1)
	commit := group.Commit{Group: "g", Generation: -1, Version: 9, Topics: []group.CommitTopic{{Name: "in", ID: idOf("in"), Partitions: []group.CommitPartition{{Offset: 7}}}}}
	if _, err := w.do(commit); err != nil {
		t.Fatal(err)
	}
	a := w.client("a", "p", plain("in"))
	if a.beat(); show(a.has) != "0[0]" {
		t.Errorf("a member of what was a classic group has %q", show(a.has))
	}
	join := group.Join{Group: "g", ClientID: "c", ClientHost: "/h", SessionMs: 10000, RebalanceMs: 10000, ProtocolType: "consumer", Protocols: []group.Protocol{{Name: "range"}}}
	if body, err := w.do(join); err != nil || body.(group.JoinReply).Code != wire.InconsistentGroupProtocol {
		t.Errorf("a classic member joins a streams group with a member: %+v, %v", body, err)
	}
	a.leave(-1)
	if _, err := w.do(join); err != nil {
		t.Errorf("a classic member joins an empty one: %v", err)
	}
	a.refused(wire.GroupIDNotFound, func(*streams.Heartbeat) {})
	fetched, err := w.do(group.Fetch{Group: "g", Epoch: -1, Topics: []group.FetchTopic{{Name: "in", ID: idOf("in"), Partitions: []int32{0}}}})
	if err != nil || !strings.Contains(fmt.Sprintf("%+v", fetched), "Offset:7") {
		t.Errorf("its offsets are %+v, %v", fetched, err)
	}
	w.crash(true)
}

func TestAnUnreleasedTaskComesWhenItIsFree(t *testing.T) {
	w := newWorld(t)
	w.topic("in", 2)
	a, b := w.client("a", "p1", plain("in")), w.client("b", "p2", plain("in"))
	a.beat()
	keep := a.has
	b.beat()
	a.beat()
	a.has = keep // does not give up yet
	for range 3 {
		a.beat()
		a.has = keep
		if b.beat(); show(b.has) != "" {
			t.Fatalf("b has %q, which a has not given up", show(b.has))
		}
	}
	w.crash(true)
	a.has = schema.StreamsAssignment{Active: []schema.StreamsTasks{{Subtopology: "0", Partitions: []int32{0}}}}
	a.beat()
	if b.beat(); show(b.has) != "0[1]" {
		t.Errorf("then b has %q", show(b.has))
	}
}

func TestARoleChangesInsideOfAProcessOnlyWhenItIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.own.Standbys = 1
	w.topic("in", 2)
	w.topic("app-repartition", 2)
	w.topic("app-changelog", 2)
	a, b := w.client("a", "p1", words()), w.client("b", "p2", words())
	for range 5 {
		a.beat()
		b.beat()
	}
	spare := show(schema.StreamsAssignment{Standby: b.has.Standby})
	if spare == "" {
		t.Fatal("b has no standby tasks")
	}
	a.leave(-1)
	kept := b.has
	b.beat()
	told := b.has
	b.has = kept // still has its standby tasks
	if b.beat(); strings.Contains(show(b.has), "standby") && len(b.has.Active) > len(kept.Active) {
		t.Errorf("b has %q: a task in two roles", show(b.has))
	}
	b.has = told
	for range 3 {
		b.beat()
	}
	if got := len(strings.Fields(places(b.has.Active, ""))); got != 4 || len(b.has.Standby) != 0 {
		t.Errorf("b ends with %q, want all four active", show(b.has))
	}
}
