package main

import (
	"slices"
	"testing"

	"ottla/test/rig"
)

func TestWhatIsChosenByChanceInAClusterIsMasked(t *testing.T) {
	m := masks(&rig.Cluster{Nodes: []*rig.Node{{Addr: "127.0.0.1:1001", Data: "/a/1/data"}, {Addr: "127.0.0.1:1002", Data: "/a/2/data"}}})
	for _, c := range [][2]string{
		{"LeaderId:               2", "out LeaderId:               N"},
		{"2     \tAAAAAAAAAAAAAAAAAAAACQ\t77\t0  \t1700000000000\t1700000000000\tLeader  \t", "out N\tID\tN\tLAG\tNOW\tNOW\tLeader  \t"},
		{"two-txn        \t2          \t2002      \tCompleteCommit  \t", "out two-txn        \tN\tID\tCompleteCommit  \t"},
		{"1          127.0.0.1 28502      null       unfenced   broker", "out 1          ADDR      null       unfenced   broker"},
		{"at 127.0.0.1:1002 in /a/2/data", "out at ADDR2 in DATA2"},
		{"\tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 3,2,1\tIsr: 3,1\tElr: ", "out \tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 3,2,1\tIsr: 1,3\tElr: "},
		{`{"brokers":[{"broker":1,"logDirs":[{"partitions":[{"partition":"b-0"},{"partition":"a-1"}],"error":null}]}]}`,
			`out {"brokers":[{"broker":1,"logDirs":[{"partitions":[{"partition":"a-1"},{"partition":"b-0"}],"error":null}]}]}`},
	} {
		if got := m.lines("out", c[0]+"\n"); !slices.Equal(got, []string{c[1]}) {
			t.Errorf("%q becomes %q, want %q", c[0], got, c[1])
		}
	}
}

func TestOneNodesAnswersAreMaskedNoFurther(t *testing.T) {
	m := masks(&rig.Cluster{Nodes: []*rig.Node{{Addr: "127.0.0.1:1001", Data: "/a/data"}}})
	for _, line := range []string{"LeaderId:               2", "two-txn        \t2          \t2002      \tCompleteCommit  \t"} {
		if got := m.lines("out", line+"\n"); !slices.Equal(got, []string{"out " + line}) {
			t.Errorf("%q becomes %q", line, got)
		}
	}
}

func TestEveryLineThatOnlyOneSideHasIsFoundWhereItStands(t *testing.T) {
	for _, c := range []struct {
		a, b, want []string
	}{
		{[]string{"x", "y"}, []string{"x", "y"}, nil},
		{[]string{"x", "y", "z"}, []string{"x", "z"}, []string{"-y"}},
		{[]string{"x"}, []string{"w", "x"}, []string{"+w"}},
		{[]string{"x", "y"}, []string{"x", "v"}, []string{"-y", "+v"}},
		{nil, []string{"x"}, []string{"+x"}},
	} {
		var got []string
		for _, d := range diff(c.a, c.b) {
			if d.side != 0 {
				got = append(got, map[int]string{-1: "-", 1: "+"}[d.side]+d.line)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("diff(%q, %q) = %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestEveryStepHasANameOfItsOwn(t *testing.T) {
	for name, steps := range map[string][]step{"one node": append(script(), oddScript()...), "three nodes": clusterScript(false)} {
		seen := map[string]bool{}
		for _, s := range steps {
			if seen[s.name] {
				t.Errorf("%s: %q stands there twice", name, s.name)
			}
			seen[s.name] = true
		}
	}
}
