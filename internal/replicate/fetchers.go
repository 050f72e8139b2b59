package replicate

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/quota"
)

// Options make Fetchers.
type Options struct {
	NodeID int32
	// BrokerEpoch is that of this node's registration now.
	BrokerEpoch func() int64
	// Open makes a connection to a node on which it answers requests in order, as
	// peer.Pool.Open does.
	Open func(ctx context.Context, node int32) (net.Conn, error)
	// Settings are asked for before each request.
	Settings func() Settings
	Logger   *slog.Logger
	Metrics  Metrics
	// Quota is what throttled replicas here may fetch while they are not in sync;
	// nil: all.
	Quota *quota.Quota
}

// Settings are what a fetch heeds (replica.fetch.*).
type Settings struct {
	PartitionBytes int32         // replica.fetch.max.bytes
	ResponseBytes  int32         // replica.fetch.response.max.bytes
	Wait           time.Duration // replica.fetch.wait.max.ms
	Backoff        time.Duration // replica.fetch.backoff.ms: the longest pause after failures
	Silence        time.Duration // replica.socket.timeout.ms: how long a leader may be silent beyond Wait
}

// Metrics are what is measured. A nil handle measures nothing.
type Metrics struct {
	Fetched  *metric.Counter // bytes
	Requests *metric.Counter
	Failed   *metric.Counter // connections that could not be made or broke
}

// Fetchers follow leaders. Its methods may be called from any goroutine, and do
// not wait for any node. Nil Fetchers follow nothing.
type Fetchers struct {
	o    Options
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex // guards the maps; before a fetcher's
	closed bool
	nodes  map[int32]*fetcher
	parts  map[*partition.Partition]*part
}

// New makes Fetchers that follow nothing yet.
func New(o Options) *Fetchers {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Fetchers{o: o, nodes: map[int32]*fetcher{}, parts: map[*partition.Partition]*part{}}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f
}

// Follow has a partition follow a leader in an epoch, instead of any other that it
// followed. The partition has that role already.
func (f *Fetchers) Follow(p *partition.Partition, leader, leaderEpoch int32) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	if old := f.parts[p]; old != nil {
		if old.fetcher.node == leader && old.leaderEpoch == leaderEpoch {
			return
		}
		f.drop(old)
	}
	n := f.nodes[leader]
	if n == nil {
		n = newFetcher(f, leader)
		f.nodes[leader] = n
		f.work.Go(n.read)
		f.work.Go(n.talk)
	}
	x := newPart(n, p, leaderEpoch)
	f.parts[p] = x
	// In this order: a sync that ends when the first question has gone out is told.
	p.Report(x)
	n.add(x)
}

// Unfollow ends what Follow began. What is under way for the partition comes to
// nothing.
func (f *Fetchers) Unfollow(p *partition.Partition) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.parts[p]; x != nil {
		f.drop(x)
	}
}

// drop takes a partition out. mu is held.
func (f *Fetchers) drop(x *part) {
	x.partition.Report(nil)
	delete(f.parts, x.partition)
	x.fetcher.remove(x)
}

// Following tells how many partitions follow.
func (f *Fetchers) Following() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.parts)
}

// Close ends all fetching and waits for it.
func (f *Fetchers) Close() {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.closed = true
	for _, x := range f.parts {
		x.partition.Report(nil)
	}
	nodes := f.nodes
	f.mu.Unlock()
	f.stop()
	for _, n := range nodes {
		n.hangUp(nil)
	}
	f.work.Wait()
}
