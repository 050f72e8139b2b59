package quorum

import (
	"errors"
	"path"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// posted is a frame on its way.
type posted struct {
	from, to int32
	frame    []byte
}

// trio is a quorum of three in one goroutine: messages wait in a list until
// the test delivers them, and go through their wire form.
type trio struct {
	t     *testing.T
	nodes map[uint64]*rig
	ids   []uint64
	mail  []posted
	cut   map[uint64]bool // members that nobody reaches
	now   time.Time
}

func trioVoters() []Voter {
	return []Voter{{ID: 1, DirectoryID: uuid.UUID{1}}, {ID: 2, DirectoryID: uuid.UUID{2}}, {ID: 3, DirectoryID: uuid.UUID{3}}}
}

func newTrio(t *testing.T) *trio {
	t.Helper()
	w := &trio{t: t, nodes: map[uint64]*rig{}, cut: map[uint64]bool{}, now: time.UnixMilli(1_700_000_000_000)}
	set := newVoterSet(trioVoters()...)
	for _, v := range trioVoters() {
		f := newMem(t)
		d, err := log.OpenDir(log.DirOptions{FS: f, Path: rigPath})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Make(ident); err != nil {
			t.Fatal(err)
		}
		c := &checkpoints{fs: f, dir: path.Join(rigPath, dirName)}
		m := snapshotMeta{Index: 1, ClusterID: "C", Conf: &pb.ConfState{Voters: set.ids()}, Voters: set}
		if err := c.write(m, metadata.Empty()); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(nil); err != nil {
			t.Fatal(err)
		}
		id := raftID(v.ID, v.DirectoryID)
		w.ids = append(w.ids, id)
		w.open(id, v, f)
	}
	return w
}

// open starts a member on its disk.
func (w *trio) open(id uint64, v Voter, f vfs.FS) {
	w.t.Helper()
	r := &rig{t: w.t, fs: f, machine: &catalogue{names: map[string]bool{}}, now: w.now}
	var err error
	if r.dir, err = log.OpenDir(log.DirOptions{FS: f, Path: rigPath}); err != nil {
		w.t.Fatal(err)
	}
	o := r.options(0)
	o.NodeID, o.DirectoryID = v.ID, v.DirectoryID
	o.Send = func(to int32, frame []byte) { w.mail = append(w.mail, posted{v.ID, to, frame}) }
	if r.member, err = openMember(o, new(atomic.Pointer[metadata.Image])); err != nil {
		w.t.Fatal(err)
	}
	r.member.inBackground = func(write func() error, m snapshotMeta) { r.member.snapshotWritten(m, write()) }
	w.nodes[id] = r
}

// deliver hands out mail until there is none.
func (w *trio) deliver() {
	for len(w.mail) > 0 {
		l := w.mail[0]
		w.mail = w.mail[1:]
		from, to := w.idOf(l.from), w.idOf(l.to)
		if w.cut[from] || w.cut[to] || w.nodes[to] == nil {
			continue
		}
		w.nodes[to].member.receive(w.now, []letter{{l.from, l.frame}})
	}
}

// idOf is the member at a node.
func (w *trio) idOf(node int32) uint64 {
	for _, id := range w.ids {
		if r := w.nodes[id]; r != nil && r.member.o.NodeID == node {
			return id
		}
	}
	return 0
}

// pass lets one tick pass for all that can be reached.
func (w *trio) pass() {
	for _, id := range w.ids {
		if !w.cut[id] {
			w.nodes[id].member.tick(w.now)
		}
	}
	w.deliver()
}

// elect lets time pass until one of the reachable members leads all others.
func (w *trio) elect() *rig {
	w.t.Helper()
	for range 200 {
		w.pass()
		for _, id := range w.ids {
			if r := w.nodes[id]; !w.cut[id] && r.member.leading && w.followed(r) {
				return r
			}
		}
	}
	w.t.Fatal("no leader after 200 ticks")
	return nil
}

// followed tells whether every reachable member follows r.
func (w *trio) followed(r *rig) bool {
	for _, id := range w.ids {
		if !w.cut[id] && w.nodes[id].member.leader != r.member.o.NodeID {
			return false
		}
	}
	return true
}

// ask gives commands to a member and delivers until they are answered or
// nothing moves any more.
func (w *trio) ask(r *rig, cmds ...any) []chan result {
	var requests []request
	var answers []chan result
	for _, c := range cmds {
		to := make(chan result, 1)
		requests, answers = append(requests, request{c, to}), append(answers, to)
	}
	r.member.turn(w.now, requests)
	w.deliver()
	return answers
}

func answer(t *testing.T, from chan result) result {
	t.Helper()
	select {
	case a := <-from:
		return a
	default:
		t.Fatal("no answer")
		return result{}
	}
}

// settle lets heartbeats tell everyone the commit, then compares all members.
func (w *trio) settle(topics int) {
	w.t.Helper()
	for range 5 {
		w.pass()
	}
	for _, id := range w.ids {
		m := w.nodes[id].member
		if m.image.TopicCount() != topics {
			w.t.Errorf("node %d has %d topics, want %d", m.o.NodeID, m.image.TopicCount(), topics)
		}
		sameImage(w.t, m.image, w.nodes[w.ids[0]].member.image)
		if m.store.index.end() != w.nodes[w.ids[0]].member.store.index.end() {
			w.t.Errorf("node %d ends at offset %d, node 1 at %d", m.o.NodeID, m.store.index.end(), w.nodes[w.ids[0]].member.store.index.end())
		}
	}
}

func TestThreeReplicate(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	for n := range 5 {
		if a := answer(t, w.ask(lead, create{n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	w.settle(5)
	for _, id := range w.ids {
		if r := w.nodes[id]; r != lead {
			if a := answer(t, w.ask(r, count{})[0]); !errors.Is(a.err, wire.NotController) {
				t.Errorf("a follower answers %v, %v, want NOT_CONTROLLER", a.reply, a.err)
			}
		}
	}
	if s := lead.member.status(); len(s.Voters) != 3 || s.Voters[0].LogEndOffset != s.HighWatermark || s.Voters[2].LogEndOffset != s.HighWatermark {
		t.Errorf("status %+v, want all three at the high watermark", s)
	}
}

// A leader that is cut off accepts and cannot commit: when it hears of its
// successor the waiter is told that the outcome is open, its machine forgets,
// its log gives way.
func TestCutOffLeaderForgetsWhatItAccepted(t *testing.T) {
	w := newTrio(t)
	old := w.elect()
	if a := answer(t, w.ask(old, create{0})[0]); a.err != nil {
		t.Fatal(a.err)
	}
	oldID := raftID(old.member.o.NodeID, old.member.o.DirectoryID)
	w.cut[oldID] = true
	lost := w.ask(old, create{1}, count{})
	for i := range lost {
		if len(lost[i]) != 0 {
			t.Fatalf("answer %d came without a majority", i)
		}
	}
	if !old.machine.names["topic-00001"] {
		t.Error("what was accepted is not seen by the machine")
	}
	lead := w.elect()
	if lead == old {
		t.Fatal("the member that was cut off leads")
	}
	for n := 2; n < 4; n++ {
		if a := answer(t, w.ask(lead, create{n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	w.cut[oldID] = false
	lead = w.elect()
	w.settle(3)
	for i := range lost {
		if a := answer(t, lost[i]); a.err == nil {
			t.Errorf("answer %d is %v, want an error", i, a.reply)
		}
	}
	if old.machine.names["topic-00001"] || old.member.image.TopicByName("topic-00001") != nil {
		t.Error("the cut-off leader still knows what was never committed")
	}
	if err := lead.machine.agrees(lead.member.image); err != nil {
		t.Error(err)
	}
}

// Members that restart keep their votes and their logs; entries that they do
// not know to be committed are not shown until a leader says so.
func TestThreeRestart(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	for n := range 3 {
		if a := answer(t, w.ask(lead, create{n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	w.settle(3)
	for i, v := range trioVoters() {
		r := w.nodes[w.ids[i]]
		term := r.member.store.hard.term
		if i == 0 { // one is stopped cleanly, the others are not
			r.stop()
		} else if err := errors.Join(r.member.journal.close(), r.dir.Close(nil)); err != nil {
			t.Fatal(err)
		}
		w.open(w.ids[i], v, r.fs)
		m := w.nodes[w.ids[i]].member
		if m.store.hard.term != term || m.leading || m.store.index.end() != r.member.store.index.end() {
			t.Errorf("node %d came back with epoch %d and end %d, want %d and %d", v.ID, m.store.hard.term, m.store.index.end(), term, r.member.store.index.end())
		}
		if n := m.image.TopicCount(); n > 3 || i == 0 && n != 3 {
			t.Errorf("node %d shows %d topics before it heard of a leader", v.ID, n)
		}
	}
	w.mail = nil
	lead = w.elect()
	if a := answer(t, w.ask(lead, create{3})[0]); a.err != nil {
		t.Fatal(a.err)
	}
	w.settle(4)
}

// A change of the quorum goes through the log (KIP-853), and the member that
// is left decides alone.
func TestVotersLeave(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	if a := answer(t, w.ask(lead, create{0})[0]); a.err != nil {
		t.Fatal(a.err)
	}
	me := raftID(lead.member.o.NodeID, lead.member.o.DirectoryID)
	for _, id := range w.ids {
		if id == me {
			continue
		}
		cc := &pb.ConfChange{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(id)}
		if err := lead.member.raw.ProposeConfChange(cc); err != nil {
			t.Fatal(err)
		}
		lead.member.settle(lead.member.drive(w.now))
		w.deliver()
	}
	if !lead.member.alone() || len(lead.member.voters.list()) != 1 {
		t.Fatalf("the configuration is %v", lead.member.store.conf)
	}
	if a := answer(t, w.ask(lead, create{1})[0]); a.err != nil {
		t.Fatal(a.err)
	}
	v := lead.member.voters.list()[0]
	if err := errors.Join(lead.member.journal.close(), lead.dir.Close(nil)); err != nil {
		t.Fatal(err)
	}
	w.open(me, v, lead.fs)
	r := w.nodes[me]
	if err := r.member.campaign(w.now); err != nil {
		t.Fatal(err)
	}
	if !r.member.leading || r.member.image.TopicCount() != 2 {
		t.Errorf("after a restart: leads %v with %d topics, want the sole voter to lead with both", r.member.leading, r.member.image.TopicCount())
	}
}
