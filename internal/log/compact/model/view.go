package model

import (
	"cmp"
	"fmt"
	"slices"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// View is what a read_committed consumer sees of a log whose batches and
// transaction-index entries are given, up to the last stable offset. It goes
// by the entries as clients do: a producer is hidden from an entry's first
// offset until an abort marker of that producer comes by.
func View(batches []Batch, aborted []producer.Aborted, stable int64) ([]Record, error) {
	entries := slices.Clone(aborted)
	slices.SortStableFunc(entries, func(a, b producer.Aborted) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	hidden := map[int64]bool{}
	next := int64(-1)
	var out []Record
	for _, b := range batches {
		if b.H.BaseOffset >= stable {
			break
		}
		if b.H.BaseOffset < next {
			return nil, fmt.Errorf("a batch of offset %d after one that ends at %d", b.H.BaseOffset, next)
		}
		next = b.H.NextOffset()
		if !record.VerifyCRC(b.Raw) {
			return nil, fmt.Errorf("the batch of offset %d has a bad checksum", b.H.BaseOffset)
		}
		for len(entries) > 0 && entries[0].FirstOffset <= b.H.LastOffset() {
			hidden[entries[0].ProducerID] = true
			entries = entries[1:]
		}
		if b.H.Control() {
			if b.H.Count > 0 {
				if kind, err := record.ControlType(b.Raw); err != nil {
					return nil, err
				} else if kind == record.ControlAbort {
					delete(hidden, b.H.ProducerID)
				}
			}
			continue
		}
		if b.H.Transactional() && hidden[b.H.ProducerID] {
			continue
		}
		rs, err := b.Records()
		if err != nil {
			return nil, err
		}
		out = append(out, rs...)
	}
	return out, nil
}

// Records are all records of a batch.
func (b *Batch) Records() ([]Record, error) {
	var out []Record
	err := record.Walk(b.Raw, 0, func(r *record.Record) bool {
		ms := b.H.BaseTimestamp + r.TimestampDelta
		if b.H.LogAppendTime() {
			ms = b.H.MaxTimestamp
		}
		out = append(out, Record{Offset: b.H.BaseOffset + int64(r.OffsetDelta), TimeMs: ms,
			Key: string(r.Key), Value: string(r.Value), NoKey: r.Key == nil, NoValue: r.Value == nil})
		return true
	})
	return out, err
}
