package log

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"ottla/internal/log/walk"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// cleanLeftovers deals with unfinished work in a partition directory as Kafka
// does: what was being deleted or cleaned goes, a finished swap of cleaned
// segments is completed, half-written temporary files go. It tells whether it
// changed anything.
func (l *Log) cleanLeftovers(entries []fs.DirEntry) (bool, error) {
	var remove []string
	var swaps []int64
	cleanedFrom := int64(math.MaxInt64)
	for _, e := range entries {
		name := e.Name()
		base, suffix, segment := parseFileName(name)
		switch {
		case strings.HasSuffix(name, suffixTmp), strings.HasSuffix(name, suffixDeleted):
			remove = append(remove, name)
		case strings.HasSuffix(name, suffixCleaned):
			remove = append(remove, name)
			if segment {
				cleanedFrom = min(cleanedFrom, base)
			}
		case suffix == suffixLog+suffixSwap:
			swaps = append(swaps, base)
		case strings.HasSuffix(name, suffixSwap):
			// Indexes can be made again; a swapped transaction index is
			// renamed with its segment.
			if suffix != suffixAborted+suffixSwap {
				remove = append(remove, name)
			}
		}
	}
	if len(remove)+len(swaps) == 0 {
		return false, nil
	}
	for _, name := range remove {
		if err := l.dir.fs.Remove(l.path() + "/" + name); err != nil && !missing(err) {
			return true, l.dir.fail(fmt.Errorf("remove leftover %s/%s: %w", l.path(), name, err))
		}
	}
	slices.Sort(swaps)
	for _, base := range swaps {
		if err := l.finishSwap(base, base < cleanedFrom, entries); err != nil {
			return true, l.dir.fail(err)
		}
	}
	if err := l.dir.fs.SyncDir(l.path()); err != nil {
		return true, l.dir.fail(fmt.Errorf("sync directory %s: %w", l.path(), err))
	}
	return true, nil
}

// finishSwap puts a cleaned segment in the place of those it was made from. A
// swap that was being split further when the crash came (cleaned files at or
// below it) is void: its sources are all still there.
func (l *Log) finishSwap(base int64, valid bool, entries []fs.DirEntry) error {
	swap := l.path() + "/" + fileName(base, suffixLog)
	txn := l.path() + "/" + fileName(base, suffixAborted)
	if !valid {
		_ = l.dir.fs.Remove(txn + suffixSwap)
		return l.dir.fs.Remove(swap + suffixSwap)
	}
	end, err := l.endOf(swap + suffixSwap)
	if err != nil {
		return err
	}
	for _, e := range entries {
		b, suffix, ok := parseFileName(e.Name())
		if !ok || b < base || b >= max(end, base+1) {
			continue
		}
		if suffix == suffixLog || suffix == suffixIndex || suffix == suffixTimes || suffix == suffixAborted {
			if err := l.dir.fs.Remove(l.path() + "/" + e.Name()); err != nil && !missing(err) {
				return err
			}
		}
	}
	if err := l.dir.fs.Rename(txn+suffixSwap, txn); err != nil && !missing(err) {
		return err
	}
	return l.dir.fs.Rename(swap+suffixSwap, swap)
}

// endOf walks a segment file for the offset after its last batch.
func (l *Log) endOf(name string) (int64, error) {
	f, err := l.dir.open(name, os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	r := walk.Get(f, 0, size)
	defer r.Put()
	var h record.Header
	end := int64(0)
	for r.Header(&h) == nil {
		end = h.NextOffset()
		r.Skip(&h)
	}
	return end, nil
}

// freeName finds a name that is not taken, by counting up.
func freeName(fsys vfs.FS, name string) string {
	for i := 0; ; i++ {
		try := name
		if i > 0 {
			try = fmt.Sprintf("%s.%d", name, i)
		}
		if _, err := fsys.Stat(try); missing(err) || i > 1000 {
			return try
		}
	}
}
