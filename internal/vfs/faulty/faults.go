package faulty

import (
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Faults is what is wrong with a disk; the zero value is a healthy one.
type Faults struct {
	// Sleep waits; nil means time.Sleep. It is set before the first use.
	Sleep func(time.Duration)

	writeDelay, syncDelay atomic.Int64 // nanoseconds
	failWrite, failSync   atomic.Bool  // the next one fails
	full                  atomic.Bool

	limited atomic.Bool // room counts
	mu      sync.Mutex  // guards room; held over a write while room is limited
	room    int64       // bytes that files may still grow by

	delayed, failed, refused atomic.Int64
}

// Met counts the faults that a disk really met.
type Met struct {
	Delayed int64 // writes and syncs that were held up
	Failed  int64 // writes and syncs that failed with EIO
	Full    int64 // writes and creations that found no room
}

// Met tells what was met so far.
func (f *Faults) Met() Met {
	return Met{Delayed: f.delayed.Load(), Failed: f.failed.Load(), Full: f.refused.Load()}
}

// Slow holds up every write and every sync from now on; 0 for no delay.
func (f *Faults) Slow(write, sync time.Duration) {
	f.writeDelay.Store(int64(write))
	f.syncDelay.Store(int64(sync))
}

// FailNextWrite lets the next write fail with EIO.
func (f *Faults) FailNextWrite() { f.failWrite.Store(true) }

// FailNextSync lets the next sync of a file, a directory or a file system fail
// with EIO.
func (f *Faults) FailNextSync() { f.failSync.Store(true) }

// Full makes the disk full, or gives it its room back.
func (f *Faults) Full(full bool) { f.full.Store(full) }

// Heal ends all faults, and those that have not been met yet.
func (f *Faults) Heal() {
	f.Slow(0, 0)
	f.failWrite.Store(false)
	f.failSync.Store(false)
	f.Full(false)
	f.Unlimit()
}

// wait holds the caller up.
func (f *Faults) wait(nanoseconds *atomic.Int64) {
	d := time.Duration(nanoseconds.Load())
	if d <= 0 {
		return
	}
	f.delayed.Add(1)
	if f.Sleep != nil {
		f.Sleep(d)
		return
	}
	time.Sleep(d)
}

// sync is what every sync passes first.
func (f *Faults) sync(op, name string) error {
	f.wait(&f.syncDelay)
	return f.fail(&f.failSync, op, name)
}

// write is what every write passes first.
func (f *Faults) write(op, name string) error {
	f.wait(&f.writeDelay)
	if err := f.fail(&f.failWrite, op, name); err != nil {
		return err
	}
	return f.space(op, name)
}

func (f *Faults) fail(next *atomic.Bool, op, name string) error {
	if !next.Load() || !next.CompareAndSwap(true, false) {
		return nil
	}
	f.failed.Add(1)
	return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
}

// space refuses what needs room on a disk that was made full.
func (f *Faults) space(op, name string) error {
	if !f.full.Load() {
		return nil
	}
	return f.noSpace(op, name)
}

func (f *Faults) noSpace(op, name string) error {
	f.refused.Add(1)
	return &fs.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
}
