package inspect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// segments lists the base offsets of a partition directory's segments, rising,
// and which other files lie beside each.
func segments(fsys vfs.FS, dir string) (bases []int64, beside map[int64][]string, err error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", dir, err)
	}
	beside = map[int64][]string{}
	for _, e := range entries {
		base, suffix, ok := layout.ParseFileName(e.Name())
		switch {
		case !ok:
		case suffix == layout.Log:
			bases = append(bases, base)
		default:
			beside[base] = append(beside[base], suffix)
		}
	}
	slices.Sort(bases)
	return bases, beside, nil
}

// place is a batch in a file.
type place struct {
	record.Header
	at    int64
	bytes []byte // borrowed until the next batch
}

// eachBatch walks a file. What begins no batch comes back as a *walk.Bad,
// which is not an error of the disk.
func eachBatch(fsys vfs.FS, name string, fn func(*place) error) (*walk.Bad, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("size of %s: %w", name, err)
	}
	r := walk.Get(f, 0, size)
	defer r.Put()
	var p place
	for {
		err := r.Header(&p.Header)
		var bad *walk.Bad
		switch {
		case err == io.EOF:
			return nil, nil
		case errors.As(err, &bad):
			return bad, nil
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		p.at = r.Pos()
		if p.bytes, err = r.Batch(&p.Header); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := fn(&p); err != nil {
			return nil, err
		}
		r.Skip(&p.Header)
	}
}
