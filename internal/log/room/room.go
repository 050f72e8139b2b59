package room

import (
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"ottla/internal/vfs"
)

// reserveName is the ballast: a file of reserved blocks and no bytes that is
// removed when an internal log finds no room, and made again when there is.
const reserveName = ".ottla-reserve"

// Room that ordinary appends leave for everything else that must be written
// on a disk that runs full: checkpoints, indexes, directories. A share of the
// reserve within these bounds.
const (
	marginShare = 8
	marginLeast = 256 << 10
	marginMost  = 16 << 20
)

// fullRetry is how long ordinary appends are refused without asking the disk
// again after it said that it is full.
const fullRetry = time.Second

// Options make a Room.
type Options struct {
	FS      vfs.FS
	Path    string // of the directory
	Reserve int64  // bytes of ballast; 0 means none, and nothing is measured
	Now     func() time.Time
	Logger  *slog.Logger
}

// Room knows how much room is left, roughly: left falls with each append
// and is set right by asking the file system when it runs out or Mend is
// called. Fields are atomics because appenders of all logs share them.
type Room struct {
	o      Options
	margin int64
	left   atomic.Int64 // bytes that ordinary appends may still write
	held   atomic.Bool  // the ballast is there
	asked  atomic.Int64 // unix milliseconds of the last refusal that asked
}

// Open looks for the ballast and makes it when there is room.
func Open(o Options) *Room {
	r := &Room{o: o}
	if o.Reserve > 0 {
		r.margin = min(max(o.Reserve/marginShare, marginLeast), marginMost)
		_, err := o.FS.Stat(r.ballast())
		r.held.Store(err == nil)
		r.Mend()
	}
	return r
}

func (r *Room) ballast() string { return r.o.Path + "/" + reserveName }

// Admit tells whether an ordinary append of n bytes may go ahead. Without a
// reserve the disk itself answers.
func (r *Room) Admit(n int64) bool {
	if r.margin == 0 || r.left.Add(-n) > 0 {
		return true
	}
	now := r.o.Now().UnixMilli()
	if asked := r.asked.Load(); asked != 0 && now-asked < fullRetry.Milliseconds() && now >= asked {
		return false
	}
	if r.measure() > n {
		r.asked.Store(0)
		r.left.Add(-n)
		return true
	}
	r.asked.Store(now)
	return false
}

// measure asks the file system and returns what ordinary appends may write.
func (r *Room) measure() int64 {
	u, err := r.o.FS.Usage(r.o.Path)
	if err != nil {
		// A disk that does not tell is judged by its writes.
		u.Free = 1 << 62
	}
	left := u.Free - r.margin
	r.left.Store(left)
	return left
}

// Full notes that a write found no room.
func (r *Room) Full() {
	if r.margin == 0 {
		return
	}
	r.left.Store(0)
	r.asked.Store(r.o.Now().UnixMilli())
}

// Use gives the ballast's room to an internal log, name, that found none. It
// tells whether there is a point in trying again.
func (r *Room) Use(name string) bool {
	if !r.held.CompareAndSwap(true, false) {
		return false
	}
	r.o.Logger.Warn("disk is full: the reserve is given to metadata and internal topics", "log", name)
	return r.o.FS.Remove(r.ballast()) == nil
}

// Mend makes the ballast again once there is room for it and for going
// on, and lets ordinary appends in again when there is room for them.
func (r *Room) Mend() {
	if r.margin == 0 {
		return
	}
	left := r.measure()
	if left > r.margin {
		r.asked.Store(0)
	}
	if r.held.Load() || left < r.o.Reserve+r.margin {
		return
	}
	f, err := r.o.FS.OpenFile(r.ballast(), os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		err = f.Allocate(0, r.o.Reserve)
		_ = f.Close()
	}
	if err != nil {
		_ = r.o.FS.Remove(r.ballast())
		if !vfs.NoSpace(err) {
			r.o.Logger.Warn("the disk reserve can not be made", "err", err)
		}
		return
	}
	r.held.Store(true)
	r.measure()
}
