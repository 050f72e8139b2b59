package broker

import (
	"context"
	"iter"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/broker/mend"
	"ottla/internal/config"
	"ottla/internal/coordinator"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/quota"
	"ottla/internal/replicate"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Options make a broker.
type Options struct {
	NodeID int32
	// Dirs are the log directories, the first with the metadata log. Those that
	// do not work are log.OfflineDir.
	Dirs []*log.Dir
	// Directories are their identifiers; without them the metadata's word on
	// where a replica lies is not heeded.
	Directories []uuid.UUID
	View        *config.View
	Now         func() time.Time
	// Live is the clock that nobody sets, of lags; nil: Now.
	Live   func() time.Time
	Logger *slog.Logger
	// Coordinators run on the partitions of their topics that are led here, by
	// topic. They are closed by whoever made them.
	Coordinators map[string]*coordinator.Runtime
	// Control gives the controller a command; Ensure asks it for topics.
	Control func(ctx context.Context, cmd any) (any, error)
	// Nodes makes a connection to another node on which it answers requests in
	// order (peer.Pool.Open); what is led elsewhere is followed over it. Nil: no
	// partition has other replicas.
	Nodes func(ctx context.Context, node int32) (net.Conn, error)
	// Ask sends a request to another node; damaged replicas are mended with what
	// it answers. Nil: they are not.
	Ask func(ctx context.Context, node int32, req kmsg.Request) (kmsg.Response, error)
	// Fatal is called once when the node cannot go on: the metadata log's
	// directory failed, or the controller could not be told of another in time.
	Fatal func(error)
	// Metrics take what the loops measure.
	Metrics Metrics
	// Tick makes the tickers of the loops; nil means time.NewTicker. The
	// function it returns stops one.
	Tick func(every time.Duration) (<-chan time.Time, func())
	// Stepping, where set, does what goroutines of the broker would.
	Stepping *Stepping
}

// Stepping is what a broker without goroutines needs, for who keeps the order of
// things himself, as a simulation of a whole cluster does. It does what it is told
// when it likes, as steps of its own; Start is not called.
type Stepping struct {
	// Later runs do: the opening of a log that was found on disk.
	Later func(do func())
	// Followers keeps partitions up with their leaders.
	Followers Followers
	// InSync has the controller note who is in sync.
	InSync InSync
	// Coordinators run on the partitions of their topics, by topic.
	Coordinators map[string]Coordinator
	// Rot is told of damage (partition.Options.Rot). May be nil.
	Rot func(p *partition.Partition, offset int64)
	// Adjust changes what a partition heeds of its settings: to sizes smaller than
	// these may have. May be nil.
	Adjust func(c *partition.Config)
}

// Followers is told which partition follows whom (package replicate).
type Followers interface {
	Follow(p *partition.Partition, leader, leaderEpoch int32)
	Unfollow(p *partition.Partition)
	// Following tells how many follow.
	Following() int
	Close()
}

// InSync is told of partitions with followers that are led here (package insync).
type InSync interface {
	Lead()
	Look(p *partition.Partition)
	// Running tells whether anything is looked at.
	Running() bool
	Close()
}

// Coordinator runs on the partitions of a topic (coordinator.Runtime).
type Coordinator interface {
	Lead(partition int32, t coordinator.Tail)
	Expect(partition int32)
	Resign(partition int32)
}

// Broker follows the metadata image: it opens, leads, configures and deletes
// partitions, and runs the loops that their log directories need (sync
// rounds, checkpoints, retention, housekeeping, producer expiry). Its methods
// may be called from any goroutine, but OnImage from one at a time.
type Broker struct {
	o     Options
	dirs  []*log.Dir
	image atomic.Pointer[metadata.Image]
	table *table
	// steady is the clock of lags, in ms.
	steady func() int64

	begun     bool // the first image came; owned by OnImage's caller, as is
	misplaced bool // a new partition lies elsewhere than the metadata say
	// replaced tells that replicas began anew because their directory is gone.
	replaced   atomic.Bool
	recovering atomic.Int64
	closed     atomic.Int64 // partitions whose logs could not be opened
	homes      homes
	nowhere    *log.Dir // for partitions of directories that are lost
	moves      moves
	news       chan struct{} // has something in it when the controller should hear of directories
	ensuring   chan struct{} // has something in it while Ensure asks

	fetchers Followers    // of what is led elsewhere
	inSync   InSync       // of what is led here and has followers
	mending  *mend.Keeper // of what is damaged here; nil without others to ask
	pulling  atomic.Pointer[replicate.Settings]
	// leading and following are the rates of throttled replicas; nil without
	// other nodes.
	leading, following *quota.Quota

	stop    chan struct{} // closed by Close
	stopped atomic.Bool
	// registered: what is told of directories is told under this node's own epoch.
	registered atomic.Bool
	opening    sync.WaitGroup // workers that open what was found on disk
	loops      sync.WaitGroup
	// settling are the loops that Settle asks, made by Start.
	settling []chan chan struct{}
}

// New makes a broker that holds nothing yet.
func New(o Options) *Broker {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Live == nil {
		o.Live = o.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Tick == nil {
		o.Tick = func(every time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(every)
			return t.C, t.Stop
		}
	}
	b := &Broker{o: o, dirs: o.Dirs, table: newTable(), stop: make(chan struct{}), ensuring: make(chan struct{}, 1)}
	began := o.Live()
	b.steady = func() int64 { return began.UnixMilli() + o.Live().Sub(began).Milliseconds() }
	b.homes.counts = make([]atomic.Int64, len(o.Dirs))
	b.nowhere = log.OfflineDir(log.DirOptions{Path: "(a log directory that this node does not have)", Now: o.Now}, errLost)
	b.moves.done.L = &b.moves.mu
	b.moves.wake, b.news = make(chan struct{}, 1), make(chan struct{}, 1)
	if o.Fatal == nil {
		b.o.Fatal = func(error) {}
	}
	b.image.Store(metadata.Empty())
	b.makeReplicas()
	return b
}

// Image is the newest image applied; never nil.
func (b *Broker) Image() *metadata.Image { return b.image.Load() }

// ByName and ByID find a partition to serve. The code is None,
// UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER (known
// but not led here, or still recovering) or KAFKA_STORAGE_ERROR (its
// directory is offline, or its log cannot be opened); only with None is there
// a partition. Neither allocates.
func (b *Broker) ByName(topic []byte, index int32) (*partition.Partition, wire.Code) {
	return b.table.byName(topic).serve(index, wire.UnknownTopicOrPartition)
}

// ByID is ByName for a topic id.
func (b *Broker) ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code) {
	return b.table.byID(id).serve(index, wire.UnknownTopicID)
}

// AnyByName and AnyByID find a partition to read from, led here or not.
func (b *Broker) AnyByName(topic []byte, index int32) (*partition.Partition, wire.Code) {
	return b.table.byName(topic).read(index, wire.UnknownTopicOrPartition)
}

// AnyByID is AnyByName for a topic id.
func (b *Broker) AnyByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code) {
	return b.table.byID(id).read(index, wire.UnknownTopicID)
}

// TailByName tells how far the log of a replica goes that is held here, whatever its
// role and also where its end is in doubt. The code is None, UNKNOWN_TOPIC_OR_PARTITION,
// NOT_LEADER_OR_FOLLOWER (its log is not open, or there is none), KAFKA_STORAGE_ERROR,
// or CORRUPT_MESSAGE: it has lost some of what it held, and is no measure for others.
func (b *Broker) TailByName(topic []byte, index int32) (partition.Tail, wire.Code) {
	return b.table.byName(topic).tail(index)
}

// Partitions lists all partitions held here, in no order.
func (b *Broker) Partitions() iter.Seq[*partition.Partition] {
	return func(yield func(*partition.Partition) bool) {
		for t := range b.table.topics() {
			for _, h := range t.parts {
				if h != nil && !yield(h.p) {
					return
				}
			}
		}
	}
}

// Steady is the time in ms that lags of replicas are told in (replica.Standing): it
// passes as time does, whatever becomes of the time of day.
func (b *Broker) Steady() int64 { return b.steady() }

// Recovering tells how many partitions are not open yet.
func (b *Broker) Recovering() int { return int(b.recovering.Load()) }

// Dirs describes the log directories.
func (b *Broker) Dirs() []*log.Dir { return b.dirs }
