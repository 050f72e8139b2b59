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
	var swaps []int64
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
		case strings.HasSuffix(name, Swap):
			// Indexes can be made again; a swapped transaction index is
			// renamed with its segment.
			if suffix != Aborted+Swap {
				remove = append(remove, name)
			}
		}
	}
	if len(remove)+len(swaps) == 0 {
		return false, nil
	}
	for _, name := range remove {
		if err := fsys.Remove(dir + "/" + name); err != nil && !missing(err) {
			return true, fmt.Errorf("remove leftover %s/%s: %w", dir, name, err)
		}
	}
	slices.Sort(swaps)
	for _, base := range swaps {
		if err := finishSwap(fsys, dir, base, base < cleanedFrom, entries); err != nil {
			return true, err
		}
	}
	if err := fsys.SyncDir(dir); err != nil {
		return true, fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return true, nil
}

// finishSwap puts a cleaned segment in the place of those it was made from. A
// swap that was being split further when the crash came (cleaned files at or
// below it) is void: its sources are all still there.
func finishSwap(fsys vfs.FS, dir string, base int64, valid bool, entries []fs.DirEntry) error {
	swap := dir + "/" + FileName(base, Log)
	txn := dir + "/" + FileName(base, Aborted)
	if !valid {
		_ = fsys.Remove(txn + Swap)
		return fsys.Remove(swap + Swap)
	}
	end, err := endOf(fsys, swap+Swap)
	if err != nil {
		return err
	}
	for _, e := range entries {
		b, suffix, ok := ParseFileName(e.Name())
		if !ok || b < base || b >= max(end, base+1) {
			continue
		}
		if suffix == Log || suffix == Index || suffix == Times || suffix == Aborted {
			if err := fsys.Remove(dir + "/" + e.Name()); err != nil && !missing(err) {
				return err
			}
		}
	}
	if err := fsys.Rename(txn+Swap, txn); err != nil && !missing(err) {
		return err
	}
	return fsys.Rename(swap+Swap, swap)
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
