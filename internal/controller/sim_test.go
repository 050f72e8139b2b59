package controller

import (
	"flag"
	"slices"
	"testing"

	"ottla/internal/metadata"
)

// advance moves a leader's high watermark as far as it may go: all in sync have
// it, those too that were asked into the ISR, and there are enough.
func (w *simWorld) advance(n *simNode, at simPart) {
	l := n.leading[at]
	p := n.view.TopicByName(at.topic).Partitions[at.index]
	least := 1
	if v, ok := n.view.Config(metadata.ResourceTopic, at.topic)["min.insync.replicas"]; ok {
		least = min(int(v[0]-'0'), len(p.Replicas))
	}
	if len(p.ISR) < least {
		return
	}
	hw := len(n.logs[at])
	for _, id := range slices.Concat(p.ISR, l.asked) {
		if id != n.id {
			end, heard := l.known[id]
			if !heard {
				end = 0
			}
			hw = min(hw, end)
		}
	}
	if hw <= l.hw {
		return
	}
	l.hw = hw
	truth := w.truth(at)
	if p.LeaderEpoch < truth.unclean {
		return // an unclean election took its place: what it commits may be lost
	}
	mine := n.logs[at][:hw]
	if same := common(mine, truth.committed); same < min(len(mine), len(truth.committed)) {
		w.fail("%v: node %d commits %v in epoch %d, and %v is committed", at, n.id, mine, p.LeaderEpoch, truth.committed)
	}
	if hw > len(truth.committed) {
		truth.committed = slices.Clone(mine)
		w.hits["commit"]++
	}
}

// write has a leader append; that it is one no more it may not know.
func (w *simWorld) write(n *simNode, at simPart) {
	w.record++
	n.logs[at] = append(slices.Clip(n.logs[at]), w.record)
	w.advance(n, at)
}

// fetch has a follower fetch from the leader that it knows of, as far as both
// know the same epoch; the leader learns how far the follower has come.
func (w *simWorld) fetch(n *simNode, at simPart) {
	p := n.view.TopicByName(at.topic).Partitions[at.index]
	if p.Leader < 0 || p.Leader == n.id {
		return
	}
	leader := w.nodes[p.Leader-1]
	l := leader.leading[at]
	if !leader.up || l == nil || l.epoch != p.LeaderEpoch {
		return
	}
	log := n.logs[at][:common(n.logs[at], leader.logs[at])]
	l.known[n.id], l.sayer[n.id] = len(log), n.epoch
	more := leader.logs[at][len(log):]
	if w.rng.Intn(2) == 0 {
		more = more[:w.rng.Intn(len(more)+1)]
	}
	n.logs[at] = append(slices.Clip(log), more...)
	w.advance(leader, at)
}

// propose has a leader tell who is in sync: it drops some, and adds those that
// have caught up with its high watermark and with where its epoch began.
func (w *simWorld) propose(n *simNode, at simPart) {
	l := n.leading[at]
	t := n.view.TopicByName(at.topic)
	p := t.Partitions[at.index]
	isr := []BrokerState{{n.id, n.epoch}}
	l.askedAt = p.PartitionEpoch
	for _, id := range p.Replicas {
		switch {
		case id == n.id:
		case slices.Contains(p.ISR, id):
			if w.rng.Intn(3) > 0 {
				isr = append(isr, BrokerState{id, -1})
			}
		case l.known[id] >= max(l.hw, l.start) && l.sayer[id] > 0:
			isr = append(isr, BrokerState{id, l.sayer[id]})
			l.asked = append(l.asked, id)
		}
	}
	reply := w.do(AlterPartition{Broker: n.id, Epoch: n.epoch, Partitions: []NewISR{{
		TopicID: t.ID, Index: p.Index, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch, ISR: isr,
	}}})
	if altered, ok := reply.([]AlteredPartition); ok {
		w.hits["isr: "+altered[0].Code.Name()]++
		if altered[0].Code == 0 {
			w.hits["isr changed"]++
		}
	}
}

// turn is one thing that happens somewhere.
func (w *simWorld) turn() {
	rng := w.rng
	n := w.nodes[rng.Intn(len(w.nodes))]
	at := w.somewhere()
	switch what := rng.Intn(100); {
	case what < 35: // a leader writes, or a follower fetches
		switch {
		case n.up && n.leading[at] != nil:
			w.write(n, at)
		case n.up && w.holds(n, at):
			w.fetch(n, at)
		}
	case what < 55:
		if n.up && w.holds(n, at) {
			w.fetch(n, at)
		}
	case what < 65:
		if n.up && n.leading[at] != nil {
			w.propose(n, at)
		}
	case what < 83: // metadata reach a node
		if from := slices.Index(w.images, n.view); n.up && from < len(w.images)-1 {
			w.see(n, w.images[from+1+rng.Intn(len(w.images)-from-1)])
		}
	case what < 95:
		w.mend(n)
	case what < 97:
		w.fault(n)
	default:
		w.order(n, at)
	}
}

func (w *simWorld) somewhere() simPart {
	topics := []string{"one", "two", "three", "strict"}
	topic := topics[w.rng.Intn(len(topics))]
	return simPart{topic, int32(w.rng.Intn(len(w.img.TopicByName(topic).Partitions)))}
}

// holds tells whether a node knows itself to be a replica.
func (w *simWorld) holds(n *simNode, at simPart) bool {
	t := n.view.TopicByName(at.topic)
	return t != nil && int(at.index) < len(t.Partitions) && slices.Contains(t.Partitions[at.index].Replicas, n.id)
}

// fault is what happens to a node.
func (w *simWorld) fault(n *simNode) {
	b := w.img.Broker(n.id)
	switch what := w.rng.Intn(6); {
	case b == nil:
	case !n.up || what < 2: // silent, dead or alive
		w.do(FenceBroker{ID: n.id, Epoch: b.Epoch})
	case what < 3:
		w.do(ShutdownBroker{n.id, n.epoch})
	default:
		w.crash(n, w.rng.Intn(2) == 0)
	}
}

// mend is what becomes of it later.
func (w *simWorld) mend(n *simNode) {
	switch b := w.img.Broker(n.id); {
	case !n.up:
		w.start(n)
	case b == nil || b.Epoch != n.epoch || b.InControlledShutdown:
		w.crash(n, false)
	case b.Fenced && n.view.Offset >= n.epoch:
		w.do(UnfenceBroker{n.id, n.epoch})
	}
}

// order is what an operator does, or the controller by itself.
func (w *simWorld) order(n *simNode, at simPart) {
	rng := w.rng
	switch what := rng.Intn(20); {
	case what < 5:
		w.do(Rebalance{})
	case what < 8:
		w.do(ElectLeaders{Unclean: rng.Intn(10) == 0, Partitions: []TopicPartition{{at.topic, at.index}}})
	case what < 13:
		var target []int32
		for _, i := range rng.Perm(len(w.nodes))[:1+rng.Intn(3)] {
			target = append(target, w.nodes[i].id)
		}
		if rng.Intn(3) == 0 {
			target = nil
		}
		w.do(ReassignPartitions{Partitions: []Reassignment{{TopicPartition{at.topic, at.index}, target}}})
	case what < 16:
		v := []string{"1", "2", "3"}[rng.Intn(3)]
		w.do(AlterConfigs{Incremental: true, Resources: []AlterResource{{Type: metadata.ResourceTopic, Name: at.topic, Entries: []AlterEntry{{Name: "min.insync.replicas", Value: &v}}}}})
	case what < 17:
		if w.img.BrokerCount() > 2 {
			w.do(UnregisterBroker{n.id})
		}
	case what < 18:
		v := []string{"true", "false", "false"}[rng.Intn(3)]
		w.do(AlterConfigs{Incremental: true, Resources: []AlterResource{{Type: metadata.ResourceTopic, Name: "two", Entries: []AlterEntry{{Name: "unclean.leader.election.enable", Value: &v}}}}})
	default:
		w.c.Reset(w.img) // another node leads the quorum
	}
}

// simSeeds is for longer runs by hand:
// go test ./internal/controller -run Committed -sim.seeds=20000
var simSeeds = flag.Int64("sim.seeds", 60, "how many clusters the simulation runs")

// TestNoCommittedRecordIsLostByACleanElection runs clusters of three to five
// nodes: processes end with and without power, nodes fall silent, metadata reach
// each node late, leaders change the ISR on old knowledge, operators move,
// elect, unregister and change min.insync.replicas. After every step the
// promises hold; whoever begins to lead has all that was committed, unless the
// election said that it was unclean.
func TestNoCommittedRecordIsLostByACleanElection(t *testing.T) {
	const turns = 2000
	hits := map[string]int{}
	for seed := int64(1); seed <= *simSeeds; seed++ {
		w := newSimWorld(t, seed, int32(3+seed%3))
		for range turns {
			w.turn()
		}
		for what, n := range w.hits {
			hits[what] += n
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, what := range []string{"commit", "clean election", "election of an eligible one", "unclean election", "isr changed",
		"isr: INELIGIBLE_REPLICA", "isr: INVALID_UPDATE_VERSION", "isr: FENCED_LEADER_EPOCH", "isr: NEW_LEADER_ELECTED",
		"controller.ReassignPartitions", "controller.AlterConfigs", "controller.UnregisterBroker", "controller.Rebalance", "controller.ShutdownBroker"} {
		if hits[what] == 0 {
			t.Errorf("%q never happened: %v", what, hits)
		}
	}
	t.Logf("%v", hits)
}
