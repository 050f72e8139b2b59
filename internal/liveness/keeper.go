package liveness

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/liveness/tracker"
	"ottla/internal/metadata"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// KeeperOptions make a Keeper.
type KeeperOptions struct {
	NodeID int32
	// Do gives the controller a command; it fails where this node does not lead.
	Do func(ctx context.Context, cmd any) (any, error)
	// Probe tells whether a node can be reached, after its connection was reset.
	// Nil: only silence counts.
	Probe func(ctx context.Context, node int32) error
	// Lost is told, where another node leads, that this one cannot be reached
	// after its connection was reset. May be nil; it need not wait for anything.
	Lost func(ctx context.Context, node int32)
	// Standing tells how long ago most of the voters had been heard, while this
	// node leads; nil is just now.
	Standing func() time.Duration
	// Silence fences a node; 0 is tracker.DefaultSilence.
	Silence time.Duration
	// Rebalance is how often preferred leaders are looked after
	// (leader.imbalance.check.interval.seconds); 0 is never
	// (auto.leader.rebalance.enable=false).
	Rebalance time.Duration
	// Now is the clock of timers (the live one), time.Now where it is nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// Keeper looks after the nodes of a cluster while this one leads its quorum. Its
// methods may be called from any goroutine, and none but Await waits.
type Keeper struct {
	o    KeeperOptions
	kick chan struct{} // something may be due

	mu      sync.Mutex // guards all below
	tracker *tracker.Tracker
	img     *metadata.Image
	leader  int32
	epoch   int32
	led     int32 // who led last, -1 when nobody is known to have
	leading bool
	// downs are the nodes whose connection was reset while another led, and
	// when: who leads next need not wait until they have been silent for long.
	downs map[int32]time.Time
	// probes are under way, one for a node; true: its connection was reset again
	// meanwhile.
	probes map[int32]bool
	// doubts are nodes that may have ended, and since when. settled is closed, and
	// made anew, when there is one less.
	doubts  map[int32]time.Time
	settled chan struct{}
	closed  bool
	stop    context.CancelFunc // of the goroutine at work, nil when there is none
	waiting map[uint64]func()
	lastID  uint64
	running sync.WaitGroup

	doubtful atomic.Bool // whether there are doubts; for who asks often
}

// NewKeeper makes one that does nothing before OnLeader and OnImage.
func NewKeeper(o KeeperOptions) *Keeper {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keeper{
		o: o, kick: make(chan struct{}, 1), tracker: tracker.New(o.Silence), img: metadata.Empty(),
		leader: -1, epoch: -1, led: -1, waiting: map[uint64]func(){}, downs: map[int32]time.Time{},
		probes: map[int32]bool{}, doubts: map[int32]time.Time{}, settled: make(chan struct{}),
	}
}

// OnLeader tells who leads the quorum, -1 when nobody is known to.
func (k *Keeper) OnLeader(leader, epoch int32) {
	k.mu.Lock()
	fresh := leader == k.o.NodeID && (!k.leading || epoch != k.epoch)
	k.leader, k.epoch, k.leading = leader, epoch, leader == k.o.NodeID
	var done []func()
	switch {
	case fresh:
		done = k.take(k.tracker.Reset(k.o.Now(), k.img.Offset, nodesOf(k.img)))
	case !k.leading:
		done = k.take(k.tracker.Reset(k.o.Now(), k.img.Offset, nil))
	}
	k.work(fresh)
	if fresh {
		k.suspect()
	}
	if leader >= 0 {
		k.led = leader
	}
	k.mu.Unlock()
	call(done)
}

// OnImage tells of a step of the committed metadata, in order.
func (k *Keeper) OnImage(img *metadata.Image, d *metadata.Delta) {
	k.mu.Lock()
	k.img = img
	k.decided()
	var done []func()
	if k.leading && len(d.Brokers) > 0 {
		k.tracker.Image(k.o.Now(), img.Offset, nodesOf(img))
		done = k.take(k.tracker.Ready())
		k.work(false)
		k.look()
	}
	k.mu.Unlock()
	call(done)
}

func nodesOf(img *metadata.Image) []tracker.Node {
	out := make([]tracker.Node, 0, img.BrokerCount())
	for b := range img.Brokers() {
		out = append(out, tracker.Node{ID: b.ID, Epoch: b.Epoch, Fenced: b.Fenced, ShuttingDown: b.InControlledShutdown})
	}
	return out
}

// several tells whether there is another node to look after.
func (k *Keeper) several() bool { return k.leading && k.img.BrokerCount() > 1 }

// work starts or stops the goroutine, as there is something to do for it; anew
// ends what an older leadership left under way.
func (k *Keeper) work(anew bool) {
	if k.stop != nil && (anew || !k.several() || k.closed) {
		k.stop()
		k.stop = nil
	}
	if k.stop == nil && k.several() && !k.closed {
		ctx, stop := context.WithCancel(context.Background())
		k.stop = stop
		k.running.Go(func() { k.run(ctx) })
	}
}

// look has the goroutine look at what is due.
func (k *Keeper) look() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// Heartbeat answers a node's heartbeat.
func (k *Keeper) Heartbeat(req *own.HeartbeatRequest) *own.HeartbeatResponse {
	resp := req.ResponseKind().(*own.HeartbeatResponse)
	if k.o.Standing != nil {
		resp.StandingMs = int32(min(max(k.o.Standing().Milliseconds(), 0), math.MaxInt32))
	}
	k.mu.Lock()
	resp.Leader, resp.LeaderEpoch, resp.MetadataOffset = k.leader, k.epoch, k.img.Offset
	var answer tracker.Answer
	var done []func()
	err := error(wire.NotController)
	if k.leading && !k.closed {
		answer, err = k.tracker.Seen(k.o.Now(), tracker.Beat{
			Node: req.Node, Epoch: req.BrokerEpoch, Applied: req.AppliedOffset,
			WantFence: req.WantFence, WantShutDown: req.WantShutDown,
		})
	}
	if err == nil {
		done = k.take(k.tracker.Ready())
		if answer.Fenced || req.WantFence || req.WantShutDown {
			k.look()
		}
	}
	k.mu.Unlock()
	call(done)
	resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(err)), wire.MessageOf(err)
	resp.Fenced, resp.CaughtUp, resp.ShouldShutDown = answer.Fenced, answer.CaughtUp, answer.ShouldShutDown
	return resp
}

// Close ends it; who waits is let go.
func (k *Keeper) Close() {
	k.mu.Lock()
	k.closed = true
	clear(k.doubts)
	k.certain()
	done := k.take(k.tracker.Reset(k.o.Now(), k.img.Offset, nil))
	k.work(false)
	k.mu.Unlock()
	call(done)
	k.running.Wait()
}
