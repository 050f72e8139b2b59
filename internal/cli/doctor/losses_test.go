package doctor

import (
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
		{"one is left", map[string]string{"min.insync.replicas": "2"}, 3, []int{1, 1}, "by an unclean election", "by an unclean election", nothing, "refused already", "", false},
		{"one is left, unclean", map[string]string{"unclean.leader.election.enable": "true"}, 3, []int{1, 3}, "up to 1 of 2 partitions: what the replicas that are behind lack, without a word", "without a word", nothing, "stop", "", false},
		{"a single replica", nil, 1, []int{1}, "that node", "those nodes", nothing, "stop", "let others join", false},
		{"a low minimum", map[string]string{"min.insync.replicas": "1"}, 3, []int{3}, nothing, nothing, nothing, "go on", "min.insync.replicas=2", true},
		{"replicated", map[string]string{"durability": "replicated", "min.insync.replicas": "2"}, 3, []int{3}, nothing, nothing, "the last moments", "go on", "durability=fsync", false},
		{"memory", map[string]string{"durability": "memory", "min.insync.replicas": "2"}, 3, []int{3}, nothing, nothing, "half a minute", "go on", "durability=fsync", false},
	} {
		all, err := Durability(spread(c.settings, c.replicas, c.inSync...), Holders{})
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
	if all, err := Durability(f, Holders{}); err != nil || all[0].Racks != 2 {
		t.Errorf("%+v: %v", all, err)
	}
	f.Metadata.Brokers[0].Rack = nil
	if all, err := Durability(f, Holders{}); err != nil || all[0].Racks != 0 {
		t.Errorf("with an unknown rack: %+v: %v", all, err)
	}
}

func TestDurabilityNeedsTheSettings(t *testing.T) {
	f := healthy()
	f.Missing["settings"] = "refused"
	if all, err := Durability(f, Holders{}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v: %v", all, err)
	}
}

// Who has all that was acknowledged counts, in sync or not (KIP-966).
func TestEligibleReplicasAreCopies(t *testing.T) {
	f := spread(map[string]string{"min.insync.replicas": "2"}, 3, 1)
	all, err := Durability(f, Holders{Eligible: func(topic string, index int32) []int32 { return []int32{3} }})
	if err != nil || all[0].One != nothing || !strings.Contains(all[0].Two, "behind lack") || all[0].InSync != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatLossesCostTheMetadata(t *testing.T) {
	for _, c := range []struct {
		voters, serving  int
		one, two, writes string
		safe             bool
	}{
		{1, 1, "the cluster: no majority of its 1 voters", "the cluster", "stop", false},
		{2, 2, "the cluster: no majority of its 2 voters", "the cluster", "stop", false},
		{3, 3, nothing, "the cluster: no majority of its 3 voters", "go on", true},
		{3, 2, "stands still until 2 of its 3 voters", "the cluster", "stop", false},
		{5, 5, nothing, nothing, "go on", true},
		{5, 4, nothing, "stands still until 3 of its 5 voters", "go on", true},
	} {
		all, err := Durability(spread(nil, 1), Holders{Voters: c.voters, Serving: c.serving})
		if err != nil || len(all) != 1 || all[0].Topic != MetadataLog {
			t.Fatalf("%+v, %v", all, err)
		}
		l := all[0]
		if !strings.Contains(l.One, c.one) || !strings.Contains(l.Two, c.two) || l.Writes != c.writes || l.Safe != c.safe || (l.Advice(3) == "") != c.safe {
			t.Errorf("%d of %d voters: %+v, advice %q", c.serving, c.voters, l, l.Advice(3))
		}
	}
}
