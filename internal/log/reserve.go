package log

import (
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

// reserve knows how much room is left, roughly: left falls with each append
// and is set right by asking the file system when it runs out or Housekeep
// comes by. Fields are atomics because appenders of all logs share them.
type reserve struct {
	margin int64
	left   atomic.Int64 // bytes that ordinary appends may still write
	held   atomic.Bool  // the ballast is there
	asked  atomic.Int64 // unix milliseconds of the last refusal that asked
}

func (d *Dir) openReserve() {
	if d.o.Reserve <= 0 {
		return
	}
	d.room.margin = min(max(d.o.Reserve/marginShare, marginLeast), marginMost)
	_, err := d.fs.Stat(d.path + "/" + reserveName)
	d.room.held.Store(err == nil)
	d.mendReserve()
}

// admit tells whether an ordinary append of n bytes may go ahead. Without a
// reserve the disk itself answers.
func (r *reserve) admit(d *Dir, n int64) bool {
	if r.margin == 0 || r.left.Add(-n) > 0 {
		return true
	}
	now := d.o.Now().UnixMilli()
	if asked := r.asked.Load(); asked != 0 && now-asked < fullRetry.Milliseconds() && now >= asked {
		return false
	}
	if r.measure(d) > n {
		r.asked.Store(0)
		r.left.Add(-n)
		return true
	}
	r.asked.Store(now)
	return false
}

// measure asks the file system and returns what ordinary appends may write.
func (r *reserve) measure(d *Dir) int64 {
	u, err := d.fs.Usage(d.path)
	if err != nil {
		// A disk that does not tell is judged by its writes.
		u.Free = 1 << 62
	}
	left := u.Free - r.margin
	r.left.Store(left)
	return left
}

// full notes that a write found no room.
func (r *reserve) full(d *Dir) {
	if r.margin == 0 {
		return
	}
	r.left.Store(0)
	r.asked.Store(d.o.Now().UnixMilli())
}

// useReserve gives the ballast's room to an internal log that found none. It
// tells whether there is a point in trying again.
func (l *Log) useReserve(c *Config) bool {
	d := l.dir
	if !c.Internal || !d.room.held.CompareAndSwap(true, false) {
		return false
	}
	d.log.Warn("disk is full: the reserve is given to metadata and internal topics", "log", l.name)
	return d.fs.Remove(d.path+"/"+reserveName) == nil
}

// mendReserve makes the ballast again once there is room for it and for going
// on, and lets ordinary appends in again when there is room for them.
func (d *Dir) mendReserve() {
	r := &d.room
	if r.margin == 0 {
		return
	}
	left := r.measure(d)
	if left > r.margin {
		r.asked.Store(0)
	}
	if r.held.Load() || left < d.o.Reserve+r.margin {
		return
	}
	name := d.path + "/" + reserveName
	f, err := d.fs.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		err = f.Allocate(0, d.o.Reserve)
		_ = f.Close()
	}
	if err != nil {
		_ = d.fs.Remove(name)
		if !vfs.NoSpace(err) {
			d.log.Warn("the disk reserve can not be made", "err", err)
		}
		return
	}
	r.held.Store(true)
	r.measure(d)
}
