package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// spread are facts of topic t with partitions that have so many replicas and, of
// them, so many in sync.
func spread(settings map[string]string, replicas int, inSync ...int) *Facts {
	f := healthy()
	parts := kadm.PartitionDetails{}
	for i, n := range inSync {
		p := kadm.PartitionDetail{Topic: "t", Partition: int32(i), Leader: 1}
		for id := range int32(replicas) {
			p.Replicas = append(p.Replicas, id+1)
		}
		p.ISR = p.Replicas[:n]
		parts[int32(i)] = p
	}
	f.Metadata.Topics = kadm.TopicDetails{"t": {Topic: "t", Partitions: parts}}
	for k, v := range settings {
		f.Topics[0].Values[k] = v
	}
	return f
}

func TestWhatLossesCost(t *testing.T) {
	for _, c := range []struct {
		name                          string
		settings                      map[string]string
		replicas                      int
		inSync                        []int
		one, two, power, writes, says string
		safe                          bool
	}{
		{"three of three", map[string]string{"min.insync.replicas": "2"}, 3, []int{3, 3}, nothing, nothing, nothing, "go on", "", true},
		{"one is out", map[string]string{"min.insync.replicas": "2"}, 3, []int{3, 2}, nothing, "up to 1 of 2 partitions", nothing, "stop", "which replicas are not in sync", true},
		{"one is left", map[string]string{"min.insync.replicas": "2"}, 3, []int{1, 1}, "that node", "those nodes", nothing, "refused already", "", false},
		{"a single replica", nil, 1, []int{1}, "that node", "those nodes", nothing, "stop", "let others join", false},
		{"a low minimum", map[string]string{"min.insync.replicas": "1"}, 3, []int{3}, nothing, nothing, nothing, "go on", "min.insync.replicas=2", true},
		{"replicated", map[string]string{"durability": "replicated", "min.insync.replicas": "2"}, 3, []int{3}, nothing, nothing, "the last moments", "go on", "durability=fsync", false},
		{"memory", map[string]string{"durability": "memory", "min.insync.replicas": "2"}, 3, []int{3}, nothing, nothing, "half a minute", "go on", "durability=fsync", false},
	} {
		all, err := Durability(spread(c.settings, c.replicas, c.inSync...))
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %v %v", c.name, all, err)
		}
		l := all[0]
		for what, pair := range map[string][2]string{"one": {l.One, c.one}, "two": {l.Two, c.two}, "power": {l.Power, c.power}, "writes": {l.Writes, c.writes}, "advice": {l.Advice(1), c.says}} {
			if !strings.Contains(pair[0], pair[1]) || pair[1] == nothing && pair[0] != nothing || pair[1] == "" && pair[0] != "" && c.safe {
				t.Errorf("%s: %s: got %q, want %q", c.name, what, pair[0], pair[1])
			}
		}
		if l.Safe != c.safe || l.All != "everything" {
			t.Errorf("%s: safe %v, all lost: %q", c.name, l.Safe, l.All)
		}
	}
}

func TestRacksOfReplicasAreCountedWhereAllAreKnown(t *testing.T) {
	f := spread(nil, 3, 3, 2)
	for id, rack := range []string{"a", "b", "b"} {
		f.Metadata.Brokers = append(f.Metadata.Brokers[:id:id], kadm.BrokerDetail{NodeID: int32(id + 1), Rack: &rack})
	}
	if all, err := Durability(f); err != nil || all[0].Racks != 2 {
		t.Errorf("%+v: %v", all, err)
	}
	f.Metadata.Brokers[0].Rack = nil
	if all, err := Durability(f); err != nil || all[0].Racks != 0 {
		t.Errorf("with an unknown rack: %+v: %v", all, err)
	}
}

func TestDurabilityNeedsTheSettings(t *testing.T) {
	f := healthy()
	f.Missing["settings"] = "refused"
	if all, err := Durability(f); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v: %v", all, err)
	}
	if got := fmt.Sprint(fewest(map[int]int{})); got != "0" {
		t.Errorf("no partitions: %s", got)
	}
}
