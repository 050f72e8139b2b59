package sim

import (
	"maps"
	"slices"
	"time"
)

// node is a file or a directory.
type node struct {
	id  int64 // in the order of creation
	dir bool

	// Of a directory: what programs see, and what SyncDir has made durable.
	entries, durable map[string]*node

	// Of a file: what programs see, what is on the platter, and the changes
	// since the last sync in order.
	live, disk []byte
	changes    []change
	// forgotten are pages whose bytes differ between live and disk without a
	// change that would bring them there: a failed sync or a lost write left
	// them so. A write to such a page makes all of it dirty again.
	forgotten map[int64]bool
	allocated int64 // reserved up to here, beyond the size perhaps
	names     int   // entries in the live tree: 0 once removed
	handles   int   // of the present process
	modified  time.Time
}

// change is one unsynced write, or with nil data a change of size.
type change struct {
	off  int64 // of a write; the new size otherwise
	data []byte
	grow bool // a change of size that only grows the file: it cuts nothing
}

func (d *Disk) newNode(dir bool) *node {
	d.nodes++
	n := &node{id: d.nodes, dir: dir, modified: d.now()}
	if dir {
		n.entries, n.durable = make(map[string]*node), make(map[string]*node)
	}
	return n
}

// space is the room a file takes, in whole sectors.
func (n *node) space() int64 { return sectors(max(int64(len(n.live)), n.allocated)) }

func sectors(bytes int64) int64 { return (bytes + SectorSize - 1) / SectorSize * SectorSize }

// alive tells whether the file takes room: it has a name or is open.
func (n *node) alive() bool { return n.names > 0 || n.handles > 0 }

// recount sums the room of all files once handles are gone.
func (d *Disk) recount() {
	d.used = 0
	d.walk(func(_ string, n *node) {
		n.handles = 0
		if !n.dir {
			d.used += n.space()
		}
	})
}

// walk visits every named node of the live tree, sorted, parents first.
func (d *Disk) walk(visit func(path string, n *node)) {
	var down func(path string, n *node)
	down = func(path string, n *node) {
		for _, name := range slices.Sorted(maps.Keys(n.entries)) {
			child := n.entries[name]
			visit(path+"/"+name, child)
			if child.dir {
				down(path+"/"+name, child)
			}
		}
	}
	down("", d.root)
}

// write puts p at off in the page cache and notes the change. lose and shift
// are what the platter will make of it.
func (d *Disk) write(n *node, p []byte, off int64, lose bool, shift int64) {
	end := off + int64(len(p))
	grown := end > int64(len(n.live))
	before := n.space()
	n.live = put(n.live, p, off)
	d.used += n.space() - before
	n.modified = d.now()
	switch {
	case lose:
		d.hit(LostWrite)
		n.forget(off, end)
	case shift != 0:
		d.hit(Misdirected)
		n.forget(off, end)
		n.changes = append(n.changes, change{off: max(0, off+shift), data: slices.Clone(p)})
	default:
		off, p = n.redirty(off, p)
		n.changes = append(n.changes, change{off: off, data: slices.Clone(p)})
	}
	if grown && (lose || shift != 0) { // the size is told by the inode, not by the lost bytes
		n.changes = append(n.changes, change{off: end, grow: true})
	}
	d.soil(n)
}

// put copies p into b at off, growing b with zeros.
func put(b, p []byte, off int64) []byte {
	if need := off + int64(len(p)) - int64(len(b)); need > 0 {
		b = append(b, make([]byte, need)...)
	}
	copy(b[off:], p)
	return b
}

// resize cuts b or grows it with zeros.
func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// forget marks the pages of [off, end).
func (n *node) forget(off, end int64) {
	if n.forgotten == nil {
		n.forgotten = make(map[int64]bool)
	}
	for page := off / PageSize; page*PageSize < end; page++ {
		n.forgotten[page] = true
	}
}

// redirty widens a write to the whole of each forgotten page it touches, for
// the kernel writes whole pages back. The bytes are in n.live already.
func (n *node) redirty(off int64, p []byte) (int64, []byte) {
	end := off + int64(len(p))
	from, to := off, end
	for page := off / PageSize; page*PageSize < end; page++ {
		if n.forgotten[page] {
			from = min(from, page*PageSize)
			to = max(to, min((page+1)*PageSize, int64(len(n.live))))
			delete(n.forgotten, page)
		}
	}
	return from, n.live[from:to]
}

// truncate sets the size.
func (d *Disk) truncate(n *node, size int64) {
	before := n.space()
	n.live = resize(n.live, size)
	n.allocated = min(n.allocated, size)
	d.used += n.space() - before
	n.modified = d.now()
	n.changes = append(n.changes, change{off: size})
	d.soil(n)
}

// soil puts the file among the dirty ones.
func (d *Disk) soil(n *node) {
	if !slices.Contains(d.dirty, n) {
		d.dirty = append(d.dirty, n)
	}
}

// clean takes it out.
func (d *Disk) clean(n *node) {
	n.changes = nil
	d.dirty = slices.DeleteFunc(d.dirty, func(o *node) bool { return o == n })
}

// sync brings the changes of a file to the platter.
func (d *Disk) sync(n *node) {
	for _, c := range n.changes {
		n.disk = c.apply(n.disk)
	}
	d.clean(n)
}

func (c change) apply(b []byte) []byte {
	switch {
	case c.data != nil:
		return put(b, c.data, c.off)
	case c.grow && c.off <= int64(len(b)):
		return b
	}
	return resize(b, c.off)
}

// syncFailed leaves any part of the changes on the platter and forgets the
// rest: the pages are clean, and nothing will write them again.
func (d *Disk) syncFailed(n *node) {
	n.disk = survivors(d.failing, n, AnySectors).data
	size := int64(len(n.live))
	for page := int64(0); page*PageSize < size; page++ {
		if !sameRange(n.live, n.disk, page*PageSize, (page+1)*PageSize) {
			n.forget(page*PageSize, page*PageSize+1)
			d.hit(ForgottenBySync)
		}
	}
	d.clean(n)
	if size != int64(len(n.disk)) { // the inode is still dirty
		n.changes = append(n.changes, change{off: size})
		d.soil(n)
	}
}

// sameRange compares [from, to) of two files, missing bytes read as zeros.
func sameRange(a, b []byte, from, to int64) bool {
	for i := from; i < to; i++ {
		if at(a, i) != at(b, i) {
			return false
		}
	}
	return true
}

func at(b []byte, i int64) byte {
	if i < int64(len(b)) {
		return b[i]
	}
	return 0
}
