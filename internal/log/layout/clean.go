package layout

import (
	"errors"
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

// Clean deals with unfinished work in a partition directory as Kafka
// does: what was being deleted or cleaned goes, a finished swap of cleaned
// segments is completed, half-written temporary files go. It tells whether it
// changed anything.
func Clean(fsys vfs.FS, dir string, entries []fs.DirEntry) (bool, error) {
	var remove []string
	var swaps, txns []int64
	cleanedFrom := int64(math.MaxInt64)
	for _, e := range entries {
		name := e.Name()
		base, suffix, segment := ParseFileName(name)
		switch {
		case strings.HasSuffix(name, Tmp), strings.HasSuffix(name, Deleted):
			remove = append(remove, name)
		case strings.HasSuffix(name, Cleaned):
			remove = append(remove, name)
			if segment {
				cleanedFrom = min(cleanedFrom, base)
			}
		case suffix == Log+Swap:
			swaps = append(swaps, base)
		case suffix == Aborted+Swap:
			txns = append(txns, base)
		case strings.HasSuffix(name, Swap):
			remove = append(remove, name) // indexes can be made again
		}
	}
	if len(remove)+len(swaps)+len(txns) == 0 {
		return false, nil
	}
	for _, name := range remove {
		if err := fsys.Remove(dir + "/" + name); err != nil && !missing(err) {
			return true, fmt.Errorf("remove leftover %s/%s: %w", dir, name, err)
		}
	}
	if err := finishSwaps(fsys, dir, swaps, txns, cleanedFrom, entries); err != nil {
		return true, err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return true, fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return true, nil
}

// finishSwaps puts cleaned segments in the place of those they were made from. A
// swap at or above a cleaned file is void: it was being made, or split further,
// when the crash came, and its sources are all still there.
//
// The sources' end is synced before the first rename: a cleaned segment beside
// a source would be two batches for one offset.
func finishSwaps(fsys vfs.FS, dir string, swaps, txns []int64, cleanedFrom int64, entries []fs.DirEntry) error {
	slices.Sort(swaps)
	valid := swaps[:0:0]
	for _, base := range swaps {
		if base >= cleanedFrom {
			if err := fsys.Remove(dir + "/" + FileName(base, Log+Swap)); err != nil && !missing(err) {
				return err
			}
			continue
		}
		valid = append(valid, base)
		if err := removeSources(fsys, dir, base, entries); err != nil {
			return err
		}
	}
	for _, base := range txns {
		var err error
		name := dir + "/" + FileName(base, Aborted)
		if base >= cleanedFrom {
			err = fsys.Remove(name + Swap)
		} else {
			err = fsys.Rename(name+Swap, name)
		}
		if err != nil && !missing(err) {
			return err
		}
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	for _, base := range valid {
		name := dir + "/" + FileName(base, Log)
		if err := fsys.Rename(name+Swap, name); err != nil {
			return err
		}
	}
	return nil
}

// removeSources takes away what a cleaned segment was made from: the segments
// that begin in its offsets, but for the log file in whose place it comes.
func removeSources(fsys vfs.FS, dir string, base int64, entries []fs.DirEntry) error {
	end, err := endOf(fsys, dir+"/"+FileName(base, Log+Swap))
	if err != nil {
		return err
	}
	for _, e := range entries {
		b, suffix, ok := ParseFileName(e.Name())
		if !ok || b < base || b >= max(end, base+1) {
			continue
		}
		gone := suffix == Index || suffix == Times || suffix == Aborted
		if b > base {
			gone = gone || suffix == Log || suffix == Snapshot
		}
		if gone {
			if err := fsys.Remove(dir + "/" + e.Name()); err != nil && !missing(err) {
				return err
			}
		}
	}
	return nil
}

// endOf walks a segment file for the offset after its last batch.
func endOf(fsys vfs.FS, name string) (int64, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
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

// FreeName finds a name that is not taken, by counting up.
func FreeName(fsys vfs.FS, name string) string {
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

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
