package faulty

import (
	"math"
	"path"

	"ottla/internal/vfs"
)

// Limit lets files grow by so many bytes together from now on, and no more.
// What is removed or cut off while the limit stands gives its room back. Blocks
// reserved ahead and holes cost nothing until they are written.
func (f *Faults) Limit(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room = max(0, bytes)
	f.limited.Store(true)
}

// Unlimit ends the limit.
func (f *Faults) Unlimit() { f.limited.Store(false) }

// free is the room as Usage tells it, at most that of the disk below.
func (f *Faults) free(below int64) int64 {
	if f.full.Load() {
		return 0
	}
	if !f.limited.Load() {
		return below
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return min(below, f.room)
}

// grow counts a write of n bytes at off and makes it if there is room.
func (f *Faults) grow(file vfs.File, op string, n, off int64, write func() (int64, error)) (int64, error) {
	if !f.limited.Load() {
		return write()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	size, err := file.Size()
	if err != nil {
		return 0, err
	}
	if off > math.MaxInt64-n || off+n-max(size, off) > f.room {
		return 0, f.noSpace(op, file.Name())
	}
	done, err := write()
	f.room -= max(0, off+done-max(size, off))
	return done, err
}

// giveBack counts room that a removal or a cut freed.
func (f *Faults) giveBack(bytes int64) {
	if bytes <= 0 || !f.limited.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room += min(bytes, math.MaxInt64-f.room)
}

// held is how many bytes lie under a name; 0 when room does not count or there
// is nothing.
func (d *FS) held(name string) int64 {
	if !d.faults.limited.Load() {
		return 0
	}
	info, err := d.FS.Stat(name)
	if err != nil {
		return 0
	}
	if !info.IsDir() {
		return info.Size()
	}
	entries, err := d.FS.ReadDir(name)
	if err != nil {
		return 0
	}
	var n int64
	for _, e := range entries {
		n += d.held(path.Join(name, e.Name()))
	}
	return n
}
