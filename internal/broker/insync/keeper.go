package insync

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

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
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
	wake chan struct{} // has something in it when due has

	mu      sync.Mutex // guards all below
	running bool
	closed  bool
	due     map[*partition.Partition]bool
}

// New makes a Keeper that does nothing before Lead.
func New(o Options) *Keeper {
	k := &Keeper{o: o, wake: make(chan struct{}, 1), due: map[*partition.Partition]bool{}}
	k.ctx, k.stop = context.WithCancel(context.Background())
	return k
}

// Lead tells that a partition with followers is led here.
func (k *Keeper) Lead() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running || k.closed {
		return
	}
	k.running = true
	k.work.Go(k.run)
}

// Running tells whether it looks at anything.
func (k *Keeper) Running() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.running
}

// Look has a partition looked at soon. It is partition.Options.InSync.
func (k *Keeper) Look(p *partition.Partition) {
	k.mu.Lock()
	if len(k.due) < mostDue {
		k.due[p] = true
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Close ends it and waits.
func (k *Keeper) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.stop()
	k.work.Wait()
}

func (k *Keeper) run() {
	ticks, end := k.o.Tick(Pace)
	defer end()
	for {
		select {
		case <-k.wake:
			k.mu.Lock()
			due := k.due
			k.due = map[*partition.Partition]bool{}
			k.mu.Unlock()
			k.round(func(yield func(*partition.Partition) bool) {
				for p := range due {
					if !yield(p) {
						return
					}
				}
			})
		case <-ticks:
			k.round(k.o.Partitions())
		case <-k.ctx.Done():
			return
		}
	}
}
