package cluster

import (
	"errors"
	"fmt"
	"time"

	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/test/simulation/event"
)

// errIO is what a disk says that fails.
var errIO = errors.New("input/output error")

// node is a machine: its disk, its clock, and the process that runs on it, if any.
type node struct {
	w         *World
	id        int32
	disk      *sim.Disk
	directory uuid.UUID // of its data directory; another disk, another id
	p         *process  // nil while it is down
	lives     int
	joining   bool // its directory is to be taken in, and founds nothing
	paused    bool
	held      []func() // what came while it was paused
	skew      time.Duration
	crashIn   int  // operations of the disk until the power goes, 0 for never
	failIn    int  // operations until one fails
	cut       bool // the power went in the middle of a step
	failing   bool // an operation failed in this life
	slowDisk  time.Duration
	retired   bool // it is never started again
}

func (n *node) String() string { return fmt.Sprintf("node %d", n.id) }

// newDisk puts an empty disk into the machine.
func (n *node) newDisk() {
	if n.disk != nil {
		n.countDisk()
	}
	n.disk = sim.NewDisk(n.w.disks.Uint64())
	n.disk.OnOp(n.onOp)
	n.disk.UseClock(func() time.Time { return n.w.live().Add(n.skew) })
	n.directory = n.w.newID()
	for _, err := range []error{n.disk.MkdirAll(dataPath, 0o755), n.disk.SyncDir("/")} {
		if err != nil {
			n.w.fail("%v makes its directory: %v", n, err)
		}
	}
}

// countDisk adds what was met on the disk to what was hit.
func (n *node) countDisk() {
	for f, c := range n.disk.Hits() {
		n.w.hits["disk: "+string(f)] += c
	}
	n.w.note("%v disk %x", n, n.disk.Trace())
}

// onOp cuts the power, or fails an operation, when it is time.
func (n *node) onOp(op sim.Op) sim.Action {
	if n.crashIn > 0 && op.Kind.Changes() {
		if n.crashIn--; n.crashIn == 0 {
			n.cut = true
			n.w.hit("power cut in the middle of an operation")
			return sim.Action{Cut: true, Keep: n.w.disks.Int64N(op.Len + 1)}
		}
	}
	if n.failIn > 0 && op.Kind.Changes() {
		if n.failIn--; n.failIn == 0 {
			n.failing = true
			n.w.hit("operation failed: " + op.Kind.String())
			return sim.Action{Err: errIO}
		}
	}
	return n.w.sabotage.lies(op)
}

// syncDelay is how long the disk takes for the next round.
func (n *node) syncDelay() time.Duration {
	if n.w.calm {
		return event.Between(n.w.disks, 0, 2*time.Millisecond)
	}
	return event.Between(n.w.disks, n.w.o.MinSync, n.w.o.MaxSync) + n.slowDisk
}

// start begins a process on what is on the disk.
func (n *node) start() {
	if n.p != nil {
		return
	}
	n.lives++
	n.cut, n.failing, n.paused, n.held = false, false, false, nil
	p := &process{n: n, w: n.w, incarnation: n.w.newID(), joining: n.joining, joined: n.joining || n.id > 1, parked: map[asks]*parked{}}
	p.keeper.init(p)
	p.control.init(p)
	p.speaker.init(p)
	n.p = p
	n.w.hit("start")
	n.w.note("%v starts, life %d", n, n.lives)
	err := p.open()
	if err == nil {
		err = p.quorum.Start(p.wall())
	}
	switch {
	case n.cut:
		n.powerCut()
	case err != nil:
		n.refused(err)
	default:
		n.joining = n.joining && p.quorum.Status().Waiting
		p.run()
		p.settle()
	}
}

// refused is a start that did not come about.
func (n *node) refused(err error) {
	n.w.note("%v does not start: %v", n, err)
	switch {
	case n.failing || full(err):
		n.end(n.failing)
		n.startLater()
	default:
		n.w.fail("%v does not start: %v", n, err)
	}
}

// run begins what a process does again and again.
func (p *process) run() {
	p.every(100*time.Millisecond, func() {
		if p.quorum.Ticking() {
			p.quorum.Tick(p.wall())
		}
	})
	p.every(time.Second, func() {
		p.broker.Keep(p.dir)
		p.broker.OpenAgain(p.wall())
	})
	p.every(time.Second, func() { _ = p.dir.FlushClosed() })
	p.every(5*time.Second, func() {
		for _, x := range p.partitions() {
			if err := x.Retain(); err != nil && p.dir.Err() == nil && !p.n.cut && !p.n.failing && !full(err) {
				p.w.fail("%v: retention of %s: %v", p.n, x.Topic(), err)
			}
		}
	})
	if p.w.o.Compact {
		p.every(3*time.Second, p.compact)
	}
	p.inSync.run()
	p.mender.run()
	p.enter()
}

// powerCut is the end of power, in the middle of whatever there was.
func (n *node) powerCut() {
	n.w.hit("power cut")
	n.end(true)
	n.startLater()
}

// gaveUp is a process that could not go on.
func (n *node) gaveUp(err error) {
	if !n.failing && !full(err) {
		n.w.fail("%v gave up: %v", n, err)
	}
	n.w.hit("gave up")
	n.w.note("%v gives up: %v", n, err)
	n.end(true)
	n.startLater()
}

// end ends the process, and with power the page cache too.
func (n *node) end(power bool) {
	p := n.p
	n.p = nil
	if p != nil {
		p.over = true
		if p.mender != nil {
			p.mender.close()
		}
		n.w.rules.ended(p)
		n.w.note("%v is down, power %v", n, power)
		n.w.connectionsReset(n.id, power)
	}
	n.crashIn, n.failIn, n.cut, n.paused, n.held = 0, 0, false, false, nil
	if power {
		n.disk.Crash()
	} else {
		n.disk.Kill()
	}
	n.disk.Restart()
}

// startLater starts it again after a while.
func (n *node) startLater() {
	lives := n.lives
	delay := event.Draw(n.w.chaos, 10*time.Millisecond, 300*time.Millisecond, 2*time.Second, 6*time.Second)
	if n.w.calm {
		delay = 50 * time.Millisecond
	}
	n.w.loop.After(delay, func() {
		if n.lives == lives && !n.retired {
			n.start()
		}
	})
}

// stop is a clean stop.
func (n *node) stop() {
	p := n.p
	if p == nil || n.paused {
		return
	}
	n.w.hit("clean stop")
	n.w.note("%v stops", n)
	err := p.quorum.Close()
	if err == nil && !n.cut {
		p.shards.close()
		err = p.broker.Close()
	}
	if err != nil && !n.cut && !n.failing && !full(err) {
		n.w.fail("%v does not stop: %v", n, err)
	}
	n.end(n.cut)
	n.startLater()
}

// wipe gives the node a new, empty disk: its directory is another from then on.
func (n *node) wipe() {
	n.w.hit("disk lost")
	n.w.note("%v gets a new disk", n)
	if n.p != nil {
		n.end(true)
	}
	n.w.lostDisk = n.directory
	n.newDisk()
	n.joining = true
	n.startLater()
}

// pause stands the process still for a while.
func (n *node) pause(d time.Duration) {
	if n.p == nil || n.paused {
		return
	}
	n.w.hit("pause")
	n.w.note("%v pauses", n)
	n.paused = true
	p := n.p
	n.w.loop.After(d, func() {
		if n.p == p {
			n.goOn()
		}
	})
}

// goOn ends a pause: what came meanwhile is done now.
func (n *node) goOn() {
	if !n.paused {
		return
	}
	n.paused = false
	p, held := n.p, n.held
	n.held = nil
	for _, do := range held {
		p.do(do)
	}
}

// heal ends everything that is wrong with a node.
func (n *node) heal() {
	n.crashIn, n.failIn, n.skew, n.slowDisk = 0, 0, 0, 0
	n.disk.SetCapacity(1 << 40)
	n.goOn()
	if n.p == nil {
		n.startLater()
		return
	}
	for _, part := range n.p.partitions() {
		d := part.Describe()
		if _, code := n.p.broker.AnyByID(d.ID, d.Index); code == wire.KafkaStorageError {
			n.w.hit("restarted for a log that did not open")
			n.stop()
			return
		}
	}
}
