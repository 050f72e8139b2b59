package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"ottla/internal/vfs"
)

// Sizes of the units that survive or vanish: what the kernel writes back and
// what a disk writes at once.
const (
	PageSize   = 4096
	SectorSize = 512
)

// ErrOff is the cause of every failure while the machine is off: from a cut,
// Crash or Kill until Restart.
var ErrOff = errors.New("the machine is off")

// Streams of random numbers, one for each use, so that a draw for one does not
// shift the others.
const (
	streamCrash = iota + 1
	streamDamage
	streamSync
)

// Disk is a simulated disk. See the package's comment for its fault model.
type Disk struct {
	mu sync.Mutex // guards everything below

	capacity int64
	used     int64 // bytes, in whole sectors, behind all files
	now      func() time.Time

	root    *node
	nodes   int64      // nodes made so far: the next id
	dirty   []*node    // files with changes, in the order they became dirty
	pending []nameOp   // changes of names that no SyncDir made durable, in order
	locks   []*lock    // held locks
	crash   *rand.Rand // what a Crash leaves
	damage  *rand.Rand // where damage is done
	failing *rand.Rand // what a failing Sync has still written

	off        bool
	generation int64 // of processes: handles of earlier ones are dead
	cuts       int64 // how often the power was lost

	onOp  func(Op) Action
	seq   int64
	trace uint64
	hits  map[Fault]int
}

var _ vfs.FS = (*Disk)(nil)

// NewDisk returns an empty disk whose faults are drawn from seed.
func NewDisk(seed uint64) *Disk {
	d := &Disk{
		capacity: math.MaxInt64,
		now:      func() time.Time { return time.Unix(0, 0) },
		hits:     make(map[Fault]int),
	}
	d.seed(seed)
	d.root = d.newNode(true)
	return d
}

func (d *Disk) seed(seed uint64) {
	d.crash = rand.New(rand.NewPCG(seed, streamCrash))
	d.damage = rand.New(rand.NewPCG(seed, streamDamage))
	d.failing = rand.New(rand.NewPCG(seed, streamSync))
}

// SetCapacity sets the room in bytes. Less than what is used means a full disk.
func (d *Disk) SetCapacity(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = bytes
}

// UseClock stamps modification times from now.
func (d *Disk) UseClock(now func() time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = now
}

// Used tells the bytes behind all files.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Cut stops the machine: every operation fails until Restart. What becomes of
// unsynced data is decided by the Crash or Kill that follows.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// Kill ends the process that uses the disk: its handles and locks are gone, the
// page cache stays. The machine is off until Restart.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop()
	d.hit(Killed)
}

// stop ends the process: handles and locks die with it, and so do files that
// lived by a handle alone.
func (d *Disk) stop() {
	d.off = true
	d.generation++
	d.locks = nil
	d.recount()
}

// Restart turns the machine on for the next process.
func (d *Disk) Restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = false
}

// Life implements vfs.FS. It is no operation: nothing fails or ends by it.
func (d *Disk) Life(string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("after %d power cuts", d.cuts)
}

// Usage implements vfs.FS.
func (d *Disk) Usage(name string) (vfs.Usage, error) {
	op := d.begin(Op{Kind: OpStat, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return vfs.Usage{}, op.fail("statfs", err)
	}
	if _, err := d.find(name); err != nil {
		return vfs.Usage{}, op.fail("statfs", err)
	}
	return vfs.Usage{Total: d.capacity, Free: max(0, d.capacity-d.used)}, nil
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
