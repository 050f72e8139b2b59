package nodes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/wire/own"
)

// facts are three nodes that have t-0, all well.
func facts() (*Facts, *Partition) {
	f := &Facts{Lags: map[Replica]Lag{}, Missing: map[string]string{}}
	for id := int32(1); id <= 3; id++ {
		f.Nodes = append(f.Nodes, Node{ID: id, Addr: "h:9092", Roles: []string{"broker", "voter"}, Dirs: []kadm.DescribedLogDir{{
			Broker: id, Dir: "/d", Topics: kadm.DescribedLogDirTopics{"t": {0: {}}},
		}}})
		f.Lags[Replica{"t", 0, id}] = Lag{}
	}
	f.Partitions = []Partition{{Topic: "t", Leader: 1, LeaderEpoch: 4, Replicas: []int32{1, 2, 3}, InSync: []int32{1, 2, 3}, MinISR: 2}}
	return f, &f.Partitions[0]
}

func TestAPartitionsState(t *testing.T) {
	for want, change := range map[State]func(*Partition){
		Whole:     func(*Partition) {},
		Short:     func(p *Partition) { p.Replicas = []int32{1, 2, 3, 4} },
		AtMinimum: func(p *Partition) { p.InSync = []int32{1, 3} },
		Refusing:  func(p *Partition) { p.InSync = []int32{1} },
		Offline:   func(p *Partition) { p.Leader, p.InSync = -1, []int32{1} },
	} {
		_, p := facts()
		change(p)
		if got := StateOf(p); got != want {
			t.Errorf("%+v: got %q, want %q", p, got, want)
		}
	}
	if _, p := facts(); StateOf(&Partition{Leader: 1, Replicas: p.Replicas[:1], InSync: p.InSync[:1], MinISR: 1}) != Whole {
		t.Error("a partition of one replica that is in sync is not whole")
	}
}

func TestWhyAReplicaIsNotInSync(t *testing.T) {
	for want, change := range map[string]func(*Facts, *Partition){
		"node 3 is not in the cluster any more": func(f *Facts, _ *Partition) { f.Nodes = f.Nodes[:2] },
		"node 3 is fenced":                      func(f *Facts, _ *Partition) { f.Nodes[2].Fenced, f.Nodes[2].Dirs = true, nil },
		"node 3 does not answer: refused":       func(f *Facts, _ *Partition) { f.Nodes[2].Unasked, f.Nodes[2].Dirs = "refused", nil },
		"node 3 has lost log directory /d":      func(f *Facts, _ *Partition) { f.Nodes[2].Dirs[0] = kadm.DescribedLogDir{Dir: "/d", Err: errLost} },
		"node 3 cannot open its log and tries again: no room": func(f *Facts, _ *Partition) {
			f.Nodes[2].Dirs[0].Topics, f.Nodes[2].Closed = nil, []own.ClosedLog{{Topic: "t", Partition: 1}, {Topic: "t", Partition: 0, Why: "no room"}}
		},
		"node 3 has no copy yet":                          func(f *Facts, _ *Partition) { f.Nodes[2].Dirs[0].Topics = nil },
		"node 3 is being added and has all records":       func(_ *Facts, p *Partition) { p.Adding = []int32{3} },
		"node 3 has caught up and waits to be taken back": func(*Facts, *Partition) {},
		"node 3 does not say how far its copy is":         func(f *Facts, _ *Partition) { delete(f.Lags, Replica{"t", 0, 3}) },
		"node 3 is 7 records behind":                      func(f *Facts, _ *Partition) { f.Lags[Replica{"t", 0, 3}] = Lag{7, -1} },
		"node 3 is 7 records (1.5s) behind":               func(f *Facts, _ *Partition) { f.Lags[Replica{"t", 0, 3}] = Lag{7, 1500 * time.Millisecond} },
	} {
		f, p := facts()
		p.InSync = []int32{1, 2}
		change(f, p)
		if got := WhyOut(f, p, 3); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var errLost = errString("gone")

type errString string

func (e errString) Error() string { return string(e) }

func TestLackingPartitionsComeWorstFirst(t *testing.T) {
	f, p := facts()
	add := func(topic string, leader int32, inSync ...int32) {
		f.Partitions = append(f.Partitions, Partition{Topic: topic, Leader: leader, Replicas: p.Replicas, InSync: inSync, MinISR: 2})
	}
	add("short", 1, 1, 2)
	f.Partitions[1].MinISR = 1
	add("refusing", 1, 1)
	add("offline", -1, 2)
	add("minimum", 1, 1, 2)
	f.Partitions = append(f.Partitions, Partition{Topic: "never", Leader: 1, Replicas: []int32{1}, InSync: []int32{1}, MinISR: 2})
	var got []string
	for _, l := range Lacking(f) {
		got = append(got, l.Partition.Topic)
		if l.Why == "" || l.State == Whole {
			t.Errorf("%+v", l)
		}
	}
	if want := []string{"offline", "refusing", "never", "minimum", "short"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTheStoryOfAPartition(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Facts, *Partition)
		want   []string
	}{
		{"well", func(*Facts, *Partition) {}, []string{"t-0 is led by node 1, in epoch 4 at h:9092; that is its preferred leader", "in sync: 1, 2, 3", "node 2 is in sync and has every record", "all of its replicas"}},
		{"moved leader", func(_ *Facts, p *Partition) { p.Leader = 2 }, []string{"its preferred leader is node 1, which is in sync and gets it back"}},
		{"preferred is out", func(_ *Facts, p *Partition) { p.Leader, p.InSync = 2, []int32{2, 3} }, []string{"node 1, which is not in sync", "when one more replica falls out"}},
		{"no leader", func(_ *Facts, p *Partition) { p.Leader, p.InSync, p.Eligible = -1, []int32{2}, []int32{3} }, []string{"has no leader (epoch 4)", "node 3 may lead without loss", "comes back by itself, without loss, when node 2, 3 does"}},
		{"nobody", func(_ *Facts, p *Partition) { p.Leader, p.InSync = -1, nil }, []string{"order an unclean election and accept loss"}},
		{"refusing", func(_ *Facts, p *Partition) { p.InSync = []int32{1} }, []string{"refused until 2 replicas are in sync"}},
		{"moving", func(_ *Facts, p *Partition) { p.Adding, p.Removing = []int32{4}, []int32{1} }, []string{"it is being moved: to node 4, from node 1"}},
		{"behind", func(f *Facts, _ *Partition) { f.Lags[Replica{"t", 0, 2}] = Lag{3, time.Second} }, []string{"node 2 is in sync, 3 records (1s) behind"}},
	} {
		f, p := facts()
		c.change(f, p)
		text := strings.Join(Story(f, p), "\n")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, text)
			}
		}
	}
}

func TestANodeIsAsFarBehindAsItsWorstReplica(t *testing.T) {
	f, _ := facts()
	f.Partitions = append(f.Partitions, Partition{Topic: "u", Leader: 1, Replicas: []int32{1, 2}, InSync: []int32{1, 2}, MinISR: 1})
	f.Lags[Replica{"t", 0, 2}] = Lag{100, time.Second}
	f.Lags[Replica{"u", 0, 2}] = Lag{7, time.Minute}
	if l, known := f.Behind(2); !known || l.Records != 100 || l.Behind != time.Minute {
		t.Errorf("node 2: %+v %v", l, known)
	}
	if l, known := f.Behind(3); !known || l.Records != 0 || l.Behind != 0 {
		t.Errorf("node 3: %+v %v", l, known)
	}
	if _, known := f.Behind(1); known {
		t.Error("a leader is said to be behind itself")
	}
}

func TestTheStoryOfAPartitionWhoseLeaderCannotOpenItsLog(t *testing.T) {
	f, p := facts()
	f.Nodes[0].Closed = []own.ClosedLog{{Topic: "t", Partition: 0, Why: "the disk is full"}}
	if got := Story(f, p); !slices.ContainsFunc(got, func(line string) bool {
		return strings.Contains(line, "node 1 cannot open its log") && strings.HasSuffix(line, "it tries again: the disk is full")
	}) {
		t.Errorf("got %q", got)
	}
}
