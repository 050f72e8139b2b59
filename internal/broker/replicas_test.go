package broker

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"ottla/internal/broker/insync"
	"ottla/internal/controller"
	"ottla/internal/kafka/pipe"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/replicate"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
	"ottla/internal/wire/pull"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// other is node 2 as far as node 1 sees it: registered, and reached by fetchers.
type other struct {
	*rig
	conns chan net.Conn // of fetchers that node 1 makes to it
	lags  chan time.Time
	epoch int64
}

// beside is a node with another one in its cluster.
func beside(t *testing.T, adjust ...func(*Options)) *other {
	t.Helper()
	o := &other{conns: make(chan net.Conn, 16), lags: make(chan time.Time)}
	o.rig = start(t, vfs.NewMem(0), 1, func(r *rig, opts *Options) {
		opts.Nodes = func(_ context.Context, node int32) (net.Conn, error) {
			near, far := pipe.New(pipe.Addr("1"), pipe.Addr("2"))
			o.conns <- far
			return near, nil
		}
		tick := opts.Tick
		opts.Tick = func(every time.Duration) (<-chan time.Time, func()) {
			if every == insync.Pace {
				return o.lags, func() {}
			}
			return tick(every)
		}
		for _, f := range adjust {
			f(opts)
		}
	})
	o.epoch = o.do(controller.RegisterBroker{ClusterID: "C", Broker: metadata.Broker{ID: 2, Incarnation: [16]byte{2}, Directories: []uuid.UUID{{2}},
		Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "127.0.0.1", Port: 9093}}}}).(int64)
	o.do(controller.UnfenceBroker{ID: 2, Epoch: o.epoch})
	return o
}

// written makes a topic at nodes, this one first, with a record that no other has.
func (o *other) written(replicas ...int32) *partition.Partition {
	o.t.Helper()
	o.createAt("orders", replicas...)
	p := o.find("orders", 0)
	if err := appendHere(p); err != nil {
		o.t.Fatal(err)
	}
	return p
}

// move gives the topic other replicas; none: as they were.
func (o *other) move(to ...int32) {
	o.t.Helper()
	o.do(controller.ReassignPartitions{Partitions: []controller.Reassignment{{
		TopicPartition: controller.TopicPartition{Topic: "orders"}, Replicas: to,
	}}})
}

func (o *other) createAt(name string, replicas ...int32) {
	o.t.Helper()
	c := o.do(controller.CreateTopics{Topics: []controller.NewTopic{{Name: name, Partitions: -1, Replicas: -1, Assignments: map[int32][]int32{0: replicas}}}}).([]controller.CreatedTopic)[0]
	if c.Code != wire.None {
		o.t.Fatalf("create %s: %v %s", name, c.Code, c.Message)
	}
}

// asked reads the next request of a fetcher.
func (o *other) asked(c net.Conn) *pull.Request {
	o.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		o.t.Fatal(err)
	}
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		o.t.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		o.t.Fatal(err)
	}
	_, body, err := wire.ParseHeader(b)
	if err != nil {
		o.t.Fatal(err)
	}
	q := new(pull.Request)
	if err := q.Parse(body); err != nil {
		o.t.Fatal(err)
	}
	return q
}

func (o *other) conn() net.Conn {
	o.t.Helper()
	select {
	case c := <-o.conns:
		return c
	case <-time.After(patience):
		o.t.Fatal("nobody fetches from node 2")
	}
	return nil
}

func (o *other) isr(topic string) []int32 {
	return o.broker.Image().TopicByName(topic).Partitions[0].ISR
}

// TestWhatIsLedElsewhereIsFollowed: from the image to the first fetch, which names the
// registrations of both.
func TestWhatIsLedElsewhereIsFollowed(t *testing.T) {
	o := beside(t)
	defer o.stop()
	o.createAt("orders", 2, 1)
	c := o.conn()
	q := o.asked(c)
	id := o.broker.Image().TopicByName("orders").ID
	if q.Replica != 1 || q.BrokerEpoch != o.rig.epoch || len(q.Asks) != 1 || q.Asks[0].Topic != id || q.Asks[0].Offset != 0 || q.Asks[0].LeaderEpoch != 0 {
		t.Errorf("the fetch says %+v", q)
	}
	if _, code := o.broker.ByName([]byte("orders"), 0); code != wire.NotLeaderOrFollower {
		t.Errorf("what is led elsewhere answers %v", code)
	}
	if p, code := o.broker.AnyByName([]byte("orders"), 0); code != wire.None || p == nil {
		t.Errorf("a follower may not be read: %v", code)
	}
	// The lead comes here: nothing is followed any more.
	o.do(controller.FenceBroker{ID: 2, Epoch: o.epoch})
	if n := o.broker.fetchers.Following(); n != 0 {
		t.Errorf("%d partitions follow a leader that is gone", n)
	}
	o.find("orders", 0)
}

// TestAFollowerThatFallsBehindLeavesAndComesBack: shrink by lag, expand by fetches.
func TestAFollowerThatFallsBehindLeavesAndComesBack(t *testing.T) {
	o := beside(t)
	defer o.stop()
	p := o.written(1, 2)
	o.clock.Add(31_000) // replica.lag.time.max.ms is 30 s
	o.lags <- o.now()
	o.lags <- o.now() // the round before has ended
	if isr := o.isr("orders"); !slices.Equal(isr, []int32{1}) {
		t.Fatalf("the ISR is %v, want [1]", isr)
	}
	var f partition.Fetched
	at := p.Offsets()
	a := partition.ReplicaArgs{Replica: 2, BrokerEpoch: o.epoch, Synced: at.LogEnd, FetchArgs: partition.FetchArgs{
		Offset: at.LogEnd, MaxBytes: 1, CurrentLeaderEpoch: at.LeaderEpoch, LastFetchedEpoch: at.LeaderEpoch,
	}}
	if err := p.FetchReplica(&a, &f); err != nil {
		t.Fatal(err)
	}
	o.lags <- o.now()
	o.lags <- o.now()
	if isr := o.isr("orders"); !slices.Equal(isr, []int32{1, 2}) {
		t.Errorf("the ISR is %v, want [1 2]", isr)
	}
}

// TestASetClockThrowsNobodyOutOfSync: lag is time that passes, whatever the time of
// day becomes.
func TestASetClockThrowsNobodyOutOfSync(t *testing.T) {
	var passed atomic.Int64 // ms
	o := beside(t, func(o *Options) { o.Live = func() time.Time { return time.UnixMilli(1_000_000 + passed.Load()) } })
	defer o.stop()
	o.createAt("orders", 1, 2)
	if err := appendHere(o.find("orders", 0)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what        string
		set, passes int64 // ms
		isr         []int32
	}{
		{"the clock was set forward", 3_600_000, 29_000, []int32{1, 2}},
		{"the clock was set back", -7_200_000, 1000, []int32{1, 2}},
		{"the follower lags for too long", 0, 1000, []int32{1}},
	} {
		o.clock.Add(step.set)
		passed.Add(step.passes)
		o.lags <- o.now()
		o.lags <- o.now() // the round before has ended
		if isr := o.isr("orders"); !slices.Equal(isr, step.isr) {
			t.Errorf("%s: the ISR is %v, want %v", step.what, isr, step.isr)
		}
	}
}

// TestAnotherProcessOfANodeDoesNotJoin: the fetches came from a registration that is
// no more (KIP-903).
func TestAnotherProcessOfANodeDoesNotJoin(t *testing.T) {
	o := beside(t)
	defer o.stop()
	p := o.written(1, 2)
	o.clock.Add(31_000)
	o.lags <- o.now()
	o.lags <- o.now()
	var f partition.Fetched
	at := p.Offsets()
	a := partition.ReplicaArgs{Replica: 2, BrokerEpoch: o.epoch - 1, Synced: at.LogEnd, FetchArgs: partition.FetchArgs{
		Offset: at.LogEnd, MaxBytes: 1, CurrentLeaderEpoch: at.LeaderEpoch, LastFetchedEpoch: at.LeaderEpoch,
	}}
	if err := p.FetchReplica(&a, &f); err != nil {
		t.Fatal(err)
	}
	o.lags <- o.now()
	o.lags <- o.now()
	if isr := o.isr("orders"); !slices.Equal(isr, []int32{1}) {
		t.Errorf("the ISR is %v, want [1]", isr)
	}
}

// TestAReplicaThatIsMovedAwayIsDeleted: a reassignment takes the log with it, and a
// replica that comes begins with none.
func TestAReplicaThatIsMovedAwayIsDeleted(t *testing.T) {
	o := beside(t)
	defer o.stop()
	o.createAt("orders", 2)
	if o.dirs[0].Holds("orders", 0) || o.broker.fetchers.Following() != 0 {
		t.Error("a node without a replica has one")
	}
	o.move(1, 2)
	if o.broker.fetchers.Following() != 1 {
		t.Error("a new replica does not follow")
	}
	q := o.asked(o.conn())
	if len(q.Asks) != 1 || q.Asks[0].Offset != 0 || q.Asks[0].LastEpoch != -1 {
		t.Errorf("a new replica asks %+v", q)
	}
	o.move() // taken back
	if n := o.broker.fetchers.Following(); n != 0 {
		t.Errorf("%d partitions follow after the reassignment was cancelled", n)
	}
	if _, code := o.broker.AnyByName([]byte("orders"), 0); code != wire.NotLeaderOrFollower {
		t.Errorf("a replica that was moved away answers %v", code)
	}
}

// TestWhoWaitsForAReplicaThatIsMovedAwayIsSentToItsNewLeader: the partition is not
// deleted, and what was not committed here others decide about.
func TestWhoWaitsForAReplicaThatIsMovedAwayIsSentToItsNewLeader(t *testing.T) {
	o := beside(t)
	defer o.stop()
	p := o.written(1, 2)
	w := make(committed, 1)
	if done, err := p.Await(w, p.Offsets().LogEnd, -1); done || err != nil {
		t.Fatalf("what node 2 does not have is committed: %v, %v", done, err)
	}
	o.move(2)
	if o.dirs[0].Holds("orders", 0) {
		t.Error("the log of a replica that was moved away is still there")
	}
	if err := <-w; wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("who waited was told %v, want NOT_LEADER_OR_FOLLOWER", err)
	}
}

// TestANodeAloneKeepsNoFollowers: neither fetchers nor the keeper of ISRs run.
func TestANodeAloneKeepsNoFollowers(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	r.create("orders", 3)
	if f, made := r.broker.fetchers.(*replicate.Fetchers); !made || f != nil {
		t.Error("a node alone has fetchers")
	}
	if r.broker.inSync.Running() {
		t.Error("a node alone looks for followers that lag")
	}
}

// appendHere appends without waiting for anybody.
func appendHere(p *partition.Partition) error {
	b := record.NewBuilder()
	b.Add(1_700_000_000_000, nil, []byte("x"))
	var a partition.Appended
	return p.Append(b.Build(0), &partition.AppendArgs{Acks: 1, AllowZstd: true}, &a)
}

// TestThrottlesAreHeededAsTheyAreSet: rates by node and cluster, replicas by topic,
// until they are taken away (KIP-73).
func TestThrottlesAreHeededAsTheyAreSet(t *testing.T) {
	o := beside(t)
	defer o.stop()
	o.createAt("orders", 1, 2)
	p := o.find("orders", 0)
	alter := func(kind int8, name string, op controller.Op, key, value string) {
		t.Helper()
		res := o.do(controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{Type: kind, Name: name,
			Entries: []controller.AlterEntry{{Name: key, Op: op, Value: &value}}}}}).([]controller.Result)[0]
		if res.Code != wire.None {
			t.Fatalf("alter %s: %+v", key, res)
		}
	}
	are := func(what string, leads, follows, asLeader, asFollower bool) {
		t.Helper()
		got := [4]bool{o.broker.LeaderQuota().Limited(), o.broker.following.Limited(), p.ThrottledLeader(), p.ThrottledFollower()}
		if got != [4]bool{leads, follows, asLeader, asFollower} {
			t.Errorf("%s: rates of leaders and followers, replica as leader and follower: %v", what, got)
		}
	}
	are("at first", false, false, false, false)
	alter(metadata.ResourceBroker, "1", controller.OpSet, leaderRate, "1000")
	alter(metadata.ResourceBroker, "", controller.OpSet, followerRate, "0")
	alter(metadata.ResourceTopic, "orders", controller.OpSet, "leader.replication.throttled.replicas", "0:1,0:2")
	are("rates, and this leader", true, true, true, false)
	alter(metadata.ResourceTopic, "orders", controller.OpSet, "leader.replication.throttled.replicas", "0:2,1:1")
	alter(metadata.ResourceTopic, "orders", controller.OpSet, "follower.replication.throttled.replicas", "*")
	are("another leader, all followers", true, true, false, true)
	alter(metadata.ResourceBroker, "2", controller.OpSet, leaderRate, "5")
	alter(metadata.ResourceBroker, "1", controller.OpDelete, leaderRate, "")
	alter(metadata.ResourceBroker, "", controller.OpDelete, followerRate, "")
	alter(metadata.ResourceTopic, "orders", controller.OpDelete, "follower.replication.throttled.replicas", "")
	are("at last", false, false, false, false)
}
