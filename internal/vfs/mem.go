package vfs

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Mem is a disk in memory: for ephemeral data and for embedding. It behaves
// like OS (names removed while open, locks, room), syncs at once by doing
// nothing and forgets everything with the process. Relative names start at its
// root.
type Mem struct {
	capacity int64
	used     atomic.Int64 // bytes of memory behind all files, open removed ones included

	mu    sync.Mutex // guards the tree and the locks
	root  *memNode
	locks map[*memNode]bool
}

var _ FS = (*Mem)(nil)

// NewMem returns an empty disk with room for capacity bytes; 0 means as much
// as the process can get. Files cost memory as they fill, not before.
func NewMem(capacity int64) *Mem {
	if capacity == 0 {
		capacity = math.MaxInt64
	}
	m := &Mem{capacity: capacity, locks: make(map[*memNode]bool)}
	m.root = m.newNode(fs.ModeDir | 0o755)
	return m
}

// memNode is a directory or a file.
type memNode struct {
	mode    fs.FileMode
	entries map[string]*memNode // of a directory; guarded by Mem.mu
	data    *memData            // of a file
	created time.Time
}

func (m *Mem) newNode(mode fs.FileMode) *memNode {
	n := &memNode{mode: mode, created: time.Now()}
	if mode.IsDir() {
		n.entries = make(map[string]*memNode)
	} else {
		n.data = &memData{mem: m, refs: 1, modified: n.created}
	}
	return n
}

// find walks to name.
func (m *Mem) find(name string) (*memNode, error) {
	n := m.root
	for _, p := range Parts(name) {
		if !n.mode.IsDir() {
			return nil, syscall.ENOTDIR
		}
		if n = n.entries[p]; n == nil {
			return nil, syscall.ENOENT
		}
	}
	return n, nil
}

// parent walks to the directory that holds name, and tells name's last element.
func (m *Mem) parent(name string) (*memNode, string, error) {
	ps := Parts(name)
	if len(ps) == 0 {
		return nil, "", syscall.EBUSY // the root itself
	}
	dir, err := m.find(strings.Join(ps[:len(ps)-1], "/"))
	if err == nil && !dir.mode.IsDir() {
		err = syscall.ENOTDIR
	}
	return dir, ps[len(ps)-1], err
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// OpenFile implements FS.
func (m *Mem) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.open(name, flag, perm)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	writable := flag&(os.O_WRONLY|os.O_RDWR) != 0
	f := &memFile{
		name: name, node: n,
		readable: flag&os.O_WRONLY == 0,
		writable: writable,
	}
	if n.data != nil {
		n.data.open()
		if flag&os.O_TRUNC != 0 && writable {
			n.data.truncate(0)
		}
	}
	return f, nil
}

func (m *Mem) open(name string, flag int, perm fs.FileMode) (*memNode, error) {
	if len(Parts(name)) == 0 {
		return m.root, nil
	}
	dir, base, err := m.parent(name)
	if err != nil {
		return nil, err
	}
	n := dir.entries[base]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, syscall.ENOENT
	case n == nil:
		n = m.newNode(perm.Perm())
		dir.entries[base] = n
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, syscall.EEXIST
	case n.mode.IsDir() && flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) != 0:
		return nil, syscall.EISDIR
	}
	return n, nil
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(name string, perm fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.root
	for _, p := range Parts(name) {
		next := n.entries[p]
		if next == nil {
			next = m.newNode(fs.ModeDir | perm.Perm())
			n.entries[p] = next
		}
		if !next.mode.IsDir() {
			return pathError("mkdir", name, syscall.ENOTDIR)
		}
		n = next
	}
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err != nil {
		return pathError("remove", name, err)
	}
	n := dir.entries[base]
	switch {
	case n == nil:
		return pathError("remove", name, syscall.ENOENT)
	case len(n.entries) > 0:
		return pathError("remove", name, syscall.ENOTEMPTY)
	}
	n.unlink()
	delete(dir.entries, base)
	return nil
}

// RemoveAll implements FS.
func (m *Mem) RemoveAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err == syscall.ENOENT {
		return nil
	}
	if err != nil {
		return pathError("unlinkat", name, err)
	}
	if n := dir.entries[base]; n != nil {
		n.unlink()
		delete(dir.entries, base)
	}
	return nil
}

// unlink gives up the names of a node and of all below it.
func (n *memNode) unlink() {
	if n.data != nil {
		n.data.release()
	}
	for _, child := range n.entries {
		child.unlink()
	}
}

// Rename implements FS.
func (m *Mem) Rename(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.rename(oldname, newname); err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (m *Mem) rename(oldname, newname string) error {
	from, oldBase, err := m.parent(oldname)
	if err != nil {
		return err
	}
	to, newBase, err := m.parent(newname)
	if err != nil {
		return err
	}
	n, replaced := from.entries[oldBase], to.entries[newBase]
	if n == nil {
		return syscall.ENOENT
	}
	if replaced == n && !n.mode.IsDir() {
		return nil
	}
	if err := Renamable(oldname, newname, n.mode.IsDir(), replaced != nil, replaced != nil && replaced.mode.IsDir()); err != nil {
		return err
	}
	if replaced != nil {
		replaced.unlink()
	}
	delete(from.entries, oldBase)
	to.entries[newBase] = n
	return nil
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err == nil && !n.mode.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	list := make([]fs.DirEntry, 0, len(n.entries))
	for base, child := range n.entries {
		list = append(list, fs.FileInfoToDirEntry(child.info(base)))
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return n.info(filepath.Base(name)), nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.find(name)
	return pathError("open", name, err)
}

// SyncFS implements FS.
func (m *Mem) SyncFS(name string) error { return m.SyncDir(name) }

// Life implements FS: what is here is here as long as m is.
func (m *Mem) Life(string) string { return "memory" }

// Usage implements FS.
func (m *Mem) Usage(name string) (Usage, error) {
	if _, err := m.Stat(name); err != nil {
		return Usage{}, err
	}
	return Usage{Total: m.capacity, Free: max(0, m.capacity-m.used.Load())}, nil
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	opened, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f := opened.(*memFile)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[f.node] {
		return nil, errors.Join(pathError("lock", name, ErrLocked), f.Close())
	}
	m.locks[f.node] = true
	return &memLock{mem: m, file: f}, nil
}

// memLock is a held lock: on the file, whatever its name is by now.
type memLock struct {
	mem  *Mem
	file *memFile
}

// Close gives the lock back.
func (l *memLock) Close() error {
	if err := l.file.Close(); err != nil {
		return err
	}
	l.mem.mu.Lock()
	defer l.mem.mu.Unlock()
	delete(l.mem.locks, l.file.node)
	return nil
}

func (n *memNode) info(base string) fs.FileInfo {
	i := memInfo{name: base, mode: n.mode, modified: n.created}
	if n.data != nil {
		i.size, i.modified = n.data.stat()
	}
	return i
}

// memInfo implements fs.FileInfo.
type memInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

// Name is the base name.
func (i memInfo) Name() string { return i.name }

// Size is the length in bytes.
func (i memInfo) Size() int64 { return i.size }

// Mode is the mode: directory or file, and permissions.
func (i memInfo) Mode() fs.FileMode { return i.mode }

// ModTime is when it was written last.
func (i memInfo) ModTime() time.Time { return i.modified }

// IsDir tells whether it is a directory.
func (i memInfo) IsDir() bool { return i.mode.IsDir() }

// Sys is nil: there is no system below.
func (i memInfo) Sys() any { return nil }
