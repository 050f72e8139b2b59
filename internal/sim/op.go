package sim

import "fmt"

// OpKind is what an operation does.
type OpKind int8

// The operations a hook sees. RemoveAll and MkdirAll are one Remove or Mkdir
// for each entry, so that a cut can fall between them.
const (
	OpOpen OpKind = iota + 1
	OpCreate
	OpRead
	OpWrite
	OpTruncate
	OpAllocate
	OpSync
	OpSyncDir
	OpSyncFS
	OpMkdir
	OpRemove
	OpRename
	OpReadDir
	OpStat
	OpLock
)

var opNames = [...]string{
	OpOpen: "open", OpCreate: "create", OpRead: "read", OpWrite: "write", OpTruncate: "truncate",
	OpAllocate: "allocate", OpSync: "sync", OpSyncDir: "syncdir", OpSyncFS: "syncfs", OpMkdir: "mkdir",
	OpRemove: "remove", OpRename: "rename", OpReadDir: "readdir", OpStat: "stat", OpLock: "lock",
}

// String is the name of the operation.
func (k OpKind) String() string { return opNames[k] }

// Changes tells whether the operation can change what a Crash or Kill leaves.
func (k OpKind) Changes() bool {
	switch k {
	case OpOpen, OpRead, OpReadDir, OpStat, OpLock:
		return false
	}
	return true
}

// Op is one operation, seen before it happens.
type Op struct {
	Seq  int64 // from 1, over the life of the disk
	Kind OpKind
	Name string // as it was opened or given
	To   string // the new name of a rename
	Off  int64  // bytes; the new size of a truncate
	Len  int64  // bytes of a read, write or allocation
}

// String shows the operation on one line.
func (o Op) String() string {
	s := fmt.Sprintf("%d %s %s", o.Seq, o.Kind, o.Name)
	switch {
	case o.To != "":
		s += " to " + o.To
	case o.Len != 0 || o.Off != 0:
		s += fmt.Sprintf(" [%d,+%d)", o.Off, o.Len)
	}
	return s
}

// Action is what a hook makes of an operation; the zero value lets it pass.
type Action struct {
	// Cut stops the machine before the operation, or in its middle with Keep.
	Cut bool
	// Err fails the operation: a sync has written a part at random and
	// forgotten the rest, anything else has not happened (a write but for Keep).
	Err error
	// Keep is how many bytes of a write arrive before Cut or Err.
	Keep int64
	// Lose acknowledges a write that the platter never gets, or a sync that
	// makes nothing durable. Programs read the bytes until the next Crash.
	Lose bool
	// Shift sends a write so many bytes further on the platter (or back).
	Shift int64
}

// OnOp sets the hook that sees every operation before it happens, or removes
// it with nil. The hook runs outside the disk's lock: it may look at the disk,
// Clone it and change the clone.
func (d *Disk) OnOp(hook func(Op) Action) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onOp = hook
}

// Seq tells how many operations the disk has seen.
func (d *Disk) Seq() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seq
}

// Trace is a hash of all operations and their results so far. Two runs of the
// same seed that differ in it are not deterministic.
func (d *Disk) Trace() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trace
}

// running is an operation under way.
type running struct {
	Op
	Action
	disk *Disk
}

// begin numbers the operation, asks the hook and returns with the lock held.
func (d *Disk) begin(op Op) running {
	d.mu.Lock()
	d.seq++
	op.Seq = d.seq
	r := running{Op: op, disk: d}
	if hook := d.onOp; hook != nil && !d.off {
		d.mu.Unlock()
		r.Action = hook(op)
		d.mu.Lock()
	}
	d.mix(&op)
	if r.Cut {
		d.hit(PowerCut)
	}
	return r
}

// refusal is the reason why the operation does not happen, nil when it does.
// A cut that keeps some bytes of a write is left to the write.
func (r *running) refusal() error {
	switch {
	case r.disk.off:
		return ErrOff
	case r.Cut:
		r.disk.off = true
		return ErrOff
	case r.Err != nil:
		r.disk.hit(failures[r.Kind])
		return r.Err
	}
	return nil
}

// fail wraps the reason of a failure and puts it into the trace.
func (r *running) fail(what string, err error) error {
	r.disk.mixString(err.Error())
	return pathError(what, r.Name, err)
}

// mix adds an operation to the trace (FNV-1a).
func (d *Disk) mix(op *Op) {
	d.mixInt(int64(op.Kind))
	d.mixString(op.Name)
	d.mixString(op.To)
	d.mixInt(op.Off)
	d.mixInt(op.Len)
}

const fnvPrime = 1099511628211

func (d *Disk) mixInt(n int64) {
	for range 8 {
		d.trace = (d.trace ^ uint64(n&0xff)) * fnvPrime
		n >>= 8
	}
}

func (d *Disk) mixString(s string) {
	for i := range len(s) {
		d.trace = (d.trace ^ uint64(s[i])) * fnvPrime
	}
	d.mixInt(int64(len(s)))
}

func (d *Disk) mixBytes(b []byte) {
	for _, c := range b {
		d.trace = (d.trace ^ uint64(c)) * fnvPrime
	}
}
