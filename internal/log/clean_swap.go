package log

import (
	"fmt"
	"os"
	"slices"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/compact"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// group is some neighbouring segments that become one.
//
// The new files are written as .cleaned, synced, and swapped in so that a crash
// at any step leaves a good log: first they are renamed to .swap, and that is
// synced: from here on a restart finishes the swap. Then the sources but the
// first are taken away, and the first one's indexes; that is synced. Last the
// new segment is renamed over the first source.
type group struct {
	k       *Cleaning
	c       *Cleaner
	p       *compact.Pass
	sources []*segment

	to      *segment // as it will be
	left    int64    // bytes of the sources that are still to come
	f       vfs.File // nil while all is as it was: nothing need be written then
	as      int64    // bytes at the beginning of the first source that stay as they are
	written int64
	aborted []producer.Aborted
}

func (g *group) name(suffix string) string { return g.to.file(suffix) }

// clean cleans the group. Where retention was faster there is nothing to do.
func (g *group) clean() error {
	if g.sources = g.still(); len(g.sources) == 0 {
		return nil
	}
	l := g.k.l
	first, last := g.sources[0], g.sources[len(g.sources)-1]
	g.to = newSegment(l.path(), first.base)
	g.to.createdMs, g.to.cleaned = last.createdMs, true
	for _, s := range g.sources {
		g.left += s.size
	}
	before := g.left
	err := g.build()
	if err == nil && g.f != nil {
		err = g.seal()
	}
	if err == nil && g.f != nil {
		err = g.swap()
	} else {
		g.drop()
	}
	if err != nil {
		return err
	}
	d := &g.k.done
	d.Before, d.After, d.Segments, d.Into = d.Before+before, d.After+g.to.size, d.Segments+len(g.sources), d.Into+1
	return nil
}

// still are those sources that are still part of the log.
func (g *group) still() []*segment {
	l := g.k.l
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.sources), func(s *segment) bool { return !slices.Contains(l.segs, s) })
}

// build writes what stays of the sources.
func (g *group) build() error {
	l := g.k.l
	now := uint32(0)
	if l.dir.o.VerifyAge > 0 {
		now = l.dir.coarse.Load()
	}
	c := l.cfg.Load()
	for i, s := range g.sources {
		if i > 0 {
			if err := g.open(); err != nil {
				return err
			}
		}
		err := g.k.walk(g.c, s, func(h *record.Header, b []byte) error {
			return g.take(c, h, b, now)
		}, func(h *record.Header) (bool, error) { return g.skip(c, h, now) }, func() bool { return false })
		if err != nil {
			return err
		}
	}
	g.aborted = g.p.TakeAborted()
	return nil
}

// take takes one batch over, as it is or changed, or leaves it out.
func (g *group) take(c *Config, h *record.Header, b []byte, now uint32) error {
	out, err := g.p.Clean(g.c.scratch[:0], h, b)
	if err != nil {
		return err
	}
	g.left -= int64(len(b))
	same := len(out) == len(b) && &out[0] == &b[0]
	if out != nil && !same {
		g.c.scratch = out
		if g.to.size+int64(len(out))+g.left > maxSegmentBytes {
			out, same = b, true // grown by its delete horizon beyond what a segment holds
		}
	}
	if g.f == nil && same {
		g.as += int64(len(b))
	} else if err := g.open(); err != nil {
		return err
	}
	return g.put(c, out, now)
}

// skip leaves a batch out whose records need not be read for that.
func (g *group) skip(c *Config, h *record.Header, now uint32) (bool, error) {
	out, ok := g.p.Skip(g.c.scratch[:0], h)
	if !ok {
		return false, nil
	}
	g.left -= int64(h.Size())
	if out != nil {
		g.c.scratch = out
	}
	if err := g.open(); err != nil {
		return true, err
	}
	return true, g.put(c, out, now)
}

// put adds what stays of a batch to the new segment.
func (g *group) put(c *Config, out []byte, now uint32) error {
	if out == nil {
		return nil
	}
	if g.f != nil {
		if err := g.write(out); err != nil {
			return err
		}
	}
	kept, err := record.ParseHeader(out)
	if err != nil {
		return err
	}
	g.k.l.extend(c, g.to, &kept, now)
	return nil
}

// open begins the new file with what was the same so far.
func (g *group) open() error {
	if g.f != nil {
		return nil
	}
	l := g.k.l
	if l.cleaning.stopping.Load() {
		return ErrClosed // the directory may be another log's already
	}
	f, err := l.dir.open(g.name(layout.Log+layout.Cleaned), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	g.f, g.c.out = f, g.c.out[:0]
	if g.as == 0 {
		return nil
	}
	h, err := l.acquire(g.sources[0])
	if err != nil {
		return errOvertaken
	}
	defer h.release()
	buf := make([]byte, min(g.as, 1<<20))
	for at := int64(0); at < g.as; {
		n := min(int64(len(buf)), g.as-at)
		if got, err := h.f.ReadAt(buf[:n], at); int64(got) < n {
			return l.readError(g.sources[0], err)
		}
		if err := g.flush(buf[:n]); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// write gathers bytes for the new file.
func (g *group) write(b []byte) error {
	g.c.out = append(g.c.out, b...)
	if len(g.c.out) < max(g.c.BufferBytes, 1) {
		return nil
	}
	err := g.flush(g.c.out)
	g.c.out = g.c.out[:0]
	return err
}

// flush writes bytes at the end of the new file. A cleaning leaves others the
// room that appends leave.
func (g *group) flush(b []byte) error {
	l, c := g.k.l, g.k.l.cfg.Load()
	if len(b) == 0 {
		return nil
	}
	if !c.Internal && !l.dir.room.Admit(int64(len(b))) {
		return fmt.Errorf("clean %s: %w", l.name, ErrDiskFull)
	}
	if _, err := g.f.WriteAt(b, g.written); err != nil {
		return l.refuse(c, fmt.Errorf("write %s: %w", g.name(layout.Log+layout.Cleaned), err))
	}
	g.written += int64(len(b))
	g.k.done.Written += int64(len(b))
	return g.k.pace(g.c, len(b))
}

// seal makes the new files whole and durable under their .cleaned names.
func (g *group) seal() error {
	l, c := g.k.l, g.k.l.cfg.Load()
	err := g.flush(g.c.out)
	g.c.out = g.c.out[:0]
	if err == nil {
		err = g.k.dropNote()
	}
	if err != nil {
		return err
	}
	if err := g.f.Sync(); err != nil {
		return l.dir.fail(fmt.Errorf("sync %s: %w", g.name(layout.Log+layout.Cleaned), err))
	}
	if len(g.aborted) > 0 {
		var b []byte
		for _, a := range g.aborted {
			b = index.AppendAborted(b, a)
		}
		name := layout.FileName(g.to.base, layout.Aborted+layout.Cleaned)
		if err := checkpoint.Write(l.dir.fs, l.path(), name, b, true); err != nil {
			return l.refuse(c, err)
		}
		g.to.aborted, g.to.hasAborted, g.to.savedTxns = g.aborted, true, len(g.aborted)
	}
	if err := l.dir.fs.SyncDir(l.path()); err != nil {
		return l.dir.fail(fmt.Errorf("sync directory %s: %w", l.path(), err))
	}
	g.to.allocated = g.to.size
	return nil
}

// drop takes back a group that is not to be: the log stays as it was.
func (g *group) drop() {
	if g.f == nil {
		return
	}
	_ = g.f.Close()
	g.f = nil
	l := g.k.l
	if l.isClosed() || l.dir.Err() != nil {
		return // the next start sweeps
	}
	for _, suffix := range []string{layout.Log, layout.Aborted} {
		_ = l.dir.fs.Remove(g.name(suffix + layout.Cleaned))
	}
}

// swap puts the new segment in the place of its sources. Writers wait for it;
// readers do not: they keep the files that they have.
func (g *group) swap() error {
	l := g.k.l
	l.w.Lock()
	defer l.w.Unlock()
	at, err := g.place()
	if err == nil {
		err = g.hold()
	}
	if err != nil {
		g.release()
		g.drop()
		return err
	}
	l.load.Lock()
	if err := g.swapFiles(); err != nil {
		l.load.Unlock()
		g.release()
		_ = g.f.Close()
		return l.dir.fail(err)
	}
	g.replace(at)
	l.load.Unlock()
	l.changed.Store(true)
	if err := l.finish(g.to); err != nil {
		return err
	}
	l.dropIndex(g.to)
	l.dir.markBackground(l)
	return nil
}

// place finds the sources in the log. Log.w is held.
func (g *group) place() (int, error) {
	l := g.k.l
	if err := l.alive(); err != nil {
		return 0, err
	}
	at := slices.Index(l.segs, g.sources[0])
	if at < 0 || l.cleaning.cuts.Load() != g.k.cuts || at+len(g.sources) >= len(l.segs) || !slices.Equal(l.segs[at:at+len(g.sources)], g.sources) {
		return 0, errOvertaken
	}
	return at, nil
}

// hold makes sure that whoever still reads a source finds it in memory: its
// names will lead to other files.
func (g *group) hold() error {
	l := g.k.l
	for _, s := range g.sources {
		if _, err := l.abortedOf(s); err != nil {
			return err
		}
		for held := false; !held; {
			if err := l.loadIndex(s); err != nil {
				return err
			}
			h, err := l.acquire(s)
			if err != nil {
				return l.readError(s, err)
			}
			l.mu.Lock()
			held = s.whole() && s.handle != nil
			s.held = held
			l.mu.Unlock()
			h.release()
		}
	}
	return nil
}

// release undoes hold.
func (g *group) release() {
	l := g.k.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range g.sources {
		s.held = false
	}
}

// swapFiles does the renames. An error leaves it to the next start to finish or
// to forget them.
func (g *group) swapFiles() error {
	l := g.k.l
	d, fsys := l.dir, l.dir.fs
	sync := func() error {
		if err := fsys.SyncDir(l.path()); err != nil {
			return fmt.Errorf("sync directory %s: %w", l.path(), err)
		}
		return nil
	}
	moves := []string{layout.Log}
	if len(g.aborted) > 0 {
		moves = []string{layout.Aborted, layout.Log}
	}
	for _, suffix := range moves {
		if err := fsys.Rename(g.name(suffix+layout.Cleaned), g.name(suffix+layout.Swap)); err != nil {
			return fmt.Errorf("swap %s: %w", g.name(suffix), err)
		}
	}
	if err := sync(); err != nil {
		return err
	}
	due := d.o.Now().Add(l.cfg.Load().FileDeleteDelay)
	for _, s := range g.sources[1:] {
		if err := d.trashFiles(s.path, due); err != nil {
			return err
		}
	}
	for _, suffix := range []string{layout.Index, layout.Times, layout.Aborted} {
		if err := fsys.Remove(g.name(suffix)); err != nil && !missing(err) {
			return fmt.Errorf("swap %s: %w", g.name(suffix), err)
		}
	}
	if len(g.aborted) > 0 {
		if err := fsys.Rename(g.name(layout.Aborted+layout.Swap), g.name(layout.Aborted)); err != nil {
			return fmt.Errorf("swap %s: %w", g.name(layout.Aborted), err)
		}
	}
	if err := sync(); err != nil {
		return err
	}
	if err := fsys.Rename(g.name(layout.Log+layout.Swap), g.name(layout.Log)); err != nil {
		return fmt.Errorf("swap %s: %w", g.name(layout.Log), err)
	}
	return sync()
}

// replace makes the new segment the log's.
func (g *group) replace(at int) {
	l := g.k.l
	h := &handle{f: g.f}
	h.refs.Store(1)
	l.mu.Lock()
	g.to.handle = h
	l.segs = slices.Concat(l.segs[:at], []*segment{g.to}, l.segs[at+len(g.sources):])
	l.aborting = nil
	for _, s := range l.segs {
		if s.hasAborted {
			l.aborting = append(l.aborting, s)
		}
	}
	var old []*handle
	for _, s := range g.sources {
		s.replaced = true
		old = append(old, s.handle)
		s.handle = nil
	}
	l.cleaning.swaps.Add(1)
	l.mu.Unlock()
	for _, h := range old {
		h.release()
	}
	if out, full := l.dir.cache.add(cached{l, g.to, h}); full {
		out.drop()
	}
}
