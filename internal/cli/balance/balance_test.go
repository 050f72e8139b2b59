package balance

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func three() Cluster {
	return Cluster{Nodes: []Node{{ID: 1}, {ID: 2}, {ID: 3}}}
}

func part(topic string, index int32, mib int64, replicas ...int32) Partition {
	return Partition{Topic: topic, Index: index, Replicas: replicas, Leader: replicas[0], Bytes: mib << 20}
}

// moves writes a plan's moves for comparison.
func moves(p *Plan) (out []string) {
	for _, m := range p.Moves {
		out = append(out, fmt.Sprintf("%s-%d %v -> %v %d MiB (%s)", m.Topic, m.Index, m.From, m.To, m.Bytes>>20, m.Why))
	}
	return out
}

func wantMoves(t *testing.T, p *Plan, want ...string) {
	t.Helper()
	if got := moves(p); !slices.Equal(got, want) {
		t.Errorf("got\n  %q\nwant\n  %q", got, want)
	}
}

func TestANodeIsDrainedToTheEmptiestOther(t *testing.T) {
	c := three()
	c.Partitions = []Partition{part("t", 0, 100, 1), part("t", 1, 10, 2), part("t", 2, 50, 3), part("t", 3, 30, 1)}
	wantMoves(t, Drain(c, 1), "t-0 [1] -> [2] 100 MiB (drained)", "t-3 [1] -> [3] 30 MiB (drained)")
}

func TestADrainThatHasNoOtherNodeSaysSo(t *testing.T) {
	c := three()
	c.Partitions = []Partition{part("t", 0, 1, 1, 2, 3), part("t", 1, 1, 2, 3)}
	p := Drain(c, 1)
	wantMoves(t, p)
	if len(p.Stuck) != 1 || p.Stuck[0].Topic != "t" || p.Stuck[0].Index != 0 || p.Stuck[0].Reason == "" {
		t.Errorf("stuck: %+v", p.Stuck)
	}
}

func TestADrainKeepsReplicasInRacksOfTheirOwn(t *testing.T) {
	c := Cluster{Nodes: []Node{{1, "a"}, {2, "b"}, {3, "b"}, {4, "a"}}}
	c.Partitions = []Partition{part("t", 0, 10, 1, 2), part("u", 0, 900, 4)}
	wantMoves(t, Drain(c, 1), "t-0 [1 2] -> [2 4] 10 MiB (drained)") // 4 leads u-0 already
}

func TestAReplacementTakesTheSamePlaces(t *testing.T) {
	c := Cluster{Nodes: []Node{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}}}
	c.Partitions = []Partition{part("t", 0, 10, 1, 2), part("t", 1, 10, 2, 1), part("t", 2, 10, 2, 3), part("t", 3, 10, 1, 4)}
	wantMoves(t, Replace(c, 1, 4), "t-0 [1 2] -> [4 2] 10 MiB (replaced)", "t-1 [2 1] -> [2 4] 10 MiB (replaced)", "t-3 [1 4] -> [3 4] 10 MiB (replaced)")
	two := Cluster{Nodes: []Node{{ID: 1}, {ID: 2}}, Partitions: []Partition{part("t", 0, 1, 1, 2)}}
	if p := Replace(two, 1, 2); len(p.Moves) != 0 || len(p.Stuck) != 1 {
		t.Errorf("with no third node: %+v", p)
	}
}

func TestANodeStepsDownWithoutCopying(t *testing.T) {
	c := three()
	c.Partitions = []Partition{part("t", 0, 10, 1, 2, 3), part("t", 1, 10, 2, 1, 3), part("t", 2, 10, 1), part("t", 3, 10, 1, 2, 3), part("t", 4, 10, 2, 3, 1)}
	p := StepDown(c, 1)
	wantMoves(t, p, "t-0 [1 2 3] -> [3 2 1] 0 MiB (steps down)", "t-1 [2 1 3] -> [3 2 1] 0 MiB (steps down)", "t-3 [1 2 3] -> [2 3 1] 0 MiB (steps down)")
	if p.Bytes() != 0 || len(p.Stuck) != 1 || p.Stuck[0].Index != 2 {
		t.Errorf("%d bytes, stuck %+v", p.Bytes(), p.Stuck)
	}
}

func TestRacksComeBeforeBytes(t *testing.T) {
	c := Cluster{Nodes: []Node{{1, "a"}, {2, "a"}, {3, "b"}}}
	c.Partitions = []Partition{part("t", 0, 10, 1, 2), part("u", 0, 500, 3)}
	wantMoves(t, Even(c, Limits{Percent: 1000}), "t-0 [1 2] -> [1 3] 10 MiB (racks)")
}

func TestBytesAreSpreadWithinTheLimits(t *testing.T) {
	c := three()
	for i := range int32(9) {
		c.Partitions = append(c.Partitions, part("t", i, 100, 1))
	}
	p := Even(c, Limits{})
	if len(p.Moves) != 6 || p.Bytes() != 600<<20 {
		t.Errorf("%d moves of %d MiB: %v", len(p.Moves), p.Bytes()>>20, moves(p))
	}
	for _, l := range p.After {
		if l.Replicas != 3 || l.Bytes != 300<<20 || l.Preferred != 3 {
			t.Errorf("after: %+v", l)
		}
	}
	if p := Even(c, Limits{MaxBytes: 250 << 20}); p.Bytes() != 200<<20 {
		t.Errorf("with a limit of 250 MiB: %d MiB", p.Bytes()>>20)
	}
	if p := Even(c, Limits{LeadersOnly: true}); len(p.Moves) != 0 {
		t.Errorf("single replicas have no other leader: %v", moves(p))
	}
}

func TestLeadersAreEvenWhereAnyOrderIs(t *testing.T) {
	// 3 can get a lead from 2 alone, and 2 one from 1: it takes a path.
	c := three()
	c.Partitions = []Partition{part("t", 0, 1, 1, 2), part("t", 1, 1, 1, 2), part("t", 2, 1, 2, 3), part("t", 3, 1, 1, 2)}
	p := Even(c, Limits{LeadersOnly: true})
	for _, l := range p.After {
		if l.Preferred < 1 || l.Preferred > 2 {
			t.Errorf("%+v after %v", l, moves(p))
		}
	}
	if p.Bytes() != 0 {
		t.Errorf("%d bytes copied for leaders", p.Bytes())
	}
}

// random is a cluster of some size, racks and unevenness.
func random(r *rand.Rand) Cluster {
	var c Cluster
	racks := []string{"", "a", "b", "c"}[:1+r.IntN(4)]
	for id := range int32(1 + r.IntN(7)) {
		c.Nodes = append(c.Nodes, Node{ID: id * 3, Rack: racks[r.IntN(len(racks))]})
	}
	for i := range int32(r.IntN(60)) {
		var on []int32
		for _, n := range r.Perm(len(c.Nodes))[:1+r.IntN(min(3, len(c.Nodes)))] {
			on = append(on, c.Nodes[n].ID)
		}
		c.Partitions = append(c.Partitions, part([]string{"t", "u"}[i%2], i/2, int64(r.IntN(200)), on...))
	}
	return c
}

// keeps holds what every plan keeps.
func keeps(t *testing.T, seed uint64, c Cluster, p *Plan, racksToo bool) {
	t.Helper()
	w := begin(c)
	for _, m := range p.Moves {
		if len(m.From) != len(m.To) {
			t.Errorf("seed %d: %+v changes the number of replicas", seed, m)
		}
		for i, id := range m.To {
			if _, ok := w.node(id); !ok && !slices.Contains(m.From, id) {
				t.Errorf("seed %d: %+v names a node that takes nothing", seed, m)
			}
			if slices.Contains(m.To[:i], id) {
				t.Errorf("seed %d: %+v names a node twice", seed, m)
			}
		}
		if racksToo && w.crowded(m.To) > w.crowded(m.From) {
			t.Errorf("seed %d: %+v brings replicas closer together", seed, m)
		}
	}
}

func TestPlansKeepWhatTheyMust(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := random(r)
		even := Even(c, Limits{Percent: 1 + r.IntN(30)})
		keeps(t, seed, c, even, true)
		// For racks a node may become fuller than any was.
		forRacks := slices.ContainsFunc(even.Moves, func(m Move) bool { return strings.Contains(m.Why, "racks") })
		if before, after := heaviest(even.Before), heaviest(even.After); !forRacks && after > before {
			t.Errorf("seed %d: the fullest node has %d MiB after, and had %d before", seed, after>>20, before>>20)
		}
		node := c.Nodes[r.IntN(len(c.Nodes))].ID
		drained := Drain(c, node)
		keeps(t, seed, c, drained, false)
		for _, m := range drained.Moves {
			if slices.Contains(m.To, node) {
				t.Errorf("seed %d: %+v leaves something on node %d", seed, m, node)
			}
		}
		keeps(t, seed, c, Replace(c, node, c.Nodes[0].ID), false)
		keeps(t, seed, c, StepDown(c, node), true)
		if again := Even(applied(c, even), Limits{Percent: 100}); again.Bytes() > even.Bytes() && even.Bytes() > 0 {
			t.Errorf("seed %d: a plan of %d MiB leaves %d MiB to do", seed, even.Bytes()>>20, again.Bytes()>>20)
		}
	}
}

func heaviest(all []Load) (most int64) {
	for _, l := range all {
		most = max(most, l.Bytes)
	}
	return most
}

// applied is a cluster after a plan.
func applied(c Cluster, p *Plan) Cluster {
	c.Partitions = slices.Clone(c.Partitions)
	for _, m := range p.Moves {
		for i := range c.Partitions {
			if q := &c.Partitions[i]; q.Topic == m.Topic && q.Index == m.Index {
				q.Replicas = m.To
			}
		}
	}
	return c
}

func TestThePlanDoesNotHangOnTheOrderOfPartitions(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := random(r)
		want := Even(c, Limits{})
		r.Shuffle(len(c.Partitions), func(i, j int) { c.Partitions[i], c.Partitions[j] = c.Partitions[j], c.Partitions[i] })
		r.Shuffle(len(c.Nodes), func(i, j int) { c.Nodes[i], c.Nodes[j] = c.Nodes[j], c.Nodes[i] })
		if got := Even(c, Limits{}); !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: got %v, want %v", seed, moves(got), moves(want))
		}
	}
}

func TestAnEmptyClusterHasNothingToPlan(t *testing.T) {
	for _, p := range []*Plan{Even(Cluster{}, Limits{}), Drain(Cluster{}, 1), Replace(Cluster{}, 1, 2), StepDown(Cluster{}, 1)} {
		if len(p.Moves)+len(p.Stuck) > 0 {
			t.Errorf("%+v", p)
		}
	}
}
