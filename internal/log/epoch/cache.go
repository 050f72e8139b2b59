package epoch

import (
	"slices"
	"sort"
	"sync"
)

// Entry is one line of leader-epoch-checkpoint.
type Entry struct {
	Epoch int32
	Start int64
}

// Cache maps leader epochs to the offset where each began. The zero value is
// empty and ready.
type Cache struct {
	mu      sync.RWMutex
	entries []Entry // rising in Epoch and Start
	version uint64  // counts changes
}

// Assign notes that epoch begins at start. Entries that contradict it (an
// equal or later epoch, an equal or later start) give way, as in Kafka; an
// epoch already known at or before start changes nothing.
func (c *Cache) Assign(epoch int32, start int64) {
	if epoch < 0 || start < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.entries); n > 0 && c.entries[n-1].Epoch == epoch && c.entries[n-1].Start <= start {
		return
	}
	i := len(c.entries)
	for i > 0 && (c.entries[i-1].Epoch >= epoch || c.entries[i-1].Start >= start) {
		i--
	}
	c.entries = append(c.entries[:i:i], Entry{epoch, start})
	c.version++
}

// Latest is the newest epoch.
func (c *Cache) Latest() (Entry, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if len(c.entries) == 0 {
		return Entry{}, false
	}
	return c.entries[len(c.entries)-1], true
}

// All is a copy of every entry, oldest first.
func (c *Cache) All() []Entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.entries)
}

// Version changes with every change of the entries.
func (c *Cache) Version() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.version
}

// EpochOf tells the epoch of the batch at offset.
func (c *Cache) EpochOf(offset int64) (int32, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Start > offset })
	if i == 0 {
		return 0, false
	}
	return c.entries[i-1].Epoch, true
}

// EndOf answers OffsetForLeaderEpoch: the largest epoch not above the asked
// one, and the offset where it ended; (-1, -1) when the asked epoch is newer
// than all known. An epoch older than all known ends, under its own number,
// where the first known one begins (KIP-279).
func (c *Cache) EndOf(epoch int32, logEnd int64) (int32, int64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := len(c.entries)
	if epoch == -1 || n == 0 || epoch > c.entries[n-1].Epoch {
		return -1, -1
	}
	if epoch == c.entries[n-1].Epoch {
		return epoch, logEnd
	}
	i := sort.Search(n, func(i int) bool { return c.entries[i].Epoch > epoch })
	if i == 0 {
		return epoch, c.entries[0].Start
	}
	return c.entries[i-1].Epoch, c.entries[i].Start
}

// TruncateEnd forgets epochs that begin at or above offset.
func (c *Cache) TruncateEnd(offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Start >= offset })
	if i < len(c.entries) {
		c.entries = c.entries[:i:i]
		c.version++
	}
}

// TruncateStart forgets epochs that ended at or below offset; the one that
// covers offset begins there from now on.
func (c *Cache) TruncateStart(offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Start > offset })
	if i == 0 || i == 1 && c.entries[0].Start == offset {
		return
	}
	kept := slices.Clone(c.entries[i-1:])
	kept[0].Start = offset
	c.entries, c.version = kept, c.version+1
}

// Replace takes over entries that come from a checkpoint. It tells whether
// they were in order; if not, the cache is left empty.
func (c *Cache) Replace(entries []Entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	c.entries = nil
	for i, e := range entries {
		if e.Epoch < 0 || e.Start < 0 || i > 0 && (e.Epoch <= entries[i-1].Epoch || e.Start <= entries[i-1].Start) {
			return false
		}
	}
	c.entries = slices.Clone(entries)
	return true
}
