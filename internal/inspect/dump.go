package inspect

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// Options say what Dump shows.
type Options struct {
	// Records shows the records of batches, not only the batches.
	Records bool
	// Decode shows what the records of internal topics mean: metadata, groups.
	Decode bool
}

// ErrStop ends a Dump early without a failure; an emit function returns it.
var ErrStop = errors.New("stop")

// ErrUnknownFile: the name is none that a log directory has.
var ErrUnknownFile = errors.New("not a file of a log directory")

// Dump shows a file, or all known files of a directory and the directories in
// it, to emit, line by line. Damage inside a file is a line of kind bad and
// ends that file; an error is what the disk or emit said. bad counts such
// lines.
func Dump(fsys vfs.FS, name string, o Options, emit func(*Line) error) (bad int, err error) {
	d := &dumper{fs: fsys, o: o, emit: emit}
	info, err := fsys.Stat(name)
	if err != nil {
		return 0, fmt.Errorf("look at %s: %w", name, err)
	}
	if info.IsDir() {
		err = d.dir(strings.TrimRight(name, "/"), 0)
	} else if !d.known(name) {
		return 0, fmt.Errorf("%s: %w", name, ErrUnknownFile)
	} else {
		err = d.file(name)
	}
	if errors.Is(err, ErrStop) {
		err = nil
	}
	return d.bad, err
}

// maxDepth of directories: a data directory holds partition directories.
const maxDepth = 2

type dumper struct {
	fs   vfs.FS
	o    Options
	emit func(*Line) error
	bad  int
}

func (d *dumper) dir(name string, depth int) error {
	entries, err := d.fs.ReadDir(name)
	if err != nil {
		return fmt.Errorf("list %s: %w", name, err)
	}
	for _, e := range entries {
		full := name + "/" + e.Name()
		switch {
		case e.IsDir() && depth < maxDepth:
			err = d.dir(full, depth+1)
		case e.Type().IsRegular() && d.known(full):
			err = d.file(full)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kindOf sorts a file by its name; "" for one that is not known.
func kindOf(name string) string {
	base := path.Base(name)
	if base == "" || strings.HasSuffix(base, layout.Tmp) {
		return ""
	}
	if _, suffix, ok := layout.ParseFileName(base); ok {
		for _, s := range []string{layout.Deleted, layout.Cleaned, layout.Swap} {
			suffix = strings.TrimSuffix(suffix, s)
		}
		switch suffix {
		case layout.Log, layout.Index, layout.Times, layout.Aborted, layout.Snapshot, layout.Gap:
			return suffix
		}
		return ""
	}
	switch {
	case base == checkpoint.Name, base == checkpoint.LeaderEpochs, base == checkpoint.PartitionMeta:
		return base
	case strings.HasSuffix(base, "-offset-checkpoint"):
		return checkpoint.RecoveryPoints
	case strings.HasSuffix(base, ".checkpoint"): // snapshots of the metadata log, bootstrap.checkpoint
		return layout.Log
	}
	return ""
}

func (d *dumper) known(name string) bool { return kindOf(name) != "" }

func (d *dumper) file(name string) error {
	kind := kindOf(name)
	if kind == layout.Log {
		return d.batches(name)
	}
	size, err := d.fs.Stat(name)
	if err != nil {
		return fmt.Errorf("look at %s: %w", name, err)
	}
	if size.Size() > maxSmallFile {
		return d.damage(name, 0, fmt.Errorf("the file has %d bytes, more than any file of its kind", size.Size()))
	}
	b, err := checkpoint.Read(d.fs, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return d.small(name, kind, b)
}

// maxSmallFile bounds what is read whole: a checkpoint of 100,000 partitions
// has tens of megabytes.
const maxSmallFile = 1 << 30

func (d *dumper) line(file, kind string, at int64, fields ...Field) error {
	return d.emit(&Line{File: file, Kind: kind, Byte: at, Fields: fields})
}

// damage tells why reading a file ended; it is no failure of the dump.
func (d *dumper) damage(file string, at int64, err error) error {
	d.bad++
	return d.line(file, Bad, at, Field{"reason", err.Error()})
}
