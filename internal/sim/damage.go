package sim

import (
	"fmt"
	"slices"
)

// Damages are done to what is on the platter and to what programs read, as if
// the page cache had been dropped. They work while the machine is off too, and
// are no operations: no hook sees them. Naming a file that is not there is an
// error of the test.

func (d *Disk) wound(name string, f Fault, how func(b []byte) []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(name)
	if err != nil {
		return pathError("damage", name, err)
	}
	if n.dir {
		return fmt.Errorf("damage %s: it is a directory", name)
	}
	before := n.space()
	// Kept apart: unsynced changes stay unsynced.
	n.live = how(slices.Clone(n.live))
	n.disk = how(slices.Clone(n.disk))
	d.used += n.space() - before
	d.hit(f)
	return nil
}

// Flip turns one bit of the byte at off.
func (d *Disk) Flip(name string, off int64, bit int) error {
	return d.wound(name, FlippedBit, func(b []byte) []byte {
		if off < int64(len(b)) {
			b[off] ^= 1 << (bit % 8)
		}
		return b
	})
}

// FlipAny turns a bit of [from, to) chosen by the seed, and tells where.
func (d *Disk) FlipAny(name string, from, to int64) (off int64, err error) {
	d.mu.Lock()
	off, bit := from+d.damage.Int64N(to-from), d.damage.IntN(8)
	d.mu.Unlock()
	return off, d.Flip(name, off, bit)
}

// Zero overwrites [off, off+n) with zeros, as far as the file reaches.
func (d *Disk) Zero(name string, off, n int64) error {
	return d.wound(name, DamagedRange, func(b []byte) []byte {
		clear(b[min(off, int64(len(b))):min(off+n, int64(len(b)))])
		return b
	})
}

// Rubbish overwrites [off, off+n) with bytes from the seed, as far as the file
// reaches.
func (d *Disk) Rubbish(name string, off, n int64) error {
	fill := make([]byte, n)
	d.mu.Lock()
	rubbish(d.damage, fill)
	d.mu.Unlock()
	return d.wound(name, DamagedRange, func(b []byte) []byte {
		copy(b[min(off, int64(len(b))):], fill)
		return b
	})
}

// Shorten cuts the file to size.
func (d *Disk) Shorten(name string, size int64) error {
	return d.wound(name, ShortenedFile, func(b []byte) []byte { return b[:min(size, int64(len(b)))] })
}

// Delete takes the file away, durably.
func (d *Disk) Delete(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, base, err := d.parent(name)
	if err != nil {
		return pathError("damage", name, err)
	}
	n := dir.entries[base]
	if n == nil || n.dir {
		return fmt.Errorf("damage %s: there is no such file", name)
	}
	d.change([]*node{n}, nameStep{dir, base, nil})
	d.syncNames(dir)
	d.hit(DeletedFile)
	return nil
}

// Content is what programs read of a file now, OnDisk what is on the platter.
func (d *Disk) Content(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(name)
	if err != nil {
		return nil, pathError("content", name, err)
	}
	return slices.Clone(n.live), nil
}

// OnDisk is what a file holds on the platter, without what is not synced.
func (d *Disk) OnDisk(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(name)
	if err != nil {
		return nil, pathError("content", name, err)
	}
	return slices.Clone(n.disk), nil
}

// PutBack replaces what a file holds by an older content of it: the disk has
// forgotten everything since.
func (d *Disk) PutBack(name string, content []byte) error {
	return d.wound(name, StaleFile, func([]byte) []byte { return slices.Clone(content) })
}

// Files lists every file by its full name, sorted.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	d.walk(func(path string, n *node) {
		if !n.dir {
			names = append(names, path)
		}
	})
	slices.Sort(names)
	return names
}
