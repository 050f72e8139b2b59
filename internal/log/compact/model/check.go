package model

import (
	"fmt"
	"maps"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// Checker holds what consumers see of a log against its history, cleaning after
// cleaning.
type Checker struct {
	H           *History
	RetentionMs int64 // delete.retention.ms
	// touched is when a cleaning first went over the batch that holds an
	// offset: tombstones stay for the retention from then on.
	touched map[int64]int64
	covered int64 // below, every key was looked at
}

// Cleaned notes that a cleaning at nowMs went over all batches below over, and
// knew the keys of all records below end.
func (c *Checker) Cleaned(nowMs, over, end int64) {
	if c.touched == nil {
		c.touched = map[int64]int64{}
	}
	for _, b := range c.H.Batches {
		if _, ok := c.touched[b.H.BaseOffset]; !ok && b.H.BaseOffset < over {
			c.touched[b.H.BaseOffset] = nowMs
		}
	}
	c.covered = max(c.covered, end)
}

// Check tells what is wrong with a view of the log from start on at nowMs. With
// settled, no cleaning was cut short: then nothing superfluous is left either.
func (c *Checker) Check(view []Record, start, nowMs int64, settled bool) error {
	truth, err := View(c.H.Batches, c.H.Aborted, c.H.Stable())
	if err != nil {
		return err
	}
	last, all := map[string]Record{}, map[int64]Record{}
	lastCovered := map[string]int64{}
	for _, r := range truth {
		all[r.Offset] = r
		if !r.NoKey {
			last[r.Key] = r
			if r.Offset < c.covered {
				lastCovered[r.Key] = r.Offset
			}
		}
	}
	seen, next := map[int64]bool{}, int64(-1)
	for _, r := range view {
		switch want, ok := all[r.Offset]; {
		case r.Offset < next:
			return fmt.Errorf("offset %d comes after %d", r.Offset, next-1)
		case !ok:
			return fmt.Errorf("offset %d holds %+v, which no committed transaction wrote", r.Offset, r)
		case want != r:
			return fmt.Errorf("offset %d holds %+v, want %+v", r.Offset, r, want)
		case settled && r.Offset < c.covered && (r.NoKey || r.Offset < lastCovered[r.Key]):
			return fmt.Errorf("offset %d (key %q) should be gone: offset %d is newer and the cleaner has passed it", r.Offset, r.Key, lastCovered[r.Key])
		}
		seen[r.Offset], next = true, r.Offset+1
	}
	return c.missing(truth, last, seen, start, nowMs)
}

// missing looks for records that had to stay.
func (c *Checker) missing(truth []Record, last map[string]Record, seen map[int64]bool, start, nowMs int64) error {
	b := 0
	for _, r := range truth {
		for c.H.Batches[b].H.LastOffset() < r.Offset {
			b++
		}
		at, touched := c.touched[c.H.Batches[b].H.BaseOffset]
		switch {
		case seen[r.Offset] || r.Offset < start:
		case !touched:
			return fmt.Errorf("offset %d is gone and no cleaning ever came near it", r.Offset)
		case r.NoKey || last[r.Key].Offset != r.Offset:
		case !r.NoValue:
			return fmt.Errorf("offset %d is gone, the last value of key %q", r.Offset, r.Key)
		case nowMs < at+c.RetentionMs:
			return fmt.Errorf("the tombstone of key %q at offset %d went %d ms after the first cleaning, before the %d of its retention", r.Key, r.Offset, nowMs-at, c.RetentionMs)
		}
	}
	return nil
}

// CheckProducers tells whether the batches that are left, read anew, tell of
// every producer's last batch, and whether every entry of the transaction
// index has its marker.
func (c *Checker) CheckProducers(batches []Batch, aborted []producer.Aborted) error {
	s := producer.NewState()
	markers := map[int64]bool{}
	for _, b := range batches {
		if b.H.Control() && b.H.Count > 0 {
			if kind, err := record.ControlType(b.Raw); err != nil {
				return err
			} else if kind == record.ControlAbort {
				markers[b.H.BaseOffset] = true
			}
		}
		if _, _, err := s.Apply(&b.H, b.Raw); err != nil {
			return fmt.Errorf("replay the batch of offset %d: %w", b.H.BaseOffset, err)
		}
	}
	got := s.Lasts()
	for id, want := range c.H.State.Lasts() {
		if g, ok := got[id]; !ok || g != want {
			return fmt.Errorf("producer %d is known as %+v from what is left, want %+v", id, g, want)
		}
	}
	for _, a := range aborted {
		if !markers[a.LastOffset] {
			return fmt.Errorf("the entry of producer %d for offsets %d to %d has no marker any more: it would hide what comes later", a.ProducerID, a.FirstOffset, a.LastOffset)
		}
	}
	o, open := s.FirstUnstable(c.H.End())
	if want, was := c.H.State.FirstUnstable(c.H.End()); open != was || open && o < want {
		return fmt.Errorf("the first unstable offset is %d (%v) from what is left, want %d (%v)", o, open, want, was)
	}
	return nil
}

// Clone is a checker of the same history that goes its own way.
func (c *Checker) Clone() *Checker {
	n := *c
	n.touched = maps.Clone(c.touched)
	return &n
}
