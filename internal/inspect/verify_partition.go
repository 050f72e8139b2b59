package inspect

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/metadata"
	"ottla/internal/record"
)

// walked is what one pass over a segment learned, for its indexes.
type walked struct {
	base, next int64 // next: the base of the segment behind, or the largest offset
	size       int64 // of the sound part, in bytes
	end        int64
	at         []int64 // byte where each batch begins
	first      []int64 // its first offset
	last       []int64 // its last offset
	runMax     []int64 // largest timestamp up to and including it
}

// order is what must hold from one batch to the next of a partition.
type order struct {
	end    int64 // offset expected next, -1 before the first batch
	epoch  int32
	strict bool // no offset may be left out
}

func (v *verifier) partition(dir, topic string, partition int32) error {
	bases, beside, err := segments(v.fs, dir)
	if err != nil {
		return err
	}
	v.report.Partitions++
	for _, name := range []string{checkpoint.PartitionMeta, checkpoint.LeaderEpochs} {
		if _, err := v.fs.Stat(dir + "/" + name); err == nil {
			if err := v.small(dir + "/" + name); err != nil {
				return err
			}
		}
	}
	saved := v.logs[layout.DirName(topic, partition)]
	o := &order{end: -1, epoch: -1, strict: saved != nil && !saved.Sparse}
	for i, base := range bases {
		w := &walked{base: base, next: math.MaxInt64}
		if i+1 < len(bases) {
			w.next = bases[i+1]
		}
		gap := slices.Contains(beside[base], layout.Gap)
		if err := v.segment(dir, topic, w, o, saved, gap); err != nil {
			return err
		}
		if err := v.indexes(dir, w, beside[base], i+1 == len(bases)); err != nil {
			return err
		}
	}
	return v.loose(dir, topic)
}

// loose checks files that belong to no segment: snapshots of producers, and of
// the metadata.
func (v *verifier) loose(dir, topic string) error {
	entries, err := v.fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, e := range entries {
		name := dir + "/" + e.Name()
		_, suffix, ok := layout.ParseFileName(e.Name())
		switch {
		case ok && (suffix == layout.Snapshot || suffix == layout.Gap):
			err = v.small(name)
		case !ok && topic == metadataTopic && kindOf(name) == layout.Log: // 20 digits, "-", the epoch
			err = v.snapshot(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// snapshot checks a snapshot of the metadata log.
func (v *verifier) snapshot(name string) error {
	v.report.Files++
	bad, err := eachBatch(v.fs, name, func(p *place) error { return v.batch(name, metadataTopic, p) })
	if bad != nil {
		return v.wrong(name, bad.Byte, -1, "%s", bad.Reason)
	}
	return err
}

func (v *verifier) segment(dir, topic string, w *walked, o *order, saved *checkpoint.Log, gap bool) error {
	name := dir + "/" + layout.FileName(w.base, layout.Log)
	v.report.Segments++
	if o.strict && o.end >= 0 && w.base != o.end && !gap {
		if err := v.wrong(name, -1, o.end, "the segment begins at offset %d, and the one before it ends at %d: what lies between is missing", w.base, o.end); err != nil {
			return err
		}
	}
	w.end = w.base
	begun := false
	bad, err := eachBatch(v.fs, name, func(p *place) error {
		if err := v.follows(name, w, o, p, !begun); err != nil {
			return err
		}
		begun = true
		w.note(p)
		o.end, o.epoch = p.NextOffset(), max(o.epoch, p.LeaderEpoch)
		return v.batch(name, topic, p)
	})
	o.end = max(o.end, w.end)
	if bad == nil || err != nil {
		return err
	}
	synced := saved != nil && bad.Byte < saved.Recovery.Byte && saved.Recovery.Segment == w.base
	tail := w.next == math.MaxInt64 && !v.clean && !synced
	return v.problem(Problem{File: name, Byte: bad.Byte, Offset: w.end, Reason: bad.Reason, Tail: tail})
}

// follows checks that a batch comes rightly after the one before it.
func (v *verifier) follows(name string, w *walked, o *order, p *place, first bool) error {
	switch {
	case p.BaseOffset < w.base || p.NextOffset() > w.next || p.LastOffset()-w.base > math.MaxInt32:
		return v.wrong(name, p.at, p.BaseOffset, "the batch has offsets %d to %d, and its segment holds those from %d up to %d", p.BaseOffset, p.LastOffset(), w.base, w.next)
	case o.end >= 0 && p.BaseOffset < o.end:
		return v.wrong(name, p.at, p.BaseOffset, "the batch begins at offset %d, and the one before it ends at %d", p.BaseOffset, o.end)
	case o.strict && first && p.BaseOffset != w.base:
		return v.wrong(name, p.at, p.BaseOffset, "the first batch begins at offset %d, and the segment at %d", p.BaseOffset, w.base)
	case o.strict && !first && p.BaseOffset != o.end:
		return v.wrong(name, p.at, p.BaseOffset, "offsets %d to %d are missing", o.end, p.BaseOffset-1)
	case p.LeaderEpoch < o.epoch && o.strict:
		return v.wrong(name, p.at, p.BaseOffset, "the batch has leader epoch %d, and one before it %d", p.LeaderEpoch, o.epoch)
	}
	return nil
}

func (w *walked) note(p *place) {
	top := p.MaxTimestamp
	if n := len(w.runMax); n > 0 {
		top = max(top, w.runMax[n-1])
	}
	w.at = append(w.at, p.at)
	w.first = append(w.first, p.BaseOffset)
	w.last = append(w.last, p.LastOffset())
	w.runMax = append(w.runMax, top)
	w.size, w.end = p.at+int64(p.Size()), p.NextOffset()
}

// batch checks what lies inside a batch.
func (v *verifier) batch(name, topic string, p *place) error {
	v.report.Batches++
	v.report.Records += int64(p.Count)
	v.report.Bytes += int64(p.Size())
	if !record.VerifyCRC(p.bytes) {
		return v.wrong(name, p.at, p.BaseOffset, "the checksum of the batch (%08x) does not hold", p.CRC)
	}
	var inner error
	err := record.Walk(p.bytes, 0, func(r *record.Record) bool {
		if topic == metadataTopic && !p.Control() {
			_, inner = metadata.Parse(r.Value)
		}
		return inner == nil
	})
	if err = errors.Join(err, inner); err != nil {
		return v.wrong(name, p.at, p.BaseOffset, "the records of the batch cannot be read: %v", err)
	}
	return nil
}
