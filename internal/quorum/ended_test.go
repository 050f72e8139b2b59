package quorum

import (
	"testing"

	"go.etcd.io/raft/v3"
)

// followers are the members that do not lead, by node.
func (w *trio) followers(lead *rig) (out []*rig) {
	w.t.Helper()
	for _, v := range trioVoters() {
		if r := w.nodes[raftID(v.ID, v.DirectoryID)]; r != lead {
			out = append(out, r)
		}
	}
	return out
}

// A leader whose process has ended is followed by another at once, in whatever
// order the others hear of it; else it takes the silence of an election.
func TestNobodyWaitsForALeaderThatHasEnded(t *testing.T) {
	for what, tell := range map[string]func(w *trio, first, second *rig, node int32){
		"the first hears of it first": func(w *trio, first, second *rig, node int32) {
			first.member.ended(w.now, node)
			w.deliver() // the second votes for nobody yet
			second.member.ended(w.now, node)
			w.deliver()
			w.pass()
		},
		"the second hears of it first": func(w *trio, first, second *rig, node int32) {
			second.member.ended(w.now, node)
			w.deliver()
			first.member.ended(w.now, node)
			w.deliver()
		},
		"both at once, and again": func(w *trio, first, second *rig, node int32) {
			for range 3 {
				first.member.ended(w.now, node)
				second.member.ended(w.now, node)
			}
			w.deliver()
		},
	} {
		w := newTrio(t)
		lead := w.elect()
		others := w.followers(lead)
		w.cut[lead.member.id] = true
		tell(w, others[0], others[1], lead.member.o.NodeID)
		if !others[0].member.leading || !w.followed(others[0]) {
			t.Errorf("%s: node %d does not lead, %v and %v", what, others[0].member.o.NodeID, others[0].member.raw.BasicStatus().RaftState, others[1].member.raw.BasicStatus().RaftState)
		}
		if a := answer(t, w.ask(others[0], create{1})[0]); a.err != nil {
			t.Errorf("%s: the new leader takes no command: %v", what, a.err)
		}
	}
}

// The first voter's log may lack what is committed: then the second's turn comes.
func TestAVoterThatLacksSomethingDoesNotKeepTheOthersFromLeading(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	others := w.followers(lead)
	first, second := others[0], others[1]
	w.cut[first.member.id] = true
	if a := answer(t, w.ask(lead, create{1})[0]); a.err != nil {
		t.Fatal(a.err)
	}
	w.cut[first.member.id], w.cut[lead.member.id] = false, true
	first.member.ended(w.now, lead.member.o.NodeID)
	second.member.ended(w.now, lead.member.o.NodeID)
	w.deliver()
	for range heirTicks + 1 {
		w.pass()
	}
	if !second.member.leading || !w.followed(second) {
		t.Errorf("node %d does not lead after %d ticks: %v", second.member.o.NodeID, heirTicks+1, second.member.raw.BasicStatus().RaftState)
	}
	if second.member.image.TopicCount() != 1 {
		t.Error("what was committed is not there")
	}
}

// A hint that is wrong changes nothing: the others hear the leader and vote for
// nobody, and so does who heard the hint, with the next heartbeat.
func TestALeaderThatLivesLeadsOnWhateverIsSaidOfIt(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	term := lead.member.store.hard.term
	for _, r := range w.followers(lead) {
		r.member.ended(w.now, lead.member.o.NodeID)
		w.deliver()
		w.pass()
		w.pass()
		if !lead.member.leading || !w.followed(lead) || lead.member.store.hard.term != term {
			t.Fatalf("after a hint to node %d the leader of term %d is in term %d, leads %v", r.member.o.NodeID, term, lead.member.store.hard.term, lead.member.leading)
		}
		if r.member.heir != 0 {
			t.Errorf("node %d still stands for election", r.member.o.NodeID)
		}
	}
}

// What is said of nodes that do not lead, and of itself, is no reason to vote.
func TestOnlyTheLeadersEndBringsAnElection(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	others := w.followers(lead)
	lead.member.ended(w.now, lead.member.o.NodeID)
	lead.member.ended(w.now, others[0].member.o.NodeID)
	others[0].member.ended(w.now, others[1].member.o.NodeID)
	others[0].member.ended(w.now, 99)
	if len(w.mail) != 0 || !lead.member.leading || !w.followed(lead) {
		t.Errorf("%d frames are on their way, the leader leads: %v", len(w.mail), lead.member.leading)
	}
}

// Who stands is not for ever: with the other voters away, silence decides when it
// tries again, and no vote is asked for each tick.
func TestAVoterStandsForAWhile(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	others := w.followers(lead)
	w.cut[lead.member.id], w.cut[others[1].member.id] = true, true
	others[0].member.ended(w.now, lead.member.o.NodeID)
	for range 1 + heirPatience + 1 {
		w.pass()
	}
	if s := others[0].member.raw.BasicStatus().RaftState; s == raft.StateLeader || others[0].member.heir != 0 {
		t.Errorf("alone it is %v and stands from tick %d on", s, others[0].member.heir)
	}
}
