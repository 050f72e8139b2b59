package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// Problem is one thing that is wrong in a log directory.
type Problem struct {
	File string
	Byte int64 // -1 where it is no matter of one place
	// Offset of the record that it begins at, -1 where not known.
	Offset int64
	Reason string
	// Tail tells that it is what a crash leaves at the end of a log: the next
	// start cuts it, and nothing that was promised is lost.
	Tail bool
}

// Report is what Verify looked at.
type Report struct {
	Partitions, Segments, Batches, Records, Bytes int64
	Files                                         int64 // small files that were read
	Problems, Tails                               int64
}

// Verify checks a data directory, or one partition directory, of a node that is
// stopped: every checksum and every record, offsets that follow each other or
// are rightly left out, indexes that agree with their segment, snapshots and
// checkpoints that can be read. Each Problem goes to emit; an error is what
// the disk or emit said.
func Verify(fsys vfs.FS, dir string, emit func(Problem) error) (Report, error) {
	v := &verifier{fs: fsys, emit: emit}
	dir = strings.TrimRight(dir, "/")
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return v.report, fmt.Errorf("list %s: %w", dir, err)
	}
	topic, partition, one := layout.ParseDirName(path.Base(dir))
	if one && holdsSegments(entries) {
		if err := v.readDirectory(path.Dir(dir)); err != nil {
			return v.report, err
		}
		return v.report, v.partition(dir, topic, partition)
	}
	if err := v.readDirectory(dir); err != nil {
		return v.report, err
	}
	for _, e := range entries {
		name := dir + "/" + e.Name()
		topic, partition, isLog := layout.ParseDirName(e.Name())
		switch {
		case e.IsDir() && isLog:
			err = v.partition(name, topic, partition)
		case e.Type().IsRegular() && kindOf(name) != "":
			err = v.small(name)
		}
		if err != nil {
			return v.report, err
		}
	}
	return v.report, nil
}

func holdsSegments(entries []fs.DirEntry) bool {
	for _, e := range entries {
		if _, suffix, ok := layout.ParseFileName(e.Name()); ok && suffix == layout.Log {
			return true
		}
	}
	return false
}

type verifier struct {
	fs     vfs.FS
	emit   func(Problem) error
	report Report
	// logs is what Ottla's checkpoint knows of each partition directory, by
	// its name; empty for a directory of Kafka.
	logs  map[string]*checkpoint.Log
	clean bool // the directory was closed cleanly
}

// readDirectory takes in what the data directory says of all logs.
func (v *verifier) readDirectory(dir string) error {
	v.logs = map[string]*checkpoint.Log{}
	if _, err := v.fs.Stat(dir + "/" + checkpoint.CleanShutdown); err == nil {
		v.clean = true
	}
	b, err := checkpoint.Read(v.fs, dir+"/"+checkpoint.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s/%s: %w", dir, checkpoint.Name, err)
	}
	f, err := checkpoint.Parse(b)
	if err != nil {
		return nil // told when its turn comes
	}
	for _, e := range f.Logs {
		if l, err := checkpoint.ParseLog(e.Body); err == nil {
			v.logs[layout.DirName(e.Topic, e.Partition)] = l
		}
	}
	return nil
}

func (v *verifier) problem(p Problem) error {
	if p.Tail {
		v.report.Tails++
	} else {
		v.report.Problems++
	}
	return v.emit(p)
}

func (v *verifier) wrong(file string, at, offset int64, format string, args ...any) error {
	return v.problem(Problem{File: file, Byte: at, Offset: offset, Reason: fmt.Sprintf(format, args...)})
}

// small checks that a file that is read whole can be read.
func (v *verifier) small(name string) error {
	v.report.Files++
	d := &dumper{fs: v.fs, emit: func(l *Line) error {
		if l.Kind != Bad {
			return nil
		}
		return v.wrong(name, l.Byte, -1, "%v", l.Fields[0].Value)
	}}
	return d.file(name)
}
