package log

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// Move takes a log into another directory (KIP-113) while it is written and
// read. Its segments are copied byte by byte into TOPIC-N.<id>-future over
// there; at the end the writer stands still for a moment:
//
//  1. the log is synced, what is left is copied, the copy is synced whole;
//  2. the checkpoint over there learns what the log's own would say;
//  3. -future gets the log's name, durably: from here on the copy is the log;
//  4. the old directory is deleted, as a deleted topic's is.
//
// A power cut between 3 and 4 leaves two directories of one name. Which one is
// the log tells partition.moves in it: how often it has moved. The owner looks
// at a start (Dir.Moves) and drops the other.
//
// Meanwhile compaction leaves the log alone, retention does not. A Move belongs
// to one goroutine.
type Move struct {
	from *Log
	to   *Dir
	name string // of the directory over there, until the end

	copied map[int64]int64 // bytes copied, by segment
	beside map[int64]bool  // segments whose derived files are copied
	cuts   uint64          // truncations of the log that the copy knows of
	buf    []byte
	out    vfs.File // the segment that is being copied
	base   int64    // its base offset
	ended  bool
}

// moveChunk is how much is copied at once.
const moveChunk = 1 << 20

// source is a segment as the log has it at the moment.
type source struct {
	s    *segment
	size int64
	last bool // the active one
}

// ErrMoving: the log is being moved, or lies in the directory already.
var ErrMoving = errors.New("the log is being moved already, or is there")

// BeginMove begins to move l into another directory, or takes up what an
// earlier process left there: closed segments that are whole are not copied
// again, but for a log that compaction may have changed since.
func (l *Log) BeginMove(to *Dir) (*Move, error) {
	if err := errors.Join(l.alive(), to.Err()); err != nil {
		return nil, err
	}
	if to == l.dir || !l.cleaning.moving.CompareAndSwap(false, true) {
		return nil, ErrMoving
	}
	l.cleaning.halt()() // none comes after it
	l.cleaning.stopping.Store(false)
	m := &Move{
		from: l, to: to, name: layout.FutureName(l.id.Topic, l.id.Partition, l.id.ID),
		copied: map[int64]int64{}, beside: map[int64]bool{}, cuts: l.cuts.Load(),
	}
	if err := m.prepare(); err != nil {
		l.cleaning.moving.Store(false)
		return nil, err
	}
	return m, nil
}

// prepare makes the directory over there, or finds what is in it.
func (m *Move) prepare() error {
	left, err := m.to.fs.ReadDir(m.path())
	if err != nil && !missing(err) {
		return m.failed(fmt.Errorf("list %s: %w", m.path(), err))
	}
	if !m.takeUp(left) {
		if err := m.to.fs.RemoveAll(m.path()); err != nil {
			return m.failed(fmt.Errorf("clear %s: %w", m.path(), err))
		}
	}
	if err := m.to.fs.MkdirAll(m.path(), 0o755); err != nil {
		return m.failed(fmt.Errorf("make %s: %w", m.path(), err))
	}
	err = checkpoint.Write(m.to.fs, m.path(), checkpoint.PartitionMeta, checkpoint.AppendMetadata(nil, m.from.id.ID), true)
	if err == nil {
		err = m.to.writeMoves(m.name, m.from.dir.moves(m.from.name)+1)
	}
	if err == nil {
		err = m.syncDirs()
	}
	return m.failed(err)
}

// takeUp finds closed segments that an earlier process copied whole. The last
// one over there may be torn and is copied again; so is everything where the
// log may have been compacted since, and what is no segment.
func (m *Move) takeUp(left []fs.DirEntry) bool {
	if m.from.sparse.Load() {
		return false
	}
	sizes := map[int64]int64{}
	for _, src := range m.sources() {
		if !src.last {
			sizes[src.s.base] = src.size
		}
	}
	var bases []int64
	for _, e := range left {
		base, suffix, ok := layout.ParseFileName(e.Name())
		if ok && suffix == layout.Log {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	for i, base := range bases {
		info, err := m.to.fs.Stat(m.file(base, layout.Log))
		if size, known := sizes[base]; i+1 < len(bases) && err == nil && known && info.Size() == size {
			m.copied[base] = size
			continue
		}
		if err := m.to.fs.Remove(m.file(base, layout.Log)); err != nil {
			return false
		}
	}
	return true
}

// Source is the log that is being moved, To the directory it goes to.
func (m *Move) Source() *Log { return m.from }

// To is the directory that the log goes to.
func (m *Move) To() *Dir { return m.to }

// Copied tells how many bytes of the log are over there.
func (m *Move) Copied() (n int64) {
	for _, b := range m.copied {
		n += b
	}
	return n
}

// Behind tells how many bytes are still to be copied.
func (m *Move) Behind() (n int64) {
	for _, src := range m.sources() {
		n += max(src.size-m.copied[src.s.base], 0)
	}
	return n
}

// Advance copies the next bytes, a mebibyte at most, and tells how many; 0 when
// the copy has all that the log has at the moment. After an error the move is
// over: Drop it.
func (m *Move) Advance() (int64, error) {
	if err := m.alive(); err != nil {
		return 0, err
	}
	n, err := m.copyNext()
	if err != nil {
		if gone := m.alive(); gone != nil {
			return 0, gone // the log was deleted meanwhile
		}
		return 0, m.failed(err)
	}
	return n, nil
}

// alive tells why the move cannot go on.
func (m *Move) alive() error {
	if m.ended {
		return ErrClosed
	}
	if err := m.from.alive(); err != nil {
		return err
	}
	return m.to.Err()
}

// copyNext finds the first segment that is not copied whole.
func (m *Move) copyNext() (int64, error) {
	if cuts := m.from.cuts.Load(); cuts != m.cuts { // what was copied may be gone
		m.cuts = cuts
		if err := m.forgetCut(); err != nil {
			return 0, err
		}
	}
	for _, src := range m.sources() {
		have, known := m.copied[src.s.base]
		if known && have >= src.size {
			if !src.last {
				if err := m.finishSegment(src.s); err != nil {
					return 0, err
				}
			}
			continue
		}
		n, err := m.copyBytes(src.s, have, min(src.size, have+moveChunk))
		if missing(err) && m.from.gone(src.s) {
			continue // retention took it
		}
		return n, err
	}
	return 0, nil
}

// copyBytes copies bytes of a segment into its copy.
func (m *Move) copyBytes(s *segment, from, to int64) (int64, error) {
	h, err := m.from.acquire(s)
	if err != nil {
		return 0, err
	}
	defer h.release()
	if err := m.open(s.base); err != nil {
		return 0, err
	}
	if m.buf == nil {
		m.buf = make([]byte, moveChunk)
	}
	b := m.buf[:to-from]
	if n, err := h.f.ReadAt(b, from); err != nil && !(errors.Is(err, io.EOF) && n == len(b)) {
		return 0, fmt.Errorf("read %s: %w", s.file(layout.Log), err)
	}
	if _, err := m.out.WriteAt(b, from); err != nil {
		return 0, fmt.Errorf("write %s: %w", m.file(s.base, layout.Log), err)
	}
	m.copied[s.base] = to
	return to - from, nil
}

// open makes the copy of a segment the file that is written.
func (m *Move) open(base int64) error {
	if m.out != nil && m.base == base {
		return nil
	}
	if err := m.closeFile(); err != nil {
		return err
	}
	f, err := m.to.open(m.file(base, layout.Log), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	m.out, m.base = f, base
	return nil
}

// closeFile syncs the file that is written: before the next is made, so that
// all but the last of what a crash leaves is whole.
func (m *Move) closeFile() error {
	if m.out == nil {
		return nil
	}
	f := m.out
	m.out = nil
	err := f.Sync()
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", m.file(m.base, layout.Log), err)
	}
	return m.to.fs.SyncDir(m.path())
}

// finishSegment copies what lies beside a closed segment.
func (m *Move) finishSegment(s *segment) error {
	if m.beside[s.base] {
		return nil
	}
	if m.out != nil && m.base == s.base {
		if err := m.closeFile(); err != nil {
			return err
		}
	}
	m.from.mu.Lock()
	waits := s.unfinished // its indexes are not written yet
	m.from.mu.Unlock()
	if waits {
		return nil
	}
	for _, suffix := range []string{layout.Index, layout.Times, layout.Snapshot, layout.Gap} {
		if err := m.copySmall(layout.FileName(s.base, suffix)); err != nil {
			return err
		}
	}
	m.beside[s.base] = true
	return nil
}

// copySmall copies a file of the partition's directory that is small, or is
// not there.
func (m *Move) copySmall(name string) error {
	b, err := wholeFile(m.from.dir.fs, m.from.path()+"/"+name)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return checkpoint.Write(m.to.fs, m.path(), name, b, true)
}

func wholeFile(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("size of %s: %w", name, err)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); err != nil && !(errors.Is(err, io.EOF) && n == len(b)) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// sources lists the log's segments.
func (m *Move) sources() []source {
	l := m.from
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]source, len(l.segs))
	for i, s := range l.segs {
		out[i] = source{s: s, size: s.size, last: i+1 == len(l.segs)}
	}
	return out
}

// forgetCut drops what was copied of bytes that a truncation took: rare enough
// to begin anew.
func (m *Move) forgetCut() error {
	if err := m.closeFile(); err != nil {
		return err
	}
	for base := range m.copied {
		if err := m.to.fs.Remove(m.file(base, layout.Log)); err != nil && !missing(err) {
			return err
		}
	}
	clear(m.copied)
	clear(m.beside)
	return nil
}

// Leave ends a move for now: what was copied stays for a later BeginMove.
func (m *Move) Leave() {
	if !m.ended {
		m.end()
	}
}

// Drop ends a move that is not to be finished, and removes the copy. The log
// stays where it is. Dropping what has ended does nothing.
func (m *Move) Drop() error {
	if m.ended {
		return nil
	}
	m.end()
	if m.to.Err() != nil {
		return nil // what is there is found when the directory works again
	}
	return m.to.dropFuture(m.name)
}

// end lets go of everything, but for the files over there.
func (m *Move) end() {
	m.ended = true
	if m.out != nil {
		_ = m.out.Close() // nothing of it counts yet
		m.out = nil
	}
	m.from.cleaning.moving.Store(false)
}

func (m *Move) path() string { return m.to.path + "/" + m.name }

func (m *Move) file(base int64, suffix string) string {
	return m.path() + "/" + layout.FileName(base, suffix)
}

// syncDirs makes the names of the copy durable.
func (m *Move) syncDirs() error {
	for _, dir := range []string{m.path(), m.to.path} {
		if err := m.to.fs.SyncDir(dir); err != nil {
			return fmt.Errorf("sync directory %s: %w", dir, err)
		}
	}
	return nil
}

// failed sorts an error of the copying: the disk over there may be full, which
// passes; any other failure of its own is its end. What the log's own disk
// cannot read ends the move alone.
func (m *Move) failed(err error) error {
	if err == nil {
		return nil
	}
	if soft(err) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return fmt.Errorf("move %s from %s to %s: %w", m.from.name, m.from.dir.path, m.to.path, err)
}
