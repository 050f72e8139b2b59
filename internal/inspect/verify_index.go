package inspect

import (
	"fmt"
	"slices"
	"sort"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
)

// indexes checks the index files of a segment against what a walk found.
// Missing ones are no loss: a start makes them again. Those of the active
// segment may be behind, or full of zeros that were allocated ahead.
func (v *verifier) indexes(dir string, w *walked, suffixes []string, active bool) error {
	for _, check := range []struct {
		suffix string
		with   func(string, *walked, []byte) error
	}{{layout.Index, v.offsetIndex}, {layout.Times, v.timeIndex}, {layout.Aborted, v.abortedIndex}} {
		if !slices.Contains(suffixes, check.suffix) {
			continue
		}
		name := dir + "/" + layout.FileName(w.base, check.suffix)
		b, err := checkpoint.Read(v.fs, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		v.report.Files++
		if active && !v.clean && check.suffix != layout.Aborted && zeros(b) {
			continue
		}
		if err := check.with(name, w, b); err != nil {
			return err
		}
	}
	return nil
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (v *verifier) offsetIndex(name string, w *walked, b []byte) error {
	entries, err := index.ParseOffsets(b, max(w.size, 1))
	if err != nil {
		return v.wrong(name, int64(len(entries))*index.OffsetSize, -1, "%v", err)
	}
	for i, e := range entries {
		at, offset := int64(i)*index.OffsetSize, w.base+int64(e.Rel)
		n, ok := slices.BinarySearch(w.at, int64(e.Pos))
		switch {
		case !ok:
			err = v.wrong(name, at, offset, "the entry points to byte %d of the segment, where no batch begins", e.Pos)
		case w.first[n] > offset:
			err = v.wrong(name, at, offset, "the entry points to byte %d of the segment, where the batch of offset %d begins", e.Pos, w.first[n])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) timeIndex(name string, w *walked, b []byte) error {
	entries, err := index.ParseTimes(b)
	if err != nil {
		return v.wrong(name, int64(len(entries))*index.TimeSize, -1, "%v", err)
	}
	for i, e := range entries {
		at, offset := int64(i)*index.TimeSize, w.base+int64(e.Rel)
		n := sort.Search(len(w.last), func(i int) bool { return w.last[i] >= offset })
		switch {
		case e.TimestampMs < 0: // Kafka closes the index of a segment without records so
		case n == len(w.last):
			err = v.wrong(name, at, offset, "the entry names an offset behind the segment's end")
		case w.runMax[n] != e.TimestampMs:
			err = v.wrong(name, at, offset, "the entry has timestamp %d, and the largest up to that offset is %d", e.TimestampMs, w.runMax[n])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) abortedIndex(name string, w *walked, b []byte) error {
	entries, err := index.ParseAborted(b, w.base, w.end)
	if err != nil {
		return v.wrong(name, int64(len(entries))*index.AbortedSize, -1, "%v", err)
	}
	for i, a := range entries {
		if !slices.Contains(w.last, a.LastOffset) {
			err := v.wrong(name, int64(i)*index.AbortedSize, a.LastOffset, "the entry names an abort marker at offset %d, where no batch ends", a.LastOffset)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
