package feed_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ottla/internal/config"
	"ottla/internal/kafka"
	"ottla/internal/kafka/data"
	"ottla/internal/kafka/pipe"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/quota"
	"ottla/internal/record"
	"ottla/internal/replicate"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// cluster is three nodes with replicas of the same partitions, each with a door
// and with fetchers that reach the others' doors as nodes.
type cluster struct {
	t     testing.TB
	nodes []*node
	roles map[int32]partition.Role // by partition

	mu    sync.Mutex
	conns []net.Conn // of fetchers, all ever made
	away  map[int32]bool
}

// node is one of them. It implements data.Partitions and data.Cluster.
type node struct {
	c        *cluster
	id       int32
	dir      *log.Dir
	parts    []*partition.Partition
	family   *data.Family
	door     *kafka.Door
	fetchers *replicate.Fetchers
	inSync   chan *partition.Partition
	epoch    atomic.Int64 // of its registration
	throttle *quota.Quota // of what it sends
	waits    *metric.Counter
	clock    *still
}

// still is a clock that stands still unless a test moves it.
type still struct{ at atomic.Int64 }

func (c *still) Now() time.Time { return time.Unix(1_700_000_000, c.at.Load()) }

// span is a sample of the nodes' quotas: short, since the door's wheel looks again
// once a span by the wall clock.
const span = 20 * time.Millisecond

var topicID = uuid.UUID{4, 5, 6}

func (n *node) Image() *metadata.Image { return metadata.Empty() }

func (n *node) ByName([]byte, int32) (*partition.Partition, wire.Code) {
	return nil, wire.UnknownTopicOrPartition
}

func (n *node) ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code) {
	if id != topicID {
		return nil, wire.UnknownTopicID
	}
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	if n.c.roles[index].Leader != n.id {
		return nil, wire.NotLeaderOrFollower
	}
	return n.parts[index], wire.None
}

// newCluster has so many partitions, all led by node 1 in epoch 0, with all in
// sync.
func newCluster(t testing.TB, partitions int32, adjust ...func(*partition.Config)) *cluster {
	t.Helper()
	c := &cluster{t: t, roles: map[int32]partition.Role{}, away: map[int32]bool{}}
	conf := partition.Config{
		Log:       log.Config{SegmentBytes: 1 << 30, IndexBytes: 10 << 20, IndexIntervalBytes: 4096, Delete: true, MaxDecompressed: 64 << 20},
		Rules:     record.Rules{MaxBatchBytes: 8 << 20, MaxDecompressed: 64 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 3600_000},
		MinInsync: 2, ProducerExpiry: 24 * time.Hour,
	}
	for _, f := range adjust {
		f(&conf)
	}
	for id := int32(1); id <= 3; id++ {
		c.nodes = append(c.nodes, c.start(id, partitions, conf))
	}
	for i := range partitions {
		c.assign(i, partition.Role{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}})
	}
	return c
}

func (c *cluster) node(id int32) *node { return c.nodes[id-1] }

func (c *cluster) start(id, partitions int32, conf partition.Config) *node {
	c.t.Helper()
	n := &node{c: c, id: id, inSync: make(chan *partition.Partition, 1024)}
	n.epoch.Store(100 + int64(id))
	var err error
	n.dir, err = log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: time.Now, VerifyAge: time.Hour})
	must(c.t, err)
	for i := range partitions {
		p := partition.New(partition.Options{
			Topic: "orders", ID: topicID, Index: i, NodeID: id, Now: time.Now, Config: conf,
			InSync: func(p *partition.Partition) {
				select {
				case n.inSync <- p:
				default:
				}
			},
		})
		must(c.t, p.Open(n.dir))
		n.parts = append(n.parts, p)
	}
	static, err := config.StaticOf("test", nil)
	must(c.t, err)
	view := &config.View{Static: static, NodeID: id}
	n.clock, n.waits = new(still), metric.New().Counter("ottla_replica_throttle_waits_total", "leader")
	n.throttle = quota.New(quota.Options{Samples: 11, Span: span, Now: n.clock.Now, Metrics: quota.Metrics{Waits: n.waits}})
	n.family = data.New(data.Options{Cluster: n, Partitions: n, View: view, Throttle: n.throttle})
	n.door, err = kafka.New(kafka.Options{Cluster: n, View: view, NodeID: id, ClusterID: "test", APIs: n.family.APIs()})
	must(c.t, err)
	n.fetchers = replicate.New(replicate.Options{
		NodeID: id, BrokerEpoch: n.epoch.Load,
		Open: func(_ context.Context, to int32) (net.Conn, error) { return c.dial(id, to) },
		Settings: func() replicate.Settings {
			return replicate.Settings{PartitionBytes: 1 << 20, ResponseBytes: 10 << 20, Wait: 500 * time.Millisecond, Backoff: time.Second, Silence: 30 * time.Second}
		},
	})
	stop := n.drive()
	c.t.Cleanup(func() {
		n.fetchers.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.door.Close(ctx); err != nil {
			c.t.Error(err)
		}
		n.family.Close()
		stop()
	})
	return n
}

// drive runs sync rounds as the logs ask for them.
func (n *node) drive() (stop func()) {
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-n.dir.Dirty():
				_ = n.dir.SyncRound() // a failure shows in what the tests see
			case <-quit:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(quit); done.Wait() })
}

// dial makes the connection of a node's fetcher.
func (c *cluster) dial(from, to int32) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away[to] || c.away[from] {
		return nil, fmt.Errorf("node %d cannot reach node %d", from, to)
	}
	near, far := pipe.New(pipe.Addr("node"), pipe.Addr("node"))
	c.conns = append(c.conns, near)
	go c.node(to).door.ServeNode(far, from, false)
	return near, nil
}

// cut ends all connections of fetchers.
func (c *cluster) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.conns {
		_ = nc.Close() // it may have ended by itself
	}
	c.conns = nil
}

// assign gives a partition its role on all nodes, followers first: they know of a
// leader that does not yet.
func (c *cluster) assign(index int32, r partition.Role) {
	c.t.Helper()
	c.mu.Lock()
	c.roles[index] = r
	c.mu.Unlock()
	for _, n := range c.nodes {
		if n.id != r.Leader {
			c.become(n, index, r)
		}
	}
	c.become(c.node(r.Leader), index, r)
}

func (c *cluster) become(n *node, index int32, r partition.Role) {
	c.t.Helper()
	p := n.parts[index]
	must(c.t, p.Become(r))
	if r.Leader == n.id {
		n.fetchers.Unfollow(p)
	} else {
		n.fetchers.Follow(p, r.Leader, r.LeaderEpoch)
	}
}

// told is a waiter for commits.
type told chan error

func (w told) Committed(err error) { w <- err }

// append writes a batch at a node and gives what waits for all replicas.
func (n *node) append(index int32, values ...string) (partition.Appended, told) {
	n.c.t.Helper()
	b := record.NewBuilder()
	for _, v := range values {
		b.Add(1_700_000_000_000, nil, []byte(v))
	}
	var got partition.Appended
	must(n.c.t, n.parts[index].Append(b.Build(0), &partition.AppendArgs{Acks: -1, AllowZstd: true}, &got))
	w := make(told, 1)
	done, err := n.parts[index].Await(w, got.End, -1)
	if done || err != nil {
		w <- err
	}
	return got, w
}

func (w told) wait(t testing.TB) {
	t.Helper()
	select {
	case err := <-w:
		if err != nil {
			t.Fatalf("the batch is not committed: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the batch is not committed")
	}
}

// reader waits for a replica's high watermark.
type reader chan struct{}

func (r reader) Anyone() bool { return true }

func (r reader) Readable(int) {
	select {
	case r <- struct{}{}:
	default:
	}
}

// reach waits until a replica's high watermark is at end.
func (n *node) reach(index int32, end int64) {
	n.c.t.Helper()
	p, r := n.parts[index], make(reader, 1)
	p.Watch(r, 0, partition.ReadUncommitted)
	defer p.Unwatch(r)
	deadline := time.After(patience)
	for p.Offsets().HighWatermark < end {
		select {
		case <-r:
		case <-deadline:
			n.c.t.Fatalf("node %d comes to %+v, want the high watermark %d", n.id, p.Offsets(), end)
		}
	}
}

// bytes are what a reader of a replica gets, from any of them.
func (n *node) bytes(index int32) string {
	n.c.t.Helper()
	a := partition.FetchArgs{Offset: n.parts[index].Offsets().LogStart, MaxBytes: 64 << 20, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, Anyone: true}
	var f partition.Fetched
	must(n.c.t, n.parts[index].Fetch(&a, &f))
	if f.Slice.Len == 0 {
		return ""
	}
	b := make([]byte, f.Slice.Len)
	_, err := f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	must(n.c.t, err)
	return string(b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
