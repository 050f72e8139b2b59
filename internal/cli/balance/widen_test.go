package balance

import (
	"slices"
	"testing"
)

// TestTopicsGetMoreReplicas: where racks lack one, then where there is least to
// carry; the leader stays, and topics that were not named too.
func TestTopicsGetMoreReplicas(t *testing.T) {
	c := Cluster{
		Nodes: []Node{{1, "a"}, {2, "a"}, {3, "b"}, {4, "c"}},
		Partitions: []Partition{
			{Topic: "orders", Index: 0, Replicas: []int32{2}, Leader: 2, Bytes: 10 << 20},
			{Topic: "orders", Index: 1, Replicas: []int32{3, 2, 4}, Leader: 3, Bytes: 10 << 20},
			{Topic: "orders", Index: 2, Replicas: []int32{4, 1}, Leader: 4, Bytes: 10 << 20},
			{Topic: "others", Index: 0, Replicas: []int32{1}, Leader: 1},
		},
	}
	p := Widen(c, 3, "orders")
	want := [][]int32{{2, 3, 4}, {4, 1, 3}}
	if len(p.Moves) != len(want) || len(p.Stuck) != 0 {
		t.Fatalf("the plan is %+v, stuck %+v", p.Moves, p.Stuck)
	}
	for i, m := range p.Moves {
		if !slices.Equal(m.To, want[i]) || m.Topic != "orders" || m.Why != "more replicas" {
			t.Errorf("move %d is %+v, want %v", i, m, want[i])
		}
	}
	if n := p.Bytes(); n != 30<<20 {
		t.Errorf("%d bytes are copied, want 30 MiB", n)
	}
}

// TestMoreReplicasThanNodesAreNotToBeHad: the plan goes as far as it can, and says so.
func TestMoreReplicasThanNodesAreNotToBeHad(t *testing.T) {
	p := Widen(Cluster{Nodes: []Node{{ID: 1}, {ID: 2}}, Partitions: []Partition{{Topic: "orders", Replicas: []int32{1}, Leader: 1}}}, 3, "orders")
	if len(p.Moves) != 1 || !slices.Equal(p.Moves[0].To, []int32{1, 2}) || len(p.Stuck) != 1 {
		t.Errorf("the plan is %+v, stuck %+v", p.Moves, p.Stuck)
	}
}
