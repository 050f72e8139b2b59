package quorum

import (
	"fmt"
	"slices"
	"sort"
)

// entryIndex maps Raft indexes to Kafka offsets. One entry is one batch, which
// may hold many records, so the two run apart and neither is ever taken for
// the other. It is rebuilt by counting the batches behind a snapshot, whose
// own index stands in its header. 16 bytes an entry.
type entryIndex struct {
	base       uint64 // index of the last entry before the kept ones (a snapshot's)
	baseTerm   uint64
	baseOffset int64 // offset after that entry
	refs       []entryRef
}

// entryRef is entry base+1+i at refs[i].
type entryRef struct {
	end  int64 // offset after the entry's last record
	term int32
}

func (x *entryIndex) first() uint64 { return x.base + 1 }
func (x *entryIndex) last() uint64  { return x.base + uint64(len(x.refs)) }

// end is the offset after the last entry.
func (x *entryIndex) end() int64 { return x.endOf(x.last()) }

// endOf is the offset after entry i, which must be base or a kept one;
// startOf, of a kept one, where it begins.
func (x *entryIndex) endOf(i uint64) int64 {
	if i == x.base {
		return x.baseOffset
	}
	return x.refs[i-x.base-1].end
}
func (x *entryIndex) startOf(i uint64) int64 { return x.endOf(i - 1) }

// term tells an entry's term; false when it is neither base nor kept.
func (x *entryIndex) term(i uint64) (uint64, bool) {
	switch {
	case i == x.base:
		return x.baseTerm, true
	case i < x.base || i > x.last():
		return 0, false
	}
	return uint64(x.refs[i-x.base-1].term), true
}

func (x *entryIndex) lastTerm() uint64 {
	t, _ := x.term(x.last())
	return t
}

// add notes the next entry; it starts where the last one ended.
func (x *entryIndex) add(start, end int64, term int32) error {
	switch {
	case start != x.end():
		return fmt.Errorf("entry %d begins at offset %d, want %d", x.last()+1, start, x.end())
	case end <= start:
		return fmt.Errorf("entry %d has no records (offsets %d to %d)", x.last()+1, start, end)
	case uint64(term) < x.lastTerm() || term < 0:
		return fmt.Errorf("entry %d at offset %d has leader epoch %d after epoch %d", x.last()+1, start, term, x.lastTerm())
	}
	x.refs = append(x.refs, entryRef{end, term})
	return nil
}

// truncate forgets the kept entries from i on.
func (x *entryIndex) truncate(i uint64) { x.refs = x.refs[:i-x.base-1] }

// compact forgets the entries up to i, which becomes the base.
func (x *entryIndex) compact(i uint64) {
	if i <= x.base {
		return
	}
	term, _ := x.term(i)
	offset := x.endOf(i)
	x.refs = slices.Clone(x.refs[i-x.base:])
	x.base, x.baseTerm, x.baseOffset = i, term, offset
}

// at finds the kept entry that holds an offset.
func (x *entryIndex) at(offset int64) (uint64, bool) {
	if offset < x.baseOffset || offset >= x.end() {
		return 0, false
	}
	n := sort.Search(len(x.refs), func(i int) bool { return x.refs[i].end > offset })
	return x.base + 1 + uint64(n), true
}
