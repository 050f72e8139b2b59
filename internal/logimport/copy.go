package logimport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// linker gives a file another name; package vfs has it for the real disk.
type linker interface {
	Link(oldname, newname string) error
}

// copyPartition brings a partition's directory over and syncs it.
func (r *run) copyPartition(p *planned) error {
	if p.from == nil {
		return nil
	}
	from, to := p.from.path+"/"+p.name, r.o.Data+"/"+p.name
	entries, err := r.o.FS.ReadDir(from)
	if err != nil {
		return fmt.Errorf("list %s: %w", from, err)
	}
	if err := r.o.FS.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", to, err)
	}
	var bases []int64
	for _, e := range entries {
		if base, suffix, ok := layout.ParseFileName(e.Name()); ok && suffix == layout.Log {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	for _, e := range entries {
		if !e.Type().IsRegular() || !wanted(e.Name(), bases) {
			continue
		}
		if r.o.Link && r.settled(e.Name(), bases) {
			if err := r.link(from+"/"+e.Name(), to+"/"+e.Name()); err != nil {
				return err
			}
			continue
		}
		if err := r.copyFile(from+"/"+e.Name(), to+"/"+e.Name()); err != nil {
			return err
		}
	}
	if err := r.o.FS.SyncDir(to); err != nil {
		return fmt.Errorf("sync %s: %w", to, err)
	}
	return nil
}

// wanted leaves out what Kafka was deleting, and the indexes of the active
// segment, which are allocated ahead and are made again in a moment.
func wanted(name string, bases []int64) bool {
	if strings.HasSuffix(name, layout.Deleted) || strings.HasSuffix(name, layout.Tmp) {
		return false
	}
	base, suffix, ok := layout.ParseFileName(name)
	index := suffix == layout.Index || suffix == layout.Times
	return !ok || !index || len(bases) == 0 || base != bases[len(bases)-1]
}

// settled tells whether a file is a segment that nothing writes any more: not
// the active one, of a Kafka that stopped cleanly. After a crash recovery may
// write any segment again, so none is shared with the source.
func (r *run) settled(name string, bases []int64) bool {
	base, suffix, ok := layout.ParseFileName(name)
	i := slices.Index(bases, base)
	return r.result.Clean && ok && suffix == layout.Log && i >= 0 && i+1 < len(bases)
}

func (r *run) link(from, to string) error {
	l, ok := r.o.FS.(linker)
	if !ok {
		return r.copyFile(from, to)
	}
	// Kafka synced it when it stopped; a copy of its directory perhaps not.
	f, err := r.o.FS.OpenFile(from, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", from, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", from, err)
	}
	if err := l.Link(from, to); err != nil {
		return fmt.Errorf("link %s: %w; without --link it is copied", from, err)
	}
	r.result.Linked++
	return nil
}

// chunkBytes is how much of a file is in memory at once.
const chunkBytes = 1 << 20

func (r *run) copyFile(from, to string) (err error) {
	in, err := r.o.FS.OpenFile(from, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", from, err)
	}
	defer in.Close()
	out, err := r.o.FS.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("make %s: %w", to, err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := copyBytes(in, out); err != nil {
		return fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	r.result.Copied++
	return nil
}

func copyBytes(in, out vfs.File) error {
	buf := make([]byte, chunkBytes)
	for at := int64(0); ; {
		n, err := in.ReadAt(buf, at)
		if n > 0 {
			if _, err := out.WriteAt(buf[:n], at); err != nil {
				return err
			}
			at += int64(n)
		}
		if err == io.EOF {
			return out.Sync()
		}
		if err != nil {
			return err
		}
	}
}

// writeCheckpoints merges Kafka's checkpoints of all sources: what the opening
// of the logs goes by. Kafka's word that it stopped cleanly counts only when it
// is given for all.
func (r *run) writeCheckpoints() error {
	for _, c := range []struct {
		name string
		of   func(*source) map[string]int64
	}{
		{checkpoint.RecoveryPoints, func(s *source) map[string]int64 { return s.recovery }},
		{checkpoint.LogStarts, func(s *source) map[string]int64 { return s.starts }},
		{checkpoint.HighWatermarks, func(s *source) map[string]int64 { return s.highs }},
		{checkpoint.CleanerOffsets, func(s *source) map[string]int64 { return s.cleaner }},
	} {
		var lines []checkpoint.Offset
		for _, p := range r.plan {
			if p.from == nil {
				continue
			}
			if offset, ok := c.of(p.from)[p.name]; ok {
				lines = append(lines, checkpoint.Offset{Topic: p.topic.Name, Partition: p.Index, Offset: offset})
			}
		}
		if err := checkpoint.Write(r.o.FS, r.o.Data, c.name, checkpoint.AppendOffsets(nil, lines), true); err != nil {
			return fmt.Errorf("write %s/%s: %w", r.o.Data, c.name, err)
		}
	}
	if !r.result.Clean {
		return nil
	}
	if err := checkpoint.Write(r.o.FS, r.o.Data, checkpoint.CleanShutdown, []byte(checkpoint.CleanShutdownV0), true); err != nil {
		return fmt.Errorf("write %s/%s: %w", r.o.Data, checkpoint.CleanShutdown, err)
	}
	return nil
}
