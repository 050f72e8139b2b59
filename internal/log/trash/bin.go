package trash

import (
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ottla/internal/vfs"
)

// Item is something deleted that still takes room.
type Item struct {
	Path string
	Tree bool // a directory with all that is in it
	Due  time.Time
	// After is the checkpoint that must be on disk first: until then what is
	// left tells that a log was deleted and not lost.
	After uint64
}

// Bin holds what waits to be removed. The zero Bin is empty.
type Bin struct {
	mu    sync.Mutex
	items []Item
}

// again is how long after a failure a removal is tried again.
const again = time.Minute

// Add notes something to be removed later.
func (b *Bin) Add(i Item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, i)
}

// Forget drops what lies below a path: it goes with the directory that it is in.
func (b *Bin) Forget(prefix string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = slices.DeleteFunc(b.items, func(i Item) bool { return strings.HasPrefix(i.Path, prefix) })
}

// Holds tells whether a path waits to be removed.
func (b *Bin) Holds(path string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.items, func(i Item) bool { return i.Path == path })
}

// KeepUntil keeps all there is until a checkpoint is written.
func (b *Bin) KeepUntil(checkpoint uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.items {
		b.items[i].After = checkpoint
	}
}

// take gives out what may go now.
func (b *Bin) take(now time.Time, written uint64) (due []Item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = slices.DeleteFunc(b.items, func(i Item) bool {
		ready := !now.Before(i.Due) && written >= i.After
		if ready {
			due = append(due, i)
		}
		return ready
	})
	return due
}

// Empty removes what is due, written being the newest checkpoint on disk. What
// can not be removed is tried again.
func (b *Bin) Empty(fsys vfs.FS, now time.Time, written uint64, log *slog.Logger) {
	for _, i := range b.take(now, written) {
		remove := fsys.Remove
		if i.Tree {
			remove = fsys.RemoveAll
		}
		if err := remove(i.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Warn("what was deleted can not be removed yet", "path", i.Path, "err", err)
			i.Due = now.Add(again)
			b.Add(i)
		}
	}
}
