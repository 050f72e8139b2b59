package mend

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/broker/worker"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/partition"
)

// Options make a Keeper.
type Options struct {
	NodeID int32
	Image  func() *metadata.Image
	// Ask sends a request to another node.
	Ask func(ctx context.Context, node int32, req kmsg.Request) (kmsg.Response, error)
	// Control gives the controller a command; when it returns, this node's image
	// has what came of it.
	Control func(ctx context.Context, cmd any) (any, error)
	// Trust is told of a partition whose end is no longer in doubt
	// (partition.Doubted): it may lead and follow. May be nil.
	Trust  func(p *partition.Partition)
	Logger *slog.Logger
	// Tick makes a ticker; the function it returns stops it.
	Tick    func(every time.Duration) (<-chan time.Time, func())
	Metrics Metrics
	// Stepped has no goroutine started: whoever made the Keeper calls Round.
	Stepped bool
}

// Metrics are what is measured. A nil handle measures nothing.
type Metrics struct {
	Found   *metric.Counter // damages, each time one is met
	Mended  *metric.Counter // ranges
	Renewed *metric.Counter // replicas
}

// Pace is how often what did not succeed is tried again at first.
const Pace = time.Second

const (
	// longestPause, in ticks, is how seldom it is tried at last.
	longestPause = 60
	// mostOffsets bounds what is noted of one log: the rest is found by reading it.
	mostOffsets = 16
)

// Keeper mends. Its methods may be called from any goroutine.
type Keeper struct {
	o    Options
	work *worker.Worker
	ctx  context.Context // ends with work
	// deaf are nodes that did not answer in the round that is under way; whoever takes
	// it owns them.
	deaf map[int32]bool

	mu   sync.Mutex // guards jobs, and their fields above the line
	jobs map[*partition.Partition]*job
}

// job is what is to be done for one replica.
type job struct {
	p       *partition.Partition
	offsets []int64 // where something could not be read
	anew    bool
	doubt   bool // its end is in doubt

	// The goroutine's own.
	waited  int // ticks since the doubt began
	misfits int
	said    string // why it does not succeed, as it was logged
	pause   int    // ticks until it is tried again
	tries   int
}

// New makes a Keeper that knows of no damage.
func New(o Options) *Keeper {
	w := worker.New()
	return &Keeper{o: o, work: w, ctx: w.Context(), jobs: map[*partition.Partition]*job{}}
}

// Found notes damage; it is partition.Options.Rot.
func (k *Keeper) Found(p *partition.Partition, offset int64) {
	if offset != partition.EndInDoubt {
		k.o.Metrics.Found.Inc()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ctx.Err() != nil { // closed
		return
	}
	j := k.jobs[p]
	if j == nil {
		j = &job{p: p}
		k.jobs[p] = j
		k.work.Wake()
	}
	switch {
	case offset == partition.EverythingAnew:
		j.anew, j.doubt = true, j.doubt || p.Doubted()
	case offset == partition.EndInDoubt:
		j.doubt = true
	case len(j.offsets) < mostOffsets && !slices.Contains(j.offsets, offset):
		j.offsets = append(j.offsets, offset)
	}
	if !k.o.Stepped {
		k.work.Start(Pace, k.o.Tick, k.Round)
	}
}

// Waiting tells how many replicas are damaged and not mended yet.
func (k *Keeper) Waiting() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.jobs)
}

// Close ends it and waits.
func (k *Keeper) Close() { k.work.Close() }

// Round does what is due, in one order, doubts first: nobody is served meanwhile.
// tick tells that Pace has passed. It is for whoever made the Keeper Stepped, one
// call at a time.
func (k *Keeper) Round(tick bool) {
	k.deaf = map[int32]bool{}
	k.mu.Lock()
	var doubts, rest []*job
	for _, j := range k.jobs {
		if j.doubt {
			doubts = append(doubts, j)
		} else {
			rest = append(rest, j)
		}
	}
	k.mu.Unlock()
	byName := func(a, b *job) int {
		x, y := a.p.Describe(), b.p.Describe()
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Index, y.Index))
	}
	slices.SortFunc(doubts, byName)
	slices.SortFunc(rest, byName)
	for _, j := range append(doubts, rest...) {
		if tick {
			j.pause = max(j.pause-1, 0)
			j.waited++
		}
		if j.pause > 0 || k.ctx.Err() != nil {
			continue
		}
		k.one(j)
	}
}

// one takes a job up, and lets it rest when it does not succeed.
func (k *Keeper) one(j *job) {
	k.mu.Lock()
	offsets, anew, doubt := slices.Clone(j.offsets), j.anew, j.doubt
	k.mu.Unlock()
	at := k.place(j.p)
	if at == nil || len(at.others) == 0 {
		k.trust(j)
		k.forget(j, offsets)
		if at != nil && (anew || len(offsets) > 0) {
			k.tell(j, slog.LevelError, "damaged records stay lost: the partition has no other replica", nil)
		}
		return
	}
	err := k.do(j, at, offsets, anew, doubt)
	if err == nil {
		k.forget(j, offsets)
		return
	}
	j.tries++
	j.pause = min(1<<min(j.tries, 10), longestPause)
	k.mu.Lock()
	if j.doubt {
		j.pause = 1 // nobody may be served meanwhile
	}
	k.mu.Unlock()
	if k.ctx.Err() == nil {
		k.tell(j, slog.LevelWarn, "a damaged replica is not mended yet", err)
	}
}

// do does what there is to do for one replica.
func (k *Keeper) do(j *job, at *standing, offsets []int64, anew, doubt bool) error {
	if doubt && !anew {
		if err := k.settleEnd(j, at); err != nil {
			return err
		}
	}
	if !anew && len(offsets) > 0 {
		var err error
		if anew, err = k.mendAll(j, at, offsets); err != nil {
			return err
		}
	}
	if !anew {
		return nil
	}
	k.mu.Lock()
	j.anew = true
	k.mu.Unlock()
	err := k.renew(j, at)
	if err != nil && doubt {
		return errors.Join(err, k.settleEnd(j, at))
	}
	return err
}

// forget ends a job, unless more was found meanwhile.
func (k *Keeper) forget(j *job, offsets []int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(j.offsets) == len(offsets) {
		delete(k.jobs, j.p)
		return
	}
	j.offsets = slices.Clone(j.offsets[len(offsets):])
}

// tell logs what became of a job; why it does not succeed is said once.
func (k *Keeper) tell(j *job, level slog.Level, what string, err error) {
	attrs := []slog.Attr{slog.String("topic", j.p.Topic()), slog.Int("partition", int(j.p.Describe().Index))}
	if err != nil {
		if j.said == err.Error() {
			return
		}
		j.said = err.Error()
		attrs = append(attrs, slog.Any("err", err))
	}
	k.o.Logger.LogAttrs(k.ctx, level, what, attrs...)
}

// standing is what the metadata say of a partition.
type standing struct {
	key    partition.Describe
	epoch  int64   // of this node's registration
	others []int32 // nodes that may have what is damaged here, the likeliest first

	partitionEpoch int32
	mine           bool    // this replica counts as one that has everything committed
	counted        []int32 // others that do
	serving        []int32 // others that are neither fenced nor on their way out
}

// place looks a partition up; nil when there is no replica of it here any more.
func (k *Keeper) place(p *partition.Partition) *standing {
	img, d := k.o.Image(), p.Describe()
	t, me := img.TopicByID(d.ID), img.Broker(k.o.NodeID)
	if t == nil || me == nil || int(d.Index) >= len(t.Partitions) {
		return nil
	}
	mp := t.Partitions[d.Index]
	if !slices.Contains(mp.Replicas, k.o.NodeID) {
		return nil
	}
	s := &standing{key: d, epoch: me.Epoch, partitionEpoch: mp.PartitionEpoch, mine: mp.Leader == k.o.NodeID}
	for _, id := range slices.Concat(mp.ISR, mp.ELR) {
		if id == k.o.NodeID {
			s.mine = true
		} else {
			s.counted = append(s.counted, id)
		}
	}
	for _, ids := range [][]int32{{mp.Leader}, mp.ISR, mp.Replicas} {
		for _, id := range ids {
			if id >= 0 && id != k.o.NodeID && !slices.Contains(s.others, id) {
				s.others = append(s.others, id)
				if b := img.Broker(id); b != nil && b.Live() {
					s.serving = append(s.serving, id)
				}
			}
		}
	}
	return s
}
