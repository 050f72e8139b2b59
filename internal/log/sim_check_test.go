package log_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"ottla/internal/log"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// ending is how the process before this one ended.
type ending int

const (
	afterClean ending = iota // nothing may be missing
	afterKill                // what was written is there, synced or not
	afterCrash               // what was called durable is there
)

// verify checks every log of a directory that was just opened, and brings the
// twins to what was found.
func (w *world) verify(how ending) {
	w.t.Helper()
	w.verifyFound()
	for _, tw := range w.twins {
		if !tw.deleted {
			w.verifyLog(tw, how)
		}
	}
}

// verifyFound: what was promised is listed, what was deleted never comes back.
func (w *world) verifyFound() {
	w.t.Helper()
	found := w.dir.Found()
	for _, id := range found {
		if w.deletedIDs[id.ID] {
			w.failf("%s-%d, deleted for good, is found again", id.Topic, id.Partition)
		}
	}
	for _, tw := range w.twins {
		if !tw.deleted && tw.acked > 0 && !slices.Contains(found, tw.id) {
			w.failf("%s-%d is not among what is found: %v", tw.id.Topic, tw.id.Partition, found)
		}
	}
}

// verifyLog checks one log against its twin.
func (w *world) verifyLog(tw *twin, how ending) {
	w.t.Helper()
	l := tw.log
	start, end := l.Start(), l.End().Offset
	if start < tw.startMin || tw.promisedBelow(start) {
		w.failf("%s [%d, %d) starts not between %d and %d: %+v", tw.id.Topic, start, end, tw.startMin, tw.startMax, l.RecoveryReport())
	}
	least := tw.acked
	if how != afterCrash {
		least = tw.written
	}
	if end < least {
		w.failf("%s ends at %d, but everything below %d was promised (%v)", tw.id.Topic, end, least, l.RecoveryReport())
	}
	found := w.scan(tw, start)
	if how != afterCrash && !tw.truncating {
		tw.olds = nil
	}
	tw.batches = w.match(tw, found, start, end, least)
	tw.olds, tw.truncating = nil, false
	tw.written = end
	tw.startMin, tw.startMax = start, start
	d := l.Durable().Offset
	if d > end || d < end && (tw.cfg.Durability == log.Fsync || tw.cfg.Internal) {
		w.failf("%s recovered up to %d and is durable below %d", tw.id.Topic, end, d)
	}
	tw.acked = max(tw.acked, d)
	w.readFrom(tw, start, 1<<30)
	w.verifyEpochs(tw)
	w.verifyProducers(tw)
	w.verifyTimes(tw)
}

// promisedBelow tells whether a batch that was called durable and not deleted
// lies below start. Where nothing was promised the start may move: into a gap,
// or to the later of two segments that a power cut left alone.
func (tw *twin) promisedBelow(start int64) bool {
	return slices.ContainsFunc(tw.batches, func(b *batch) bool {
		next := b.h.NextOffset()
		return next > tw.startMax && next <= start && next <= tw.acked
	})
}

// scan reads the whole log.
func (w *world) scan(tw *twin, start int64) []*batch {
	w.t.Helper()
	var found []*batch
	err := tw.log.Scan(start, func(h *record.Header, raw []byte) error {
		found = append(found, &batch{h: *h, raw: bytes.Clone(raw)})
		return nil
	})
	w.must(err, "scan "+tw.id.Topic)
	return found
}

// match finds of which history the found batches are the rest: the present one,
// or as far as nothing was promised since, one that a truncation cut.
func (w *world) match(tw *twin, found []*batch, start, end, least int64) []*batch {
	w.t.Helper()
	histories := append([][]*batch{tw.batches}, tw.olds...)
	slices.Reverse(histories[1:])
	for _, h := range histories {
		kept := below(h, end)
		if !sameBatches(at(kept, start), found) || len(h) > len(kept) && h[len(kept)].h.BaseOffset < end {
			continue // it ends in the middle of a batch
		}
		if sameBatches(at(below(kept, least), start), at(below(tw.batches, least), start)) {
			return slices.Clone(kept)
		}
	}
	w.failf("%s holds [%d, %d) as %s\nwhich is no history of it; written was %s\nthe first %d promised", tw.id.Topic, start, end, show(found), show(tw.batches), least)
	return nil
}

// show lists batches by offset and epoch.
func show(bs []*batch) string {
	var s strings.Builder
	for _, b := range bs[max(0, len(bs)-30):] {
		s.WriteString(" ")
		fmt.Fprintf(&s, "%d+%d@%d", b.h.BaseOffset, b.h.Count, b.h.LeaderEpoch)
	}
	return s.String()
}

// readFrom reads batch by batch as a consumer does, at most so many times, and
// compares every byte.
func (w *world) readFrom(tw *twin, offset int64, times int) {
	w.t.Helper()
	to := tw.log.End()
	for ; offset < to.Offset && times > 0; times-- {
		want := at(tw.batches, offset)
		s, err := tw.log.Read(offset, to, pick(w.r, 1, 100, 1000, 100_000), true)
		if err != nil {
			if w.expected != nil && w.expected(err) {
				return
			}
			w.failf("read %s at %d: %v", tw.id.Topic, offset, err)
		}
		if s.Len == 0 && len(want) == 0 {
			return // the log ends in a gap
		}
		got := make([]byte, s.Len)
		n, err := s.ReadAt(got, 0)
		s.Release()
		if n != len(got) || err != nil && err != io.EOF {
			if w.expected != nil && w.expected(err) {
				return
			}
			w.failf("read %s at %d: %d of %d bytes, %v", tw.id.Topic, offset, n, len(got), err)
		}
		var whole []byte
		next := offset
		for _, b := range want {
			if len(whole) >= len(got) {
				break
			}
			whole = append(whole, b.raw...)
			if len(whole) <= len(got) {
				next = b.h.NextOffset()
			}
		}
		if next == offset || len(whole) < len(got) || !bytes.Equal(whole[:len(got)], got) {
			w.failf("read %s at %d gives %d bytes that were not written there", tw.id.Topic, offset, len(got))
		}
		offset = next
	}
}

// verifyEpochs: the cache knows the epoch of every batch, and where each ends.
func (w *world) verifyEpochs(tw *twin) {
	w.t.Helper()
	live := at(tw.batches, tw.log.Start())
	for _, b := range live {
		offset := max(b.h.BaseOffset, tw.log.Start())
		if got, ok := tw.log.Epochs().EpochOf(offset); !ok || got != b.h.LeaderEpoch {
			w.failf("%s: offset %d is of epoch %d (%v), want %d; the cache holds %v", tw.id.Topic, offset, got, ok, b.h.LeaderEpoch, tw.log.Epochs().All())
		}
	}
	if len(live) == 0 {
		return
	}
	last := live[len(live)-1].h.LeaderEpoch
	if e, ok := tw.log.Epochs().Latest(); !ok || e.Epoch < last {
		w.failf("%s: the latest epoch is %+v (%v), want at least %d", tw.id.Topic, e, ok, last)
	}
	tw.epoch = max(tw.epoch, last)
}

// verifyProducers: the last batches of each producer are recognised, the next
// one is accepted, a gap is not, and aborted transactions are listed.
func (w *world) verifyProducers(tw *twin) {
	w.t.Helper()
	start := tw.log.Start()
	writers, aborted := replay(tw.batches)
	for id, wr := range writers {
		if len(wr.window) == 0 || wr.window[len(wr.window)-1].h.BaseOffset < start {
			continue
		}
		for i, b := range wr.window {
			// Kafka's snapshot files keep the last batch of a producer alone,
			// and that is what is left below a truncation.
			if b.h.BaseOffset < start || b.h.BaseOffset < tw.forgot && i < len(wr.window)-1 {
				continue
			}
			if v, seen := tw.log.Producers().Check(&b.h); v != producer.Duplicate || seen.BaseOffset != b.h.BaseOffset {
				w.failf("%s: batch of producer %d at %d (epoch %d, sequence %d) sent again: %v at %d, want duplicate; the log [%d, %d) knows %+v",
					tw.id.Topic, id, b.h.BaseOffset, b.h.ProducerEpoch, b.h.BaseSequence, v, seen.BaseOffset, start, tw.log.End().Offset, tw.log.Producers().List())
			}
		}
		next := wr.window[len(wr.window)-1].h
		next.BaseSequence = wr.nextSequence()
		if v, _ := tw.log.Producers().Check(&next); v != producer.Accept {
			w.failf("%s: the next batch of producer %d: %v, want accept", tw.id.Topic, id, v)
		}
		next.BaseSequence += 3
		if v, _ := tw.log.Producers().Check(&next); v != producer.OutOfOrder {
			w.failf("%s: producer %d skips three records: %v, want out of order", tw.id.Topic, id, v)
		}
	}
	got, err := tw.log.Aborted(start, tw.log.End().Offset)
	w.must(err, "aborted of "+tw.id.Topic)
	if got, aborted = tw.visible(got, start), tw.visible(aborted, start); !slices.Equal(got, aborted) {
		w.failf("%s: aborted transactions %v, want %v", tw.id.Topic, got, aborted)
	}
}

// visible are the aborted transactions of which there are records from start
// on, as a reader from there needs them.
func (tw *twin) visible(all []producer.Aborted, start int64) []producer.Aborted {
	var out []producer.Aborted
	for _, a := range all {
		first := int64(-1)
		for _, b := range at(tw.batches, max(start, a.FirstOffset)) {
			if first < 0 && b.h.ProducerID == a.ProducerID && b.h.LastOffset() < a.LastOffset {
				first = max(start, b.h.BaseOffset)
			}
		}
		if first >= 0 {
			out = append(out, producer.Aborted{ProducerID: a.ProducerID, FirstOffset: first, LastOffset: a.LastOffset})
		}
	}
	slices.SortFunc(out, func(a, b producer.Aborted) int { return int(a.FirstOffset - b.FirstOffset) })
	return out
}

// verifyTimes: look-ups by time agree with a walk over all records.
func (w *world) verifyTimes(tw *twin) {
	w.t.Helper()
	start, end := tw.log.Start(), tw.log.End()
	for range 4 {
		ms := w.clock.Now().UnixMilli() - w.r.Int64N(1+(w.clock.Now().UnixMilli()-simStart)*5/4)
		want := int64(-1)
		for _, b := range at(tw.batches, start) {
			for i, t := range b.times {
				if o := b.h.BaseOffset + int64(i); want < 0 && t >= ms && o >= start {
					want = o
				}
			}
		}
		got, ok, err := tw.log.LookupTime(ms, end)
		w.must(err, "look up a time in "+tw.id.Topic)
		if ok != (want >= 0) || ok && got.Offset != want {
			w.failf("%s: first record at or after %d is %d (%v), want %d", tw.id.Topic, ms, got.Offset, ok, want)
		}
	}
}

// verifyFiles checks, after a clean stop, that what the closed segments' index
// files say is true. It tells how many entries it checked.
func (w *world) verifyFiles() (entries int) {
	w.t.Helper()
	for _, name := range w.disk.Files() {
		base, isIndex := strings.CutSuffix(name, ".index")
		if !isIndex || strings.Contains(name, "-delete/") {
			continue
		}
		index, err1 := w.disk.Content(name)
		data, err2 := w.disk.Content(base + ".log")
		w.must(errors.Join(err1, err2), "read "+name)
		boundaries := make(map[int64]record.Header)
		for pos := 0; pos < len(data); {
			h, err := record.ParseHeader(data[pos:])
			w.must(err, "parse "+base+".log")
			boundaries[int64(pos)] = h
			pos += h.Size()
		}
		first := boundaries[0].BaseOffset
		if len(index)%8 != 0 {
			w.failf("%s has %d bytes, not a multiple of 8", name, len(index))
		}
		var segment int64
		for _, c := range base[strings.LastIndexByte(base, '/')+1:] {
			segment = segment*10 + int64(c-'0')
		}
		for ; len(index) > 0; index = index[8:] {
			entries++
			offset := segment + int64(binary.BigEndian.Uint32(index))
			pos := int64(binary.BigEndian.Uint32(index[4:]))
			if h, ok := boundaries[pos]; !ok || offset < h.BaseOffset || offset > h.LastOffset() {
				w.failf("%s: offset %d at byte %d is no batch of the segment that begins at %d", name, offset, pos, first)
			}
		}
	}
	return entries
}
