package quorum

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// simNode is a node of the simulation. Its life is a row of runs; what a run
// scheduled is void once it is over.
type simNode struct {
	w        *world
	id       int32
	disk     *sim.Disk
	dir      *log.Dir
	m        *member // nil while it is down
	machine  *catalogue
	run      int // counts starts
	joining  bool
	paused   bool
	held     []letter // that came while it was paused
	skew     int64    // of its wall clock, ms
	lastFrom map[int32]int64
	crashIn  int    // operations until the power goes, 0 for never
	failIn   int    // operations until one fails
	broken   bool   // an operation failed for good in this run
	cut      bool   // the power went in the middle of a step
	offset   int64  // of the image that it showed last
	topics   uint64 // checksum of the topics in it
	rotten   bool   // a file was damaged since it stopped
}

func (n *simNode) String() string {
	if n.m == nil {
		return fmt.Sprintf("node %d (down)", n.id)
	}
	s := n.m.raw.BasicStatus()
	return fmt.Sprintf("node %d (%x, %s, epoch %d, leads %v, commit %d, applied %d, last %d, waiting %v, removed %v, halfway %v, failed %v, voters %v, orders %d)",
		n.id, n.m.id, s.RaftState, n.m.store.hard.term, n.m.leading, n.m.store.hard.commit, n.m.applied, n.m.store.index.last(), n.m.waiting, n.m.removed,
		n.m.halfway, n.m.failed, n.m.store.conf, len(n.m.orders))
}

func (n *simNode) newDisk() {
	if n.disk != nil {
		n.countDisk()
	}
	n.disk = sim.NewDisk(n.w.disks.Uint64())
	n.disk.OnOp(n.onOp)
	if err := n.disk.MkdirAll(rigPath, 0o755); err != nil {
		n.w.t.Fatal(err)
	}
	if err := n.disk.SyncDir("/"); err != nil {
		n.w.t.Fatal(err)
	}
}

func (n *simNode) countDisk() {
	for f, c := range n.disk.Hits() {
		n.w.hits["disk: "+string(f)] += c
	}
}

// onOp cuts the power, or fails an operation, when it is time.
func (n *simNode) onOp(op sim.Op) sim.Action {
	if n.crashIn > 0 && op.Kind.Changes() {
		if n.crashIn--; n.crashIn == 0 {
			n.cut = true
			n.w.hit("crash in the middle of " + op.Kind.String())
			return sim.Action{Cut: true, Keep: n.w.disks.Int64N(op.Len + 1)}
		}
	}
	if n.failIn > 0 && op.Kind.Changes() {
		if n.failIn--; n.failIn == 0 {
			n.broken = true
			n.w.hit("io error")
			return sim.Action{Err: errIO}
		}
	}
	return sim.Action{}
}

// start opens what is on the disk.
func (n *simNode) start() {
	n.run++
	n.cut, n.broken, n.paused, n.held = false, false, false, nil
	rotten := n.rotten
	n.rotten = false
	n.machine = &catalogue{names: map[string]bool{}}
	run := n.run
	var err error
	n.dir, err = log.OpenDir(log.DirOptions{FS: n.disk, Path: rigPath, Now: func() time.Time { return simTime(n.w.now()) }})
	if err == nil {
		n.m, err = openMember(n.options(run), new(atomic.Pointer[metadata.Image]))
	}
	if err == nil {
		m := n.m
		m.inBackground = func(write func() error, meta snapshotMeta) { n.background(run, write, meta) }
		n.w.hit("start")
		n.w.checker.started(n)
		if !m.waiting {
			n.joining = false
		}
		if cerr := m.campaign(n.wall()); cerr != nil {
			m.lose(cerr)
		}
	}
	if n.cut {
		n.crash()
		return
	}
	if err != nil {
		n.m = nil
		if rotten && !n.broken && !full(err) {
			n.w.hit("damaged log refused")
			n.wipe()
			return
		}
		if !n.broken && !full(err) {
			n.w.fail("node %d does not start: %v", n.id, err)
		}
		n.powerOff(false)
		return
	}
	n.after()
	n.w.at(n.w.chaos.Int64N(100), func() { n.tick(run) })
}

func (n *simNode) options(run int) *Options {
	o := &Options{
		NodeID: n.id, DirectoryID: uuid.UUID{byte(n.id), 1}, ClusterID: "C", Dir: n.dir, Machine: n.machine,
		Now: n.wall, SnapshotBytes: n.w.o.SnapshotBytes, Joining: n.joining, NewID: n.w.newID, AutoVoters: n.w.o.AutoVoters,
		OnImage: func(img *metadata.Image, d *metadata.Delta) { n.w.checker.image(n, img, d) },
		OnLeader: func(leader, epoch int32) {
			n.w.note("node %d: leader %d epoch %d", n.id, leader, epoch)
			if leader >= 0 {
				n.w.lastLeader = leader
			}
		},
		Send: func(to int32, frame []byte) {
			if n.cut || n.run != run {
				return
			}
			n.w.note("send %d %d %x", n.id, to, sum64(frame))
			n.w.deliver(n.id, to, frame)
		},
	}
	o.fill()
	return o
}

// wall is the node's own idea of the time.
func (n *simNode) wall() time.Time { return simTime(n.w.now() + n.skew) }

// background writes a snapshot some time later.
func (n *simNode) background(run int, write func() error, meta snapshotMeta) {
	n.w.at(n.w.net.Int64N(200), func() {
		if n.run != run || n.m == nil {
			return
		}
		err := write()
		if !n.cut {
			n.m.snapshotWritten(meta, err)
			n.w.hit("snapshot")
		}
		n.after()
	})
}

func (n *simNode) tick(run int) {
	if n.run != run || n.m == nil {
		return
	}
	if !n.paused {
		if n.m.ticking() {
			n.m.tick(n.wall())
		}
		n.after()
	}
	if n.run == run && n.m != nil {
		n.w.at(80+n.w.net.Int64N(45), func() { n.tick(run) })
	}
}

func (n *simNode) deliver(from int32, frame []byte) {
	switch {
	case n.m == nil:
		return
	case n.paused:
		if len(n.held) < 1000 {
			n.held = append(n.held, letter{from, frame})
		}
		return
	}
	letters := append(n.held, letter{from, frame})
	n.held = nil
	n.m.receive(n.wall(), letters)
	n.after()
}

// after looks at a node once it has done something, and ends it when its power
// went meanwhile.
func (n *simNode) after() {
	if n.cut {
		n.crash()
		return
	}
	if n.m == nil {
		return
	}
	n.w.checker.look(n)
	if n.m.failed != nil {
		if !n.broken {
			n.w.fail("%s failed by itself: %v", n, n.m.failed)
		}
		n.w.hit("failed member")
		n.powerOff(true)
	}
}

func full(err error) bool { return errors.Is(err, log.ErrDiskFull) || vfs.NoSpace(err) }

// crash is a power cut; the node comes back later.
func (n *simNode) crash() {
	n.w.hit("power cut")
	n.powerOff(true)
}

func (n *simNode) powerOff(power bool) {
	if n.m != nil {
		if n.m.taking != nil {
			n.w.hit("crash while a snapshot came")
		}
		n.w.checker.stopped(n)
	}
	n.m, n.crashIn, n.failIn, n.cut = nil, 0, 0, false
	n.run++
	run := n.run
	n.w.note("node %d off", n.id)
	if power || n.broken {
		n.disk.Crash()
	} else {
		n.disk.Kill()
	}
	n.disk.Restart()
	n.w.ended(n.id)
	delay := pick1(n.w.chaos, 10, 300, 2000, 8000)
	if n.w.calm {
		delay = 100
	}
	n.w.at(delay, func() {
		if n.run == run {
			n.start()
		}
	})
}

// stop is a clean stop.
func (n *simNode) stop() {
	if n.m == nil {
		return
	}
	m := n.m
	if err := m.close(); err != nil && !n.cut && !n.broken && !full(err) {
		n.w.fail("%s does not close: %v", n, err)
	}
	if !n.cut && !n.broken {
		if err := n.dir.Close(nil); err != nil && !n.cut && !n.broken && !full(err) {
			n.w.fail("directory of %s does not close: %v", n, err)
		}
	}
	n.w.hit("clean stop")
	n.powerOff(n.cut)
}

// heal ends everything that is wrong with a node.
func (n *simNode) heal() {
	n.crashIn, n.failIn, n.skew = 0, 0, 0
	n.disk.SetCapacity(1 << 40)
	if n.paused {
		n.paused = false
	}
	if n.m == nil {
		return
	}
	if n.m.failed != nil || n.broken {
		n.powerOff(true)
		return
	}
	if n.m.removed || n.gone() {
		n.wipe()
	}
}

// gone tells whether some leader has this node no more among its members.
func (n *simNode) gone() bool {
	for _, other := range n.w.nodes[1:] {
		if other.m != nil && other.m.leading {
			_, gone := other.m.voters.gone[n.m.id]
			return gone
		}
	}
	return false
}

// wipe gives the node a new disk; it joins as another member.
func (n *simNode) wipe() {
	n.w.hit("wipe")
	n.w.note("%s wiped", n)
	if n.m != nil {
		n.w.checker.stopped(n)
	}
	n.m = nil
	n.crashIn, n.failIn = 0, 0
	n.newDisk()
	n.joining, n.broken = true, false
	n.start()
}
