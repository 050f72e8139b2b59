package logimport

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/metadata"
	"ottla/internal/record"
)

const (
	metadataTopic = "__cluster_metadata"
	metadataDir   = metadataTopic + "-0"
	// maxLevel is the newest metadata.version whose records are known.
	maxLevel = 33
)

// kafkaImage is what Kafka's metadata log comes to.
type kafkaImage struct {
	*metadata.Image
	dir string
	// end is the offset after the last record that was read.
	end int64
}

// readMetadata replays the newest snapshot and the log behind it.
func (r *run) readMetadata() error {
	var dir string
	for _, s := range r.src {
		if s.partitions[metadataDir] {
			if dir != "" {
				return &Refused{Path: s.path, Reason: "has a " + metadataDir + ", and so has " + dir, Advice: "Leave out the directory whose metadata is not the node's."}
			}
			dir = s.path + "/" + metadataDir
		}
	}
	if dir == "" {
		return &Refused{Path: r.src[0].path, Reason: "has no " + metadataDir + ", where Kafka keeps topics and settings",
			Advice: "Name metadata.log.dir too. Kafka with ZooKeeper has none: move it to KRaft first."}
	}
	replay := &replay{r: r, draft: metadata.Empty().Draft(), next: 0}
	if err := replay.run(dir); err != nil {
		return err
	}
	img := replay.draft.Seal(replay.next-1, 0)
	if level, ok := img.Feature(metadata.MetadataVersion); !ok || level > maxLevel {
		return &Refused{Path: dir, Reason: fmt.Sprintf("is at metadata.version %d, and levels up to %d are known", level, maxLevel),
			Advice: "Import it with a later release of Ottla."}
	}
	r.image = &kafkaImage{Image: img, dir: dir, end: replay.next}
	return nil
}

// replay applies batches to a draft, in order.
type replay struct {
	r     *run
	draft *metadata.Draft
	next  int64 // offset that is wanted next
}

func (p *replay) run(dir string) error {
	entries, err := p.r.o.FS.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	var bases []int64
	snapshot, snapshotEnd := "", int64(-1)
	for _, e := range entries {
		if base, suffix, ok := layout.ParseFileName(e.Name()); ok && suffix == layout.Log {
			bases = append(bases, base)
		}
		if end, ok := snapshotName(e.Name()); ok && end > snapshotEnd {
			snapshot, snapshotEnd = e.Name(), end
		}
	}
	slices.Sort(bases)
	if snapshot != "" {
		if err := p.file(dir+"/"+snapshot, -1, false); err != nil {
			return err
		}
		p.next = snapshotEnd
	}
	if len(bases) > 0 && bases[0] > p.next {
		return &Refused{Path: dir, Reason: fmt.Sprintf("begins at offset %d, and its newest snapshot ends at %d", bases[0], p.next), Advice: "Restore what is missing from a backup."}
	}
	for i, base := range bases {
		if err := p.file(dir+"/"+layout.FileName(base, layout.Log), p.next, i+1 == len(bases)); err != nil {
			return err
		}
	}
	return nil
}

// snapshotName reads END-EPOCH.checkpoint, 20 and 10 digits.
func snapshotName(name string) (end int64, ok bool) {
	stem, found := strings.CutSuffix(name, ".checkpoint")
	first, second, cut := strings.Cut(stem, "-")
	if !found || !cut || len(first) != 20 || len(second) != 10 {
		return 0, false
	}
	n, err := strconv.ParseUint(first, 10, 63)
	return int64(n), err == nil
}

// file applies the records at from and above (-1: all, as in a snapshot, whose
// offsets are its own). Only the last segment may end in a batch that is not
// whole: that was never committed.
func (p *replay) file(name string, from int64, last bool) error {
	f, err := p.r.o.FS.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("size of %s: %w", name, err)
	}
	w := walk.Get(f, 0, size)
	defer w.Put()
	for {
		var h record.Header
		err := w.Header(&h)
		var bad *walk.Bad
		if err == io.EOF || errors.As(err, &bad) && last {
			return nil
		}
		var b []byte
		if err == nil {
			b, err = w.Batch(&h)
		}
		if err != nil {
			return damaged(name, w.Pos(), err)
		}
		if !record.VerifyCRC(b) {
			if last {
				return nil
			}
			return damaged(name, w.Pos(), errors.New("the checksum does not hold"))
		}
		if err := p.batch(&h, b, from); err != nil {
			return damaged(name, w.Pos(), err)
		}
		w.Skip(&h)
	}
}

func damaged(name string, at int64, err error) error {
	return &Refused{Path: name, Reason: "cannot be read at byte " + strconv.FormatInt(at, 10),
		Advice: "Where it is damaged, restore it from a backup; records of a newer Kafka need a newer Ottla.", Cause: err}
}

func (p *replay) batch(h *record.Header, b []byte, from int64) error {
	if from >= 0 {
		if h.LastOffset() < p.next {
			return nil
		}
		if h.BaseOffset > p.next {
			return fmt.Errorf("offsets %d to %d are missing", p.next, h.BaseOffset-1)
		}
	}
	if !h.Control() {
		var failed error
		err := record.Walk(b, math.MaxInt32, func(rec *record.Record) bool {
			if from >= 0 && h.BaseOffset+int64(rec.OffsetDelta) < p.next {
				return true
			}
			var m metadata.Record
			if m, failed = metadata.Parse(rec.Value); failed == nil {
				failed = p.draft.Apply(m)
			}
			return failed == nil
		})
		if err = errors.Join(err, failed); err != nil {
			return err
		}
	}
	if from >= 0 {
		p.next = h.NextOffset()
	}
	return nil
}
