package partition

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/producer"
	"ottla/internal/quota"
	"ottla/internal/record"
	"ottla/internal/uuid"
)

// Options make a partition.
type Options struct {
	Topic  string
	ID     uuid.UUID
	Index  int32
	NodeID int32
	Now    func() time.Time
	// Steady is the clock of lags, in ms since some moment: setting the time of day
	// must throw nobody out of sync. Nil: Now's.
	Steady func() int64
	Logger *slog.Logger // nil: no log lines
	Config Config
	// InSync, where set, is called, with no lock held, when Propose has something
	// to give that should not wait: a replica that caught up, or one in the ISR
	// that lost what it had.
	InSync func(*Partition)
	// Rot, where set, is called when a range of the log cannot be read: with an
	// offset in it, or with EverythingAnew when the log was opened and something
	// durable is gone, or EndInDoubt when something may be. Locks may be held: it
	// is quick and calls nothing here.
	Rot func(p *Partition, offset int64)
}

// What stands for an offset in Options.Rot.
const (
	EverythingAnew = -1
	EndInDoubt     = -2 // see Doubted
)

// Config is what a partition heeds of its topic's settings.
type Config struct {
	Log            log.Config
	Rules          record.Rules // NowMs and AllowZstd are set per batch
	Recompress     bool
	Codec          record.Codec // with Recompress
	Level          int
	MinInsync      int
	ProducerExpiry time.Duration // producer.id.expiration.ms; 0 means never
	// VerifyTransactions is transaction.partition.verification.enable.
	VerifyTransactions bool
	// Throttled are the topic's replicas that send, as leaders, and that fetch, as
	// followers, no faster than their nodes' rates (KIP-73).
	Throttled struct{ Leaders, Followers *quota.Replicas }
}

// rules are the settings that the core heeds. Internal topics are always
// synced, whatever their durability says.
func (c *Config) rules() replica.Rules {
	return replica.Rules{Synced: c.Log.Internal || c.Log.Durability == log.Fsync, MinInsync: c.MinInsync}
}

// Partition is one replica. All methods may be called from any goroutine. Idle
// it takes less than a kilobyte, its log apart.
type Partition struct {
	topic  string
	id     uuid.UUID
	index  int32
	node   int32
	now    func() time.Time
	steady func() int64
	logger *slog.Logger
	inSync func(*Partition) // nil: nobody wants to know
	rot    func(*Partition, int64)

	config atomic.Pointer[Config]  // never nil; replaced whole, with mu held
	log    atomic.Pointer[log.Log] // nil until Open and after Close

	// Published from the core with st held, read by anyone. All but epoch only
	// grow while the partition leads.
	start, end, high, stable atomic.Int64
	epoch                    atomic.Int32

	shared atomic.Bool // there are other replicas

	full atomic.Bool // the disk was full at the last append: one log line per change

	// mu serialises the writers of the log; see doc.go.
	mu      sync.Mutex
	pending *Role           // mu: the role to take when Open comes
	guards  producer.Guards // mu: of transactions that are asked about
	renewal renewal         // mu

	// st guards everything below.
	st       sync.Mutex
	core     replica.State
	refusal  error        // why nothing is served any more (offline, closed, deleted); nil
	highAt   log.Position // where the high watermark lies, as far as known
	stableAt log.Position // where the last stable offset lies, as far as known
	kept     queue        // acks=1: waits for what this replica keeps
	agreed   queue        // acks=all: waits for the high watermark
	watchers []watcher
	feeds    []Feed        // of followers
	reporter Reporter      // of this follower's syncs; nil
	cut      bool          // the log was cut at its end since it was opened
	lower    chan struct{} // closed when the low watermark may be another; nil: nobody waits
	by       *Woken        // of the append that settles at the moment
}

// New makes a partition that is not open yet: it answers NOT_LEADER_OR_FOLLOWER
// (retriable) until Open and Become.
func New(o Options) *Partition {
	p := &Partition{
		topic: o.Topic, id: o.ID, index: o.Index, node: o.NodeID,
		now: o.Now, steady: o.Steady, logger: o.Logger, inSync: o.InSync, rot: o.Rot, core: replica.New(o.NodeID),
	}
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	if p.steady == nil {
		p.steady = func() int64 { return p.now().UnixMilli() }
	}
	c := o.Config
	p.config.Store(&c)
	p.core.Configure(c.rules())
	p.epoch.Store(-1)
	return p
}

// Configure takes changed settings, live. A durability that asks for less may
// commit what waits at once.
func (p *Partition) Configure(c Config) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config.Store(&c)
	l := p.log.Load()
	if l == nil {
		p.st.Lock()
		p.core.Configure(c.rules())
		p.st.Unlock()
		return
	}
	l.Configure(c.Log)
	end := l.End()
	p.st.Lock()
	p.core.Configure(c.rules())
	t := p.settle(end)
	p.st.Unlock()
	t.tell()
}

// Topic is the name of its topic.
func (p *Partition) Topic() string { return p.topic }

// Offsets is a snapshot, taken without a lock. LogStart <= LastStable <=
// HighWatermark <= LogEnd holds for it while the partition leads.
type Offsets struct {
	LogStart, HighWatermark, LastStable, LogEnd int64
	LeaderEpoch                                 int32
}

// Offsets tells where the partition stands.
func (p *Partition) Offsets() Offsets {
	// Each of them only grows, so reading the smallest first keeps the order.
	var o Offsets
	o.LogStart = p.start.Load()
	o.LastStable = p.stable.Load()
	o.HighWatermark = p.high.Load()
	o.LogEnd = p.end.Load()
	o.LeaderEpoch = p.epoch.Load()
	return o
}

// Describe is what DescribeLogDirs and metrics show.
type Describe struct {
	Topic   string
	Index   int32
	ID      uuid.UUID
	Dir     string // of the log directory; empty until Open
	Bytes   int64
	Offsets Offsets
}

// Describe tells what the partition is and takes.
func (p *Partition) Describe() Describe {
	d := Describe{Topic: p.topic, Index: p.index, ID: p.id, Offsets: p.Offsets()}
	if l := p.log.Load(); l != nil {
		d.Dir, d.Bytes = l.Dir().Path(), l.Size()
	}
	return d
}
