package insync

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"sync"
	"time"

	"ottla/internal/broker/worker"
	"ottla/internal/metadata"
	"ottla/internal/partition"
)

// Options make a Keeper.
type Options struct {
	NodeID int32
	Image  func() *metadata.Image
	// MaxLag is replica.lag.time.max.ms.
	MaxLag func() time.Duration
	// Control gives the controller a command; when it returns, this node's image
	// has what came of it.
	Control func(ctx context.Context, cmd any) (any, error)
	// Partitions are all that this node has.
	Partitions func() iter.Seq[*partition.Partition]
	Logger     *slog.Logger
	// Tick makes a ticker; the function it returns stops it.
	Tick func(every time.Duration) (<-chan time.Time, func())
}

// Pace is how often followers that lag are looked for, and proposals that got no
// answer are made again.
const Pace = 400 * time.Millisecond

// mostDue bounds the partitions that wait to be looked at by themselves; beyond, a
// look at all is cheaper.
const mostDue = 4096

// Keeper tells the controller. Its methods may be called from any goroutine.
type Keeper struct {
	o    Options
	work *worker.Worker
	ctx  context.Context // ends with work

	mu  sync.Mutex // guards due
	due map[*partition.Partition]bool
}

// New makes a Keeper that does nothing before Lead.
func New(o Options) *Keeper {
	w := worker.New()
	return &Keeper{o: o, work: w, ctx: w.Context(), due: map[*partition.Partition]bool{}}
}

// Lead tells that a partition with followers is led here.
func (k *Keeper) Lead() { k.work.Start(Pace, k.o.Tick, k.look) }

// Running tells whether it looks at anything.
func (k *Keeper) Running() bool { return k.work.Running() }

// Look has a partition looked at soon. It is partition.Options.InSync.
func (k *Keeper) Look(p *partition.Partition) {
	k.mu.Lock()
	if len(k.due) < mostDue {
		k.due[p] = true
	}
	k.mu.Unlock()
	k.work.Wake()
}

// Close ends it and waits.
func (k *Keeper) Close() { k.work.Close() }

// look looks at all partitions when it has ticked, else at those that are due.
func (k *Keeper) look(ticked bool) {
	if ticked {
		k.round(k.o.Partitions())
		return
	}
	k.mu.Lock()
	due := k.due
	k.due = map[*partition.Partition]bool{}
	k.mu.Unlock()
	k.round(maps.Keys(due))
}
