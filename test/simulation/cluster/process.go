package cluster

import (
	"errors"
	"log/slog"
	"time"

	"ottla/internal/broker"
	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// dataPath is where a node's log directory lies.
const dataPath = "/data"

// process is a life of a node. What it has begun is void once it is over.
type process struct {
	n           *node
	w           *World
	incarnation uuid.UUID
	dir         *log.Dir
	view        *config.View
	broker      *broker.Broker
	quorum      *quorum.Stepped

	over    bool
	syncing bool // a sync round is to come
	keeping bool // a checkpoint is to come
	telling bool // the controller hears of directories
	fed     bool // the broker has its first image
	joining bool
	joined  bool // it asked to be taken in, in this or an earlier life of its disk
	entered bool // it is registered

	control  control
	keeper   keeper
	speaker  speaker
	fetchers *fetchers
	inSync   *inSync
	mender   *mender
	shards   *shards
	cleaner  log.Cleaner
	parked   map[asks]*parked // fetches of followers that wait here
}

// silent tells that nothing leaves this process any more.
func (p *process) silent() bool { return p.over || p.n.cut }

// do runs a step of the process, and looks at what became of it.
func (p *process) do(do func()) {
	if p.over {
		return
	}
	if p.n.paused {
		if len(p.n.held) < 2000 {
			p.n.held = append(p.n.held, do)
		}
		return
	}
	do()
	p.settle()
}

// after runs a step later, if the process is still there.
func (p *process) after(delay time.Duration, do func()) {
	p.w.loop.After(delay, func() { p.do(do) })
}

// every runs a step again and again, about so often.
func (p *process) every(pace time.Duration, do func()) {
	p.after(pace/2+time.Duration(p.w.work.Int64N(int64(pace))), func() {
		do()
		if !p.over {
			p.every(pace, do)
		}
	})
}

// settle ends a step: the power may have gone in it, or the process may not be able
// to go on.
func (p *process) settle() {
	switch {
	case p.over:
	case p.n.cut:
		p.n.powerCut()
	case p.dir.Err() != nil:
		p.n.gaveUp(p.dir.Err())
	case p.quorum != nil && p.quorum.Err() != nil:
		p.n.gaveUp(p.quorum.Err())
	default:
		p.listen()
		p.w.rules.look(p)
	}
}

// listen starts what the log directory asks for.
func (p *process) listen() {
	select {
	case <-p.dir.Dirty():
		p.syncSoon()
	default:
	}
	select {
	case <-p.dir.CheckpointDue():
		if !p.keeping {
			p.keeping = true
			p.after(time.Millisecond, func() {
				p.keeping = false
				p.broker.Keep(p.dir)
			})
		}
	default:
	}
}

// syncSoon runs a sync round once the disk has time.
func (p *process) syncSoon() {
	if p.syncing {
		return
	}
	p.syncing = true
	delay := p.n.syncDelay()
	p.after(delay, func() {
		p.syncing = false
		_ = p.dir.SyncRound() // its failure is the directory's
	})
}

// logger is where the product's log goes.
func (p *process) logger() *slog.Logger {
	if p.w.loop.Trace == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(lines{p}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines puts the product's log into the trace, outside its hash.
type lines struct{ p *process }

// Write implements io.Writer.
func (l lines) Write(b []byte) (int, error) {
	l.p.w.loop.Trace(l.p.n.String() + " log: " + string(b[:len(b)-1]))
	return len(b), nil
}

// wall is the clock on the node's wall, which faults move.
func (p *process) wall() time.Time { return p.w.live().Add(p.n.skew) }

// open opens what lies on the disk.
func (p *process) open() error {
	var err error
	p.dir, err = log.OpenDir(log.DirOptions{FS: p.n.disk, Path: dataPath, Now: p.wall, Logger: p.logger(), VerifyAge: p.w.o.VerifyAge})
	if err != nil {
		return err
	}
	static, err := config.StaticOf("simulation", settings(p.w.o))
	if err != nil {
		return err
	}
	p.view = &config.View{Static: static.WithNode(p.n.id, dataPath), NodeID: p.n.id}
	p.fetchers, p.inSync = newFetchers(p), newInSync(p)
	p.shards = newShards(p)
	p.broker = broker.New(broker.Options{
		NodeID: p.n.id, Dirs: []*log.Dir{p.dir}, Directories: []uuid.UUID{p.n.directory}, View: p.view, Now: p.wall, Live: p.w.live, Logger: p.logger(),
		Stepping: &broker.Stepping{
			Later:     func(do func()) { p.after(p.n.syncDelay(), do) },
			Followers: p.fetchers, InSync: p.inSync, Coordinators: p.shards.byTopic(), Adjust: p.w.o.adjust,
			Rot: func(part *partition.Partition, offset int64) { p.mender.found(part, offset) },
		},
	})
	p.mender = newMender(p)
	p.cleaner = log.Cleaner{KeyBytes: 1 << 16, LoadFactor: .9, BufferBytes: 4096}
	return p.openQuorum()
}

func (p *process) openQuorum() error {
	machine := controller.New(controller.Options{
		NewID: p.w.newID, NodeID: p.n.id, ClusterID: clusterID, Features: p.w.o.features(),
		MinInsync: int32(p.view.Int(nil, "min.insync.replicas")), Durability: p.view.String(nil, "durability"),
	})
	var err error
	p.quorum, err = quorum.OpenStepped(quorum.Options{
		NodeID: p.n.id, DirectoryID: p.n.directory, ClusterID: clusterID, Dir: p.dir, Machine: machine, Now: p.wall, Logger: p.logger(),
		OnImage: p.follow, OnLeader: p.lead, SnapshotBytes: p.w.o.SnapshotBytes,
		Send: p.post, Joining: p.joining, NewID: p.w.newID,
	}, p.background)
	return err
}

// clusterID is the cluster of the simulation.
const clusterID = "C"

// background runs a snapshot's writing some time later.
func (p *process) background(write func() error, then func(error)) {
	p.after(p.n.syncDelay()+time.Millisecond, func() { then(write()) })
}

// post sends a frame of the quorum.
func (p *process) post(to int32, frame []byte) {
	if p.silent() {
		return
	}
	p.w.carry(p.n.id, to, func() {
		p.w.arrive(to, func(q *process) { q.quorum.Receive(q.wall(), p.n.id, frame) })
	})
}

// follow is what the quorum calls with every step of the image, as the server
// does: partitions first, then those who keep something about nodes.
func (p *process) follow(img *metadata.Image, d *metadata.Delta) {
	p.w.rules.image(p, img)
	news := d
	if b := img.Broker(p.n.id); !p.fed && !(p.ofSeveral(img) && (b == nil || b.Incarnation != p.incarnation)) {
		p.fed, news = true, img.AsDelta()
	}
	if p.fed {
		p.broker.OnImage(img, news)
		p.w.rules.watch(p)
		p.after(0, p.tellHomes)
	}
	p.control.applied(img.Offset)
	p.keeper.onImage(img, d)
	p.speaker.applied(img.Offset)
}

// ofSeveral tells whether others may have committed what is not known here.
func (p *process) ofSeveral(img *metadata.Image) bool {
	return several(img, p.n.id) || p.quorum == nil || len(p.quorum.Status().Voters) > 1 || p.joined
}

func several(img *metadata.Image, self int32) bool {
	for b := range img.Brokers() {
		if b.ID != self {
			return true
		}
	}
	return false
}

// lead is told who leads the quorum.
func (p *process) lead(leader, epoch int32) {
	p.w.note("node %d: node %d leads the quorum in epoch %d", p.n.id, leader, epoch)
	p.keeper.onLeader(leader, epoch)
	p.control.onLeader(leader, epoch)
	p.speaker.say()
}

// full tells that a disk had no room.
func full(err error) bool { return errors.Is(err, log.ErrDiskFull) || vfs.NoSpace(err) }
