package log

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// handle is an open segment file, shared by whoever uses it. It closes when
// the last reference goes. The segment itself holds one while the file is in
// the cache (closed segments) or pinned by its writer (the active one).
type handle struct {
	f    vfs.File
	refs atomic.Int32
}

func (h *handle) release() {
	if h.refs.Add(-1) == 0 {
		_ = h.f.Close() // nothing is lost: a file is synced before it counts
	}
}

// descriptors bounds how many closed segments are kept open: a queue in order
// of opening with a second chance for those used since.
type descriptors struct {
	mu    sync.Mutex
	max   int
	queue []cached
}

type cached struct {
	l *Log
	s *segment
	h *handle
}

// add notes an opened closed segment and returns what must go for it.
func (d *descriptors) add(c cached) (cached, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, c)
	if len(d.queue) <= d.max {
		return cached{}, false
	}
	out := d.queue[0]
	d.queue[0] = cached{}
	d.queue = d.queue[1:]
	return out, true
}

// takeAll empties the cache; used when descriptors run out.
func (d *descriptors) takeAll() []cached {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.queue
	d.queue = nil
	return q
}

// drop closes a cached file for its segment; readers keep theirs. A segment
// that became active again meanwhile keeps its file.
func (c cached) drop() {
	c.l.mu.Lock()
	mine := c.s.handle == c.h && !(c.l.pinned && c.l.active() == c.s) && !c.s.held
	if mine {
		c.s.handle = nil
	}
	c.l.mu.Unlock()
	if mine {
		c.h.release()
	}
}

// errReplaced: a cleaned segment took this one's place. Whoever looks again finds
// that.
var errReplaced = fmt.Errorf("the segment was cleaned meanwhile: %w", fs.ErrNotExist)

// acquire returns the segment's file with a reference for the caller.
func (l *Log) acquire(s *segment) (*handle, error) {
	l.mu.Lock()
	if h := s.handle; h != nil {
		h.refs.Add(1)
		l.mu.Unlock()
		return h, nil
	}
	replaced := s.replaced
	l.mu.Unlock()
	if replaced {
		return nil, errReplaced
	}
	f, err := l.dir.open(s.file(layout.Log), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	h := &handle{f: f}
	h.refs.Store(2)
	l.mu.Lock()
	if s.replaced { // the file of that name is the cleaned one
		l.mu.Unlock()
		_ = f.Close()
		return nil, errReplaced
	}
	if other := s.handle; other != nil { // somebody was faster
		other.refs.Add(1)
		l.mu.Unlock()
		_ = f.Close()
		return other, nil
	}
	if l.closed {
		h.refs.Store(1)
		l.mu.Unlock()
		return h, nil
	}
	s.handle = h
	l.mu.Unlock()
	if out, full := l.dir.cache.add(cached{l, s, h}); full {
		out.drop()
	}
	return h, nil
}

// pin opens the active segment for writing and keeps it open. Log.w is held.
func (l *Log) pin(s *segment) error {
	if l.pinned {
		return nil
	}
	f, err := l.dir.open(s.file(layout.Log), os.O_RDWR)
	if err != nil {
		return err
	}
	l.adopt(s, f)
	return nil
}

// adopt makes f the active segment's pinned file.
func (l *Log) adopt(s *segment, f vfs.File) {
	h := &handle{f: f}
	h.refs.Store(1)
	l.mu.Lock()
	old := s.handle
	s.handle, l.pinned = h, true
	l.mu.Unlock()
	if old != nil {
		old.release()
	}
}

// unpin closes the active segment's file; the next use opens it again.
// Log.w is held.
func (l *Log) unpin() {
	l.mu.Lock()
	s := l.active()
	if !l.pinned || s == nil {
		l.mu.Unlock()
		return
	}
	h := s.handle
	s.handle, l.pinned = nil, false
	l.mu.Unlock()
	h.release()
}

// open opens a segment file. Where descriptors have run out it closes all
// cached ones and tries once more.
func (d *Dir) open(name string, flag int) (vfs.File, error) {
	f, err := d.fs.OpenFile(name, flag, 0o644)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		for _, c := range d.cache.takeAll() {
			c.drop()
		}
		f, err = d.fs.OpenFile(name, flag, 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return f, nil
}
