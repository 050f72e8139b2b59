package election

import (
	"fmt"
	"slices"
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

func directory(id int32) uuid.UUID { return uuid.UUID{15: byte(100 + id)} }

func partition(leader int32, replicas, isr []int32) *metadata.Partition {
	p := &metadata.Partition{Topic: &metadata.Topic{}, Replicas: replicas, ISR: isr, Leader: leader}
	for _, id := range replicas {
		p.Directories = append(p.Directories, directory(id))
	}
	return p
}

func all(*metadata.Partition, int32) bool { return true }

// told is a record in short.
func told(r *metadata.PartitionChangeRecord) string {
	if r == nil {
		return "nothing"
	}
	return fmt.Sprintf("leader=%d isr=%v replicas=%v adding=%v removing=%v directories=%d recovery=%d",
		r.Leader, r.ISR, r.Replicas, r.Adding, r.Removing, len(r.Directories), r.LeaderRecoveryState)
}

func TestAReassignmentEndsWhenItsTargetsAreInSync(t *testing.T) {
	for _, c := range []struct {
		what             string
		leader           int32
		replicas, isr    []int32
		adding, removing []int32
		want             []int32 // in sync
		told             string
	}{
		{"no target yet", 3, []int32{1, 2, 3, 4}, []int32{3, 4}, []int32{1, 2}, []int32{3, 4}, []int32{3, 4},
			"nothing"},
		{"one of two", 3, []int32{1, 2, 3, 4}, []int32{3, 4}, []int32{1, 2}, []int32{3, 4}, []int32{3, 4, 1},
			"leader=-2 isr=[3 4 1] replicas=[] adding=[] removing=[] directories=0 recovery=-1"},
		{"both", 3, []int32{1, 2, 3, 4}, []int32{3, 4, 1}, []int32{1, 2}, []int32{3, 4}, []int32{3, 4, 1, 2},
			"leader=1 isr=[1 2] replicas=[1 2] adding=[] removing=[] directories=2 recovery=-1"},
		{"the leader stays", 3, []int32{1, 3, 4}, []int32{3, 4}, []int32{1}, []int32{4}, []int32{3, 4, 1},
			"leader=3 isr=[3 1] replicas=[1 3] adding=[] removing=[] directories=2 recovery=-1"},
		{"only more of them", 3, []int32{3, 1}, []int32{3}, []int32{1}, nil, []int32{3, 1},
			"leader=-2 isr=[3 1] replicas=[] adding=[] removing=[] directories=0 recovery=-1"},
	} {
		p := partition(c.leader, c.replicas, c.isr)
		p.Adding, p.Removing = c.adding, c.removing
		got := Decide(p, Change{ISR: c.want}, Rules{MinISR: 1, MayLead: all})
		if told(got) != c.told {
			t.Errorf("%s: got %s, want %s", c.what, told(got), c.told)
		}
		if got != nil && got.Replicas != nil {
			for i, id := range got.Replicas {
				if got.Directories[i] != directory(id) {
					t.Errorf("%s: replica %d lies in %v", c.what, id, got.Directories[i])
				}
			}
			if got.Adding == nil && len(c.adding) > 0 || got.Removing == nil && len(c.removing) > 0 {
				t.Errorf("%s: it goes on: %+v", c.what, got)
			}
		}
	}
}

func TestNewReplicasLieWhereTheyShall(t *testing.T) {
	p := partition(1, []int32{1, 2}, []int32{1, 2})
	got := Decide(p, Change{
		Replicas: []int32{3, 1, 2}, Adding: []int32{3}, Removing: []int32{2},
		Directories: []uuid.UUID{directory(3), directory(1), directory(2)},
	}, Rules{MinISR: 1, MayLead: all})
	if want := []uuid.UUID{directory(3), directory(1), directory(2)}; got == nil || !slices.Equal(got.Directories, want) {
		t.Errorf("got %+v", got)
	}
}

func TestTheRecoveryOfALeaderEndsWhenItSaysSo(t *testing.T) {
	p := partition(1, []int32{1, 2}, []int32{1})
	p.Recovering = true
	rules := Rules{ELR: true, MinISR: 1, MayLead: all}
	if got := Decide(p, Change{ISR: []int32{1}}, rules); got != nil {
		t.Errorf("it recovers still: %s", told(got))
	}
	if got := Decide(p, Change{ISR: []int32{1}, Recovered: true}, rules); got == nil || got.LeaderRecoveryState != 0 {
		t.Errorf("it has recovered: %s", told(got))
	}
	p.Recovering = false
	if got := Decide(p, Change{Recovered: true}, rules); got != nil {
		t.Errorf("nothing to recover from: %s", told(got))
	}
}

func TestAReplicaThatIsTakenAwayRaisesTheLeaderEpoch(t *testing.T) {
	p := partition(1, []int32{1, 2, 3}, []int32{1, 2, 3})
	if got := Decide(p, Change{Replicas: []int32{1, 2}}, Rules{MinISR: 1, MayLead: all}); got == nil || got.Leader != 1 || !slices.Equal(got.ISR, []int32{1, 2}) {
		t.Errorf("got %s", told(got))
	}
	p.ELR, p.LastELR = []int32{3}, []int32{3}
	p.ISR, p.Leader = []int32{}, metadata.NoLeader
	got := Decide(p, Change{Replicas: []int32{1, 2}}, Rules{ELR: true, MinISR: 2, MayLead: all})
	if got == nil || got.Leader != metadata.LeaderUnchanged || len(got.ELR) != 0 || got.ELR == nil || len(got.LastELR) != 0 {
		t.Errorf("got %s, elr %v, last %v", told(got), got.ELR, got.LastELR)
	}
}

func TestDecideSharesNoListsWithThePartition(t *testing.T) {
	p := partition(1, []int32{1, 2, 3}, []int32{1, 2, 3})
	want := Change{ISR: []int32{1}, Replicas: []int32{1, 2}}
	got := Decide(p, want, Rules{ELR: true, MinISR: 2, MayLead: all})
	for _, list := range [][]int32{got.ISR, got.Replicas, got.ELR} {
		for i := range list {
			list[i] = 99
		}
	}
	if fmt.Sprint(p.Replicas, p.ISR, want) != fmt.Sprint([]int32{1, 2, 3}, []int32{1, 2, 3}, Change{ISR: []int32{1}, Replicas: []int32{1, 2}}) {
		t.Errorf("the partition is %+v, the change %+v", p, want)
	}
}
