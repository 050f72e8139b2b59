package feed_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/pull"
)

// TestAnAnswerOfAllReplicasMeansThatAllHaveSynced: acks=all under durability=fsync.
func TestAnAnswerOfAllReplicasMeansThatAllHaveSynced(t *testing.T) {
	c := newCluster(t, 1)
	for i := range 20 {
		got, w := c.node(1).append(0, fmt.Sprint("value ", i))
		w.wait(t)
		for _, n := range c.nodes {
			if s := n.parts[0].Synced(); s < got.End {
				t.Fatalf("node %d has synced up to %d, and %d was answered", n.id, s, got.End)
			}
		}
	}
	end := c.node(1).parts[0].Offsets().LogEnd
	want := c.node(1).bytes(0)
	for _, n := range c.nodes[1:] {
		n.reach(0, end)
		if got := n.bytes(0); got != want {
			t.Errorf("node %d reads other bytes than the leader", n.id)
		}
	}
}

// TestReplicatedAnswersFromMemory: with durability=replicated what followers hold
// counts, synced or not.
func TestReplicatedAnswersFromMemory(t *testing.T) {
	c := newCluster(t, 1, func(c *partition.Config) { c.Log.Durability = log.Replicated })
	got, w := c.node(1).append(0, "value")
	w.wait(t)
	for _, n := range c.nodes {
		if o := n.parts[0].Offsets(); o.LogEnd < got.End || n.parts[0].Synced() != 0 {
			t.Errorf("node %d holds %+v and has synced up to %d", n.id, o, n.parts[0].Synced())
		}
	}
}

// TestAPartitionIsFollowedWhileOthersWait: a fetch that is parked does not keep a
// partition that comes later.
func TestAPartitionIsFollowedWhileOthersWait(t *testing.T) {
	c := newCluster(t, 40)
	for i := range int32(40) {
		_, w := c.node(1).append(i, "first")
		w.wait(t)
	}
	// All moves: some to other leaders, some to another epoch of the same.
	for i := range int32(40) {
		c.assign(i, partition.Role{Leader: 1 + i%3, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}})
	}
	for i := range int32(40) {
		_, w := c.node(1+i%3).append(i, "second")
		w.wait(t)
	}
	for i := range int32(40) {
		for _, n := range c.nodes {
			n.reach(i, 2)
			if got, want := n.bytes(i), c.node(1+i%3).bytes(i); got != want {
				t.Fatalf("node %d: partition %d differs from its leader's", n.id, i)
			}
		}
	}
}

// TestAFollowerCutsOffWhatItsLeaderDoesNotHave: a leader that nobody could reach
// has written on.
func TestAFollowerCutsOffWhatItsLeaderDoesNotHave(t *testing.T) {
	c := newCluster(t, 1)
	_, w := c.node(1).append(0, "kept")
	w.wait(t)
	for _, n := range c.nodes[1:] {
		n.fetchers.Unfollow(n.parts[0])
	}
	_, lost := c.node(1).append(0, "lost", "lost too")
	c.assign(0, partition.Role{Leader: 2, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}})
	if err := <-lost; err == nil {
		t.Error("a batch of a leader that lost its lead was answered")
	}
	got, w := c.node(2).append(0, "in its place")
	w.wait(t)
	for _, n := range c.nodes {
		n.reach(0, got.End)
		if b := n.bytes(0); b != c.node(2).bytes(0) || strings.Contains(b, "lost") {
			t.Errorf("node %d does not read what the new leader has", n.id)
		}
	}
}

// TestConnectionsThatBreakAreMadeAgain: the session is gone with its connection.
func TestConnectionsThatBreakAreMadeAgain(t *testing.T) {
	c := newCluster(t, 3)
	for round := range 5 {
		for i := range int32(3) {
			_, w := c.node(1).append(i, fmt.Sprint("round ", round))
			if i == 1 {
				c.cut()
			}
			w.wait(t)
		}
	}
}

// TestAFollowerThatCaughtUpMayJoin: the leader is told at once.
func TestAFollowerThatCaughtUpMayJoin(t *testing.T) {
	c := newCluster(t, 1)
	c.node(3).fetchers.Unfollow(c.node(3).parts[0])
	c.assign2(0, 3, partition.Role{Leader: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}})
	_, w := c.node(1).append(0, "without it")
	w.wait(t)
	c.become(c.node(3), 0, partition.Role{Leader: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}})
	deadline := time.After(patience)
	for told := false; !told; {
		select {
		case p := <-c.node(1).inSync:
			var x partition.Proposal
			// It may have heard of the fetch that was under way when node 3 left off
			// following: that one has not caught up any more.
			x, told = p.Propose(&partition.ProposeArgs{MaxLagMs: 30_000, Epoch: 101, MayJoin: func(int32, int64) bool { return true }})
			if told && (len(x.ISR) != 3 || x.ISR[2] != (partition.Member{Broker: 3, Epoch: 103}) || x.ISR[0].Epoch != 101) {
				t.Errorf("the leader proposes %+v", x)
			}
		case <-deadline:
			t.Fatal("the leader does not hear that a follower caught up")
		}
	}
}

// TestAnIdleFollowerIsKnownByItsNewRegistration: a node fetches before it is
// registered again, and what is idle is not asked for twice.
func TestAnIdleFollowerIsKnownByItsNewRegistration(t *testing.T) {
	c := newCluster(t, 1)
	role := partition.Role{Leader: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}}
	c.assign(0, role)
	registered := func(epoch int64) {
		t.Helper()
		c.node(3).epoch.Store(epoch)
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for end := time.Now().Add(patience); ; <-look.C {
			x, ok := c.node(1).parts[0].Propose(&partition.ProposeArgs{MaxLagMs: 30_000, Epoch: 101, MayJoin: func(_ int32, e int64) bool { return e == epoch }})
			if ok && len(x.ISR) == 3 && x.ISR[2] == (partition.Member{Broker: 3, Epoch: epoch}) {
				c.node(1).parts[0].Withdraw(x)
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the leader proposes %+v, %v; want node 3 with epoch %d", x, ok, epoch)
			}
		}
	}
	registered(103)
	registered(203)
}

// assign2 is assign for all nodes but one.
func (c *cluster) assign2(index, but int32, r partition.Role) {
	c.t.Helper()
	c.mu.Lock()
	c.roles[index] = r
	c.mu.Unlock()
	for _, n := range c.nodes {
		if n.id != but {
			c.become(n, index, r)
		}
	}
}

// TestAFollowerBelowTheLeadersStartBeginsThere: what the leader has deleted does not
// come to a replica that is new.
func TestAFollowerBelowTheLeadersStartBeginsThere(t *testing.T) {
	c := newCluster(t, 1)
	c.node(3).fetchers.Unfollow(c.node(3).parts[0])
	c.assign2(0, 3, partition.Role{Leader: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}})
	for i := range 10 {
		_, w := c.node(1).append(0, fmt.Sprint(i), "x", "y")
		w.wait(t)
	}
	if low, err := c.node(1).parts[0].DeleteRecords(16); err != nil || low != 16 {
		t.Fatal(low, err)
	}
	c.become(c.node(3), 0, partition.Role{Leader: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}})
	c.node(3).reach(0, 30)
	if o := c.node(3).parts[0].Offsets(); o.LogStart != 16 || o.LogEnd != 30 {
		t.Errorf("the new replica holds %+v, want [16, 30)", o)
	}
	if c.node(3).bytes(0) != c.node(1).bytes(0) {
		t.Error("the new replica reads other bytes than the leader")
	}
}

// TestNobodyFetchesInAnothersName: the connection's certificate says who asks.
func TestNobodyFetchesInAnothersName(t *testing.T) {
	c := newCluster(t, 1)
	for _, n := range c.nodes[1:] {
		n.fetchers.Unfollow(n.parts[0])
	}
	nc, err := c.dial(2, 1)
	must(t, err)
	ask := func(q *pull.Request) *pull.Response {
		t.Helper()
		req := kmsg.NewPtrFetchRequest()
		req.SetVersion(pull.Version)
		must(t, req.ReadFrom(q.Append(nil)))
		_, err := nc.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1))
		must(t, err)
		var size [4]byte
		_, err = io.ReadFull(nc, size[:])
		must(t, err)
		b := make([]byte, binary.BigEndian.Uint32(size[:]))
		_, err = io.ReadFull(nc, b)
		must(t, err)
		resp := new(pull.Response)
		must(t, resp.Parse(b[5:]))
		return resp
	}
	part := []pull.Ask{{Key: pull.Key{Topic: topicID}, LastEpoch: -1, MaxBytes: 1 << 20}}
	if r := ask(&pull.Request{Replica: 3, MaxBytes: 1 << 20, Asks: part}); r.Code != wire.ClusterAuthorizationFailed || len(r.Rows) != 0 {
		t.Errorf("node 2 as node 3 gets %+v", r)
	}
	if r := ask(&pull.Request{Replica: 2, MaxBytes: 1 << 20, SessionID: 9, SessionEpoch: 1}); r.Code != wire.FetchSessionIDNotFound {
		t.Errorf("a session that is none gets %+v", r)
	}
	r := ask(&pull.Request{Replica: 2, MaxBytes: 1 << 20, Asks: part})
	if r.Code != wire.None || r.SessionID == 0 {
		t.Errorf("node 2 as itself gets %+v", r)
	}
	if x := ask(&pull.Request{Replica: 2, MaxBytes: 1 << 20, SessionID: r.SessionID, SessionEpoch: 4}); x.Code != wire.InvalidFetchSessionEpoch {
		t.Errorf("a session's wrong epoch gets %+v", x)
	}
	asks := append(part, pull.Ask{Key: pull.Key{Topic: topicID, Index: 7}}, pull.Ask{Key: pull.Key{Topic: uuid.UUID{1}}})
	asks[0].LeaderEpoch = 5
	x := ask(&pull.Request{Replica: 2, MaxBytes: 1 << 20, MaxWaitMs: 60_000, SessionID: r.SessionID, SessionEpoch: 1, Asks: asks[:1]})
	if len(x.Rows) != 1 || x.Rows[0].Code != wire.UnknownLeaderEpoch {
		t.Errorf("a later epoch than the leader's gets %+v", x)
	}
	x = ask(&pull.Request{Replica: 2, MaxBytes: 1 << 20, MaxWaitMs: 60_000, SessionID: r.SessionID, SessionEpoch: 2, Asks: asks[2:]})
	if len(x.Rows) != 1 || x.Rows[0].Code != wire.UnknownTopicID {
		t.Errorf("an unknown topic gets %+v", x)
	}
}
