package quorum

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// hub carries frames between nodes of one process: a channel for each pair, so
// that they come in order, and drops what does not fit. Its tests run in bubbles
// of time: a machine that is busy elects no other leader.
type hub struct {
	mu    sync.Mutex
	nodes map[int32]*Node
	wires map[[2]int32]chan []byte
	down  map[int32]bool
	wg    sync.WaitGroup
}

func newHub() *hub {
	return &hub{nodes: map[int32]*Node{}, wires: map[[2]int32]chan []byte{}, down: map[int32]bool{}}
}

func (h *hub) send(from, to int32, frame []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down[from] || h.down[to] {
		return
	}
	pair := [2]int32{from, to}
	w := h.wires[pair]
	if w == nil {
		w = make(chan []byte, 256)
		h.wires[pair] = w
		h.wg.Go(func() {
			for f := range w {
				h.mu.Lock()
				n := h.nodes[to]
				if h.down[to] {
					n = nil
				}
				h.mu.Unlock()
				if n != nil {
					n.Receive(from, f)
				}
			}
		})
	}
	select {
	case w <- frame:
	default:
	}
}

func (h *hub) close() {
	h.mu.Lock()
	for _, w := range h.wires {
		close(w)
	}
	h.wires, h.down = nil, map[int32]bool{1: true, 2: true, 3: true, 4: true}
	h.mu.Unlock()
	h.wg.Wait()
}

// member of the hub, on its disk.
type hubNode struct {
	*Node
	fs      vfs.FS
	machine *catalogue
	leaders chan leads
	shown   chan *metadata.Image
}

// open starts node id on f; all but node 1 join.
func (h *hub) open(t *testing.T, id int32, f vfs.FS, change func(*Options)) *hubNode {
	t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: f, Path: rigPath})
	if err != nil {
		t.Fatal(err)
	}
	hn := &hubNode{fs: f, machine: &catalogue{names: map[string]bool{}}, leaders: make(chan leads, 1000), shown: make(chan *metadata.Image, 10_000)}
	o := Options{
		NodeID: id, DirectoryID: [16]byte{byte(id)}, ClusterID: "C", Dir: dir, Machine: hn.machine, Joining: id > 1,
		Send:     func(to int32, frame []byte) { h.send(id, to, frame) },
		OnLeader: func(leader, epoch int32) { hn.leaders <- leads{leader, epoch} },
		OnImage:  func(img *metadata.Image, _ *metadata.Delta) { hn.shown <- img },
	}
	if change != nil {
		change(&o)
	}
	if hn.Node, err = Open(o); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.nodes[id] = hn.Node
	delete(h.down, id)
	h.mu.Unlock()
	if err := hn.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return hn
}

// waitLeader returns when the node hears of a leader that is one of those.
func (hn *hubNode) waitLeader(t *testing.T, of ...int32) int32 {
	t.Helper()
	for {
		select {
		case l := <-hn.leaders:
			for _, id := range of {
				if l.leader == id {
					return id
				}
			}
		case <-t.Context().Done():
			t.Fatal("no leader")
		}
	}
}

// waitTopics returns when the node shows that many topics.
func (hn *hubNode) waitTopics(t *testing.T, n int) {
	t.Helper()
	for img := hn.Image(); img.TopicCount() < n; {
		select {
		case img = <-hn.shown:
		case <-t.Context().Done():
			t.Fatalf("%d topics, want %d", img.TopicCount(), n)
		}
	}
}

// join has node 1 take a node in, and waits until it votes or shows that it
// follows.
func join(t *testing.T, lead, hn *hubNode) {
	t.Helper()
	v := Voter{ID: hn.o.NodeID, DirectoryID: hn.DirectoryID()}
	if err := lead.Join(t.Context(), JoinRequest{v, "C"}); err != nil {
		t.Fatal(err)
	}
	if err := lead.Change(t.Context(), MembershipChange{Promote, v}); err != nil && !errors.Is(err, ErrIsVoter) {
		t.Fatal(err)
	}
}

func trioOfNodes(t *testing.T, change func(*Options)) (*hub, [4]*hubNode) {
	t.Helper()
	h := newHub()
	var ns [4]*hubNode
	for id := int32(1); id <= 3; id++ {
		ns[id] = h.open(t, id, newMem(t), change)
	}
	ns[1].waitLeader(t, 1)
	for id := 2; id <= 3; id++ {
		join(t, ns[1], ns[id])
	}
	return h, ns
}

// Three nodes in one process: they join, follow, and go on without the leader
// that stops, at once.
func TestThreeNodesHandOnAtAStop(t *testing.T) { synctest.Test(t, handOnAtAStop) }

func handOnAtAStop(t *testing.T) {
	h, ns := trioOfNodes(t, func(o *Options) { o.SnapshotBytes = 2000 })
	defer h.close()
	ctx := t.Context()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				if _, offset, err := ns[1].DoAt(ctx, create{w*25 + i}); err != nil || ns[1].Image().Offset < offset {
					t.Errorf("create %d: offset %d, %v", w*25+i, offset, err)
				}
			}
		})
	}
	wg.Wait()
	ns[2].waitTopics(t, 100)
	ns[3].waitTopics(t, 100)
	if _, err := ns[2].Do(ctx, count{}); !errors.Is(err, wire.NotController) {
		t.Errorf("a follower answers %v", err)
	} else if why := (*NotLeading)(nil); !errors.As(err, &why) || why.Leader != 1 {
		t.Errorf("and names leader %+v", why)
	}
	if err := ns[1].Close(); err != nil {
		t.Fatal(err)
	}
	next := ns[ns[2].waitLeader(t, 2, 3)]
	if next == ns[3] {
		ns[3].waitLeader(t, 3)
	}
	if _, err := next.Do(ctx, create{100}); err != nil {
		t.Errorf("after the leader's stop: %v", err)
	}
	if s := next.Status(); len(s.Voters) != 3 || !s.Serves {
		t.Errorf("status %+v", s)
	}
	for _, n := range ns[2:] {
		n.waitTopics(t, 101)
	}
	for _, n := range ns[2:] {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A leader that is cut off tells those who wait what became of their commands,
// once it hears; the others elect another one.
func TestThreeNodesWithoutTheirLeader(t *testing.T) { synctest.Test(t, withoutTheirLeader) }

func withoutTheirLeader(t *testing.T) {
	h, ns := trioOfNodes(t, nil)
	defer h.close()
	ctx := t.Context()
	if _, err := ns[1].Do(ctx, create{0}); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.down[1] = true
	h.mu.Unlock()
	began := time.Now()
	lost := make(chan error, 1)
	go func() {
		_, err := ns[1].Do(ctx, create{1})
		lost <- err
	}()
	next := ns[ns[2].waitLeader(t, 2, 3)]
	if next == ns[3] {
		ns[3].waitLeader(t, 3)
	}
	t.Logf("another leader after %v", time.Since(began))
	if _, err := next.Do(ctx, create{2}); err != nil {
		t.Errorf("the new leader answers %v", err)
	}
	h.mu.Lock()
	delete(h.down, 1)
	h.mu.Unlock()
	if err := <-lost; err == nil {
		t.Error("a command was acknowledged by a leader that nobody reached")
	}
	for _, n := range ns[1:] {
		n.waitTopics(t, 2)
		if n.Image().TopicByName("topic-00001") != nil {
			t.Error("and it was carried out")
		}
	}
	for _, n := range ns[1:] {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A node of its own has no clock, whatever a quorum of several has; with an
// observer it has one, and without it none again.
func TestTheClockRunsWhileThereIsSomebodyElse(t *testing.T) { synctest.Test(t, clockWithSomebodyElse) }

func clockWithSomebodyElse(t *testing.T) {
	h := newHub()
	defer h.close()
	one := h.open(t, 1, newMem(t), func(o *Options) { o.AutoVoters = 1 })
	one.waitLeader(t, 1)
	told := make(chan struct{})
	observe := func() bool { // a call has returned when the next one is taken
		var on bool
		if err := one.call(t.Context(), func(m *member) { on = m.ticking(); told <- struct{}{} }); err != nil {
			t.Fatal(err)
		}
		<-told
		return on
	}
	if observe() {
		t.Error("a quorum of one ticks")
	}
	two := h.open(t, 2, newMem(t), nil)
	v := Voter{ID: 2, DirectoryID: two.DirectoryID()}
	if err := one.Join(t.Context(), JoinRequest{v, "C"}); err != nil {
		t.Fatal(err)
	}
	if !observe() {
		t.Error("with an observer it does not tick")
	}
	if _, err := one.Do(t.Context(), create{0}); err != nil {
		t.Fatal(err)
	}
	two.waitTopics(t, 1)
	if s := one.Status(); len(s.Observers) != 1 || s.Observers[0].ID != 2 || len(s.Voters) != 1 {
		t.Errorf("status %+v", s)
	}
	if err := one.Change(t.Context(), MembershipChange{Remove, v}); err != nil {
		t.Fatal(err)
	}
	if observe() {
		t.Error("alone again it ticks")
	}
	if err := one.Join(t.Context(), JoinRequest{v, "C"}); !errors.Is(err, ErrGone) {
		t.Errorf("the removed directory joins again: %v", err)
	}
	if err := errors.Join(two.Close(), one.Close()); err != nil {
		t.Error(err)
	}
}

func TestJoinRefusesAnotherCluster(t *testing.T) {
	n := node(t, newMem(t), nil)
	defer n.Close()
	err := n.Join(context.Background(), JoinRequest{Voter{ID: 2}, "D"})
	if !errors.Is(err, wire.InconsistentClusterID) {
		t.Errorf("got %v", err)
	}
}
