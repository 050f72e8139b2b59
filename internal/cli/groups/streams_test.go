package groups

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTasksAreNamedInOrder(t *testing.T) {
	a := kmsg.NewStreamsAssignment()
	a.ActiveTasks = []kmsg.TaskIDs{{SubtopologyID: "1", Partitions: []int32{2, 0}}, {SubtopologyID: "0", Partitions: []int32{3}}}
	a.WarmupTasks = []kmsg.TaskIDs{{SubtopologyID: "1", Partitions: []int32{1}}}
	r := rolesOf(&a)
	if got := strings.Join(r.Active, " "); got != "0_3 1_0 1_2" || len(r.Standby) != 0 || strings.Join(r.Warmup, " ") != "1_1" {
		t.Errorf("got %+v", r)
	}
	read := map[string][]TopicPartition{"0_3": {{"in", 3}}, "1_0": {{"r", 0}, {"b", 0}}}
	if got := partitionsRead(r.Active, read); len(got) != 3 || got[0].String() != "b-0" || got[1].String() != "in-3" || got[2].String() != "r-0" {
		t.Errorf("they read %v", got)
	}
}

// has tells whether a note holds a text, and whether it says what to do.
func has(notes []Note, text string) (found, fixes bool) {
	for _, n := range notes {
		if strings.Contains(n.Text, text) {
			return true, n.Fix != ""
		}
	}
	return false, false
}

func TestAnApplicationThatDoesNotRunIsExplained(t *testing.T) {
	g := &Group{
		Name: "app", Type: "streams", State: "NotReady", TopologyEpoch: 2, Missing: []string{"in"},
		Topology: []Subtopology{{ID: "0", Sources: []string{"in"}, Changelogs: []string{"app-store"}}},
		Members:  []Member{{ID: "a", TopologyEpoch: 1, Tasks: Roles{Active: []string{"0_0"}}}, {ID: "b", TopologyEpoch: 2, Tasks: Roles{Warmup: []string{"0_1"}}}},
	}
	notes := Verdict(g, g, 0)
	for _, want := range []string{"there is no topic in, which it reads", "a run another topology than the group's (epoch 2)", "no task has a standby", "member b warms up 0_1"} {
		if found, fixes := has(notes, want); !found || !fixes && !strings.HasPrefix(want, "member b") {
			t.Errorf("%q is not said, or not what to do: %+v", want, notes)
		}
	}
	g.Missing = nil
	if found, _ := has(Verdict(g, g, 0), "its internal topics are not there"); !found {
		t.Error("with its sources the internal topics are what is missing")
	}
	g.State, g.Members = "Stable", []Member{{ID: "a", TopologyEpoch: 2, Tasks: Roles{Standby: []string{"0_0"}}}}
	if found, _ := has(Verdict(g, g, 0), "1 of 1 members have no task"); !found {
		t.Error("an idle member is not told of")
	}
}

func TestAShareGroupThatIsHeldUpIsExplained(t *testing.T) {
	g := &Group{Name: "shop", Type: "share", State: "Stable", Partitions: []Partition{{TopicPartition: TopicPartition{"orders", 0}, Committed: 3, End: 9, Lag: 6}}}
	s := &Shared{DeadTopic: "dlq.orders", Letters: 4, Held: []Held{
		{TopicPartition: TopicPartition{"orders", 0}, Acquired: 2, Redelivered: 3, Delayed: 1, Parked: 1, Dying: 5}, {TopicPartition: TopicPartition{"orders", 1}, Acquired: 1}}}
	notes := append(Verdict(g, g, 0), SharedVerdict(g, s)...)
	for _, want := range []string{"it is 6 records behind", "its members hold 3 records", "3 records were given out before and come again, 1 of them when",
		"1 keys are parked in orders-0", "5 records were given up and their dead letters", "4 dead letters wait in dlq.orders"} {
		if found, _ := has(notes, want); !found {
			t.Errorf("%q is not said: %+v", want, notes)
		}
	}
	if found, _ := has(notes, "no member reads"); found {
		t.Error("a share-partition that several read is no orphan")
	}
	if found, fixes := has(SharedVerdict(g, &Shared{}), "records that are given up are gone"); !found || !fixes {
		t.Error("a group without a topic for dead letters is not told so")
	}
}
