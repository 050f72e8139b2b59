package sim

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"ottla/internal/vfs"
)

// nameOp is one change of names that no SyncDir has made durable: one or two
// entries set or removed, together or not at all.
type nameOp struct {
	steps []nameStep
	nodes []*node // the nodes that gain or lose a name
}

// nameStep sets an entry, or removes it when node is nil.
type nameStep struct {
	dir  *node
	name string
	node *node
}

// needs tells whether op is meaningless without the earlier one: both touch an
// entry, or the names of one node.
func (op *nameOp) needs(earlier *nameOp) bool {
	for _, a := range op.steps {
		for _, b := range earlier.steps {
			if a.dir == b.dir && a.name == b.name {
				return true
			}
		}
	}
	for _, n := range op.nodes {
		if slices.Contains(earlier.nodes, n) {
			return true
		}
	}
	return false
}

func (op *nameOp) touches(dir *node) bool {
	return slices.ContainsFunc(op.steps, func(s nameStep) bool { return s.dir == dir })
}

// makeDurable applies the operation to the durable entries.
func (op *nameOp) makeDurable() {
	for _, s := range op.steps {
		if s.node == nil {
			delete(s.dir.durable, s.name)
		} else {
			s.dir.durable[s.name] = s.node
		}
	}
}

// change applies a change of names to the live tree and notes it.
func (d *Disk) change(nodes []*node, steps ...nameStep) {
	for _, s := range steps {
		if old := s.dir.entries[s.name]; old != nil {
			old.names--
			delete(s.dir.entries, s.name)
		}
		if s.node != nil {
			s.node.names++
			s.dir.entries[s.name] = s.node
		}
	}
	for _, n := range nodes {
		d.freeIfDead(n)
	}
	d.pending = append(d.pending, nameOp{steps: steps, nodes: nodes})
}

// syncNames makes durable what touches dir (nil: everything), and what that
// hangs on.
func (d *Disk) syncNames(dir *node) {
	keep := make([]bool, len(d.pending))
	for i := len(d.pending) - 1; i >= 0; i-- {
		keep[i] = keep[i] || dir == nil || d.pending[i].touches(dir)
		for j := range i {
			if keep[i] && d.pending[i].needs(&d.pending[j]) {
				keep[j] = true
			}
		}
	}
	var rest []nameOp
	for i := range d.pending {
		if keep[i] {
			d.pending[i].makeDurable()
		} else {
			rest = append(rest, d.pending[i])
		}
	}
	d.pending = rest
}

func (d *Disk) find(name string) (*node, error) {
	n := d.root
	for _, p := range vfs.Parts(name) {
		if !n.dir {
			return nil, syscall.ENOTDIR
		}
		if n = n.entries[p]; n == nil {
			return nil, syscall.ENOENT
		}
	}
	return n, nil
}

// parent finds the directory that holds name, and name's last element.
func (d *Disk) parent(name string) (*node, string, error) {
	ps := vfs.Parts(name)
	if len(ps) == 0 {
		return nil, "", syscall.EBUSY
	}
	dir, err := d.find(strings.Join(ps[:len(ps)-1], "/"))
	if err == nil && !dir.dir {
		err = syscall.ENOTDIR
	}
	return dir, ps[len(ps)-1], err
}

// OpenFile implements vfs.FS.
func (d *Disk) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	kind := OpOpen
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		kind = OpCreate
	}
	op := d.begin(Op{Kind: kind, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return nil, op.fail("open", err)
	}
	f, err := d.open(name, flag)
	if err != nil {
		return nil, op.fail("open", err)
	}
	return f, nil
}

// open opens or creates a file, the lock held.
func (d *Disk) open(name string, flag int) (*file, error) {
	n := d.root
	if len(vfs.Parts(name)) > 0 {
		dir, base, err := d.parent(name)
		if err != nil {
			return nil, err
		}
		n = dir.entries[base]
		switch {
		case n == nil && flag&os.O_CREATE == 0:
			return nil, syscall.ENOENT
		case n == nil:
			n = d.newNode(false)
			d.change([]*node{n}, nameStep{dir, base, n})
		case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
			return nil, syscall.EEXIST
		case n.dir && flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) != 0:
			return nil, syscall.EISDIR
		}
	}
	writable := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if flag&os.O_TRUNC != 0 && writable && len(n.live) > 0 {
		d.truncate(n, 0)
	}
	n.handles++
	return &file{
		disk: d, node: n, name: name, generation: d.generation,
		readable: flag&os.O_WRONLY == 0, writable: writable,
	}, nil
}

// MkdirAll implements vfs.FS.
func (d *Disk) MkdirAll(name string, perm fs.FileMode) error {
	at := "/"
	for _, p := range vfs.Parts(name) {
		at = path.Join(at, p)
		if err := d.mkdir(at); err != nil {
			return err
		}
	}
	return nil
}

func (d *Disk) mkdir(name string) error {
	d.mu.Lock()
	n, err := d.find(name)
	off := d.off
	d.mu.Unlock()
	if err == nil && n.dir && !off {
		return nil
	}
	op := d.begin(Op{Kind: OpMkdir, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return op.fail("mkdir", err)
	}
	dir, base, err := d.parent(name)
	if err != nil {
		return op.fail("mkdir", err)
	}
	if n := dir.entries[base]; n != nil {
		if n.dir {
			return nil
		}
		return op.fail("mkdir", syscall.ENOTDIR)
	}
	n = d.newNode(true)
	d.change([]*node{n}, nameStep{dir, base, n})
	return nil
}

// Remove implements vfs.FS.
func (d *Disk) Remove(name string) error {
	op := d.begin(Op{Kind: OpRemove, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return op.fail("remove", err)
	}
	dir, base, err := d.parent(name)
	if err != nil {
		return op.fail("remove", err)
	}
	n := dir.entries[base]
	switch {
	case n == nil:
		return op.fail("remove", syscall.ENOENT)
	case len(n.entries) > 0:
		return op.fail("remove", syscall.ENOTEMPTY)
	}
	d.change([]*node{n}, nameStep{dir, base, nil})
	return nil
}

// RemoveAll implements vfs.FS, entry by entry, children first.
func (d *Disk) RemoveAll(name string) error {
	d.mu.Lock()
	n, err := d.find(name)
	var children []string
	if err == nil {
		children = slices.Sorted(maps.Keys(n.entries))
	}
	d.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, child := range children {
		if err := d.RemoveAll(path.Join(filepath.ToSlash(name), child)); err != nil {
			return err
		}
	}
	return d.Remove(name)
}

// Rename implements vfs.FS.
func (d *Disk) Rename(oldname, newname string) error {
	op := d.begin(Op{Kind: OpRename, Name: oldname, To: newname})
	defer d.mu.Unlock()
	err := op.refusal()
	if err == nil {
		err = d.rename(oldname, newname)
	}
	if err != nil {
		d.mixString(err.Error())
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (d *Disk) rename(oldname, newname string) error {
	from, oldBase, err := d.parent(oldname)
	if err != nil {
		return err
	}
	to, newBase, err := d.parent(newname)
	if err != nil {
		return err
	}
	n, replaced := from.entries[oldBase], to.entries[newBase]
	if n == nil {
		return syscall.ENOENT
	}
	if replaced == n && !n.dir {
		return nil
	}
	if err := vfs.Renamable(oldname, newname, n.dir, replaced != nil, replaced != nil && replaced.dir); err != nil {
		return err
	}
	nodes := []*node{n}
	if replaced != nil {
		nodes = append(nodes, replaced)
	}
	n.names++ // so that it is not taken for removed between the steps
	d.change(nodes, nameStep{from, oldBase, nil}, nameStep{to, newBase, n})
	n.names--
	return nil
}

// ReadDir implements vfs.FS.
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	op := d.begin(Op{Kind: OpReadDir, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return nil, op.fail("open", err)
	}
	n, err := d.find(name)
	if err == nil && !n.dir {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, op.fail("open", err)
	}
	var list []fs.DirEntry
	for _, base := range slices.Sorted(maps.Keys(n.entries)) {
		list = append(list, fs.FileInfoToDirEntry(n.entries[base].info(base)))
	}
	return list, nil
}

// Stat implements vfs.FS.
func (d *Disk) Stat(name string) (fs.FileInfo, error) {
	op := d.begin(Op{Kind: OpStat, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return nil, op.fail("stat", err)
	}
	n, err := d.find(name)
	if err != nil {
		return nil, op.fail("stat", err)
	}
	return n.info(filepath.Base(name)), nil
}

// SyncDir implements vfs.FS.
func (d *Disk) SyncDir(name string) error {
	op := d.begin(Op{Kind: OpSyncDir, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return op.fail("sync", err)
	}
	n, err := d.find(name)
	if err == nil && !n.dir {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return op.fail("sync", err)
	}
	if op.Lose {
		d.hit(LyingSync)
		return nil
	}
	d.syncNames(n)
	return nil
}

// SyncFS implements vfs.FS.
func (d *Disk) SyncFS(name string) error {
	op := d.begin(Op{Kind: OpSyncFS, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		if !d.off {
			for _, n := range slices.Clone(d.dirty) {
				d.syncFailed(n)
			}
		}
		return op.fail("syncfs", err)
	}
	if _, err := d.find(name); err != nil {
		return op.fail("syncfs", err)
	}
	if op.Lose {
		d.hit(LyingSync)
		return nil
	}
	for _, n := range slices.Clone(d.dirty) {
		d.sync(n)
	}
	d.syncNames(nil)
	return nil
}

// lock is a held lock: on the file, whatever its name is by now.
type lock struct{ file *file }

// Lock implements vfs.FS.
func (d *Disk) Lock(name string) (io.Closer, error) {
	op := d.begin(Op{Kind: OpLock, Name: name})
	defer d.mu.Unlock()
	if err := op.refusal(); err != nil {
		return nil, op.fail("lock", err)
	}
	f, err := d.open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, op.fail("lock", err)
	}
	if slices.ContainsFunc(d.locks, func(l *lock) bool { return l.file.node == f.node }) {
		f.node.handles--
		return nil, op.fail("lock", vfs.ErrLocked)
	}
	l := &lock{file: f}
	d.locks = append(d.locks, l)
	return l, nil
}

// Close gives the lock back.
func (l *lock) Close() error {
	if err := l.file.Close(); err != nil {
		return err
	}
	d := l.file.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locks = slices.DeleteFunc(d.locks, func(o *lock) bool { return o == l })
	return nil
}

// info implements fs.FileInfo.
type info struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (n *node) info(base string) fs.FileInfo {
	i := info{name: base, size: int64(len(n.live)), mode: 0o644, modified: n.modified}
	if n.dir {
		i.mode = fs.ModeDir | 0o755
	}
	return i
}

// Name is the base name.
func (i info) Name() string { return i.name }

// Size is the length in bytes.
func (i info) Size() int64 { return i.size }

// Mode is the mode: directory or file, and permissions.
func (i info) Mode() fs.FileMode { return i.mode }

// ModTime is when it was written last.
func (i info) ModTime() time.Time { return i.modified }

// IsDir tells whether it is a directory.
func (i info) IsDir() bool { return i.mode.IsDir() }

// Sys is nil: there is no system below.
func (i info) Sys() any { return nil }
