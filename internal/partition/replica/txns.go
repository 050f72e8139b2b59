package replica

import "slices"

// Txns are the transactions of a partition that are open, or decided by a
// marker that is not committed yet. They hold the last stable offset back
// (KIP-98). The producer state of the log knows the same, but belongs to
// whoever writes the log, while the high watermark moves in sync rounds beside
// it: so what the last stable offset needs is kept here too. Tests hold the
// two against each other.
//
// Its zero value is empty and takes no memory.
type Txns struct {
	open map[int64]int64 // producer id -> first offset of its open transaction
	list []txn           // by first offset; decided and committed ones leave from the front
	done int             // entries of list that are decided
	// sweepAt is the done above which the whole list is searched for entries to
	// forget. It doubles with what stays, so that sweeps cost O(1) an entry.
	sweepAt int
}

const (
	sweepMin = 16 // fewer decided entries are not worth a sweep
	keepMax  = 64 // an empty list larger than this gives its memory back
)

type txn struct {
	first  int64
	marker int64 // offset of the marker that decided it, -1 while it is open
}

// Begin notes that the transaction of producer id begins at first, unless it
// has one open already; it tells whether it was noted. It must be called
// before the batch can become durable: the last stable offset may never have
// passed it.
func (t *Txns) Begin(id, first int64) bool {
	if _, ok := t.open[id]; ok {
		return false
	}
	if t.open == nil {
		t.open = make(map[int64]int64)
	}
	t.open[id] = first
	i := t.find(first)
	t.list = slices.Insert(t.list, i, txn{first: first, marker: -1})
	return true
}

// Undo takes Begin back: the batch was not appended.
func (t *Txns) Undo(id int64) {
	first, ok := t.open[id]
	if !ok {
		return
	}
	delete(t.open, id)
	i := t.find(first)
	t.list = slices.Delete(t.list, i, i+1)
}

// End notes the marker that decides the producer's transaction. It may come
// late. A marker of a producer without one changes nothing.
func (t *Txns) End(id, marker int64) {
	first, ok := t.open[id]
	if !ok {
		return
	}
	delete(t.open, id)
	t.list[t.find(first)].marker = marker
	t.done++
}

// Decided notes a transaction that a marker has decided, of whatever producer.
func (t *Txns) Decided(first, marker int64) {
	t.list = slices.Insert(t.list, t.find(first), txn{first: first, marker: marker})
	t.done++
}

// FirstUnstable is the first offset of the earliest transaction that is open
// or whose marker is not below high; ok is false when there is none. It
// forgets what will never matter again, as high does not go back.
func (t *Txns) FirstUnstable(high int64) (first int64, ok bool) {
	n := 0
	for n < len(t.list) && t.list[n].settled(high) {
		n++
	}
	if n > 0 {
		t.drop(n)
	}
	if len(t.list) == 0 {
		return 0, false
	}
	if t.done > t.sweepAt+sweepMin {
		t.sweep(high)
	}
	return t.list[0].first, true
}

// Len is the number of transactions kept.
func (t *Txns) Len() int { return len(t.list) }

func (x txn) settled(high int64) bool { return x.marker >= 0 && x.marker < high }

// drop removes the first n entries, all decided.
func (t *Txns) drop(n int) {
	t.list = slices.Delete(t.list, 0, n)
	t.done -= n
	if len(t.list) == 0 && cap(t.list) > keepMax {
		*t = Txns{}
	}
}

// sweep forgets the settled ones behind a transaction that hangs in front.
func (t *Txns) sweep(high int64) {
	t.list = slices.DeleteFunc(t.list, func(x txn) bool { return x.settled(high) })
	t.done = 0
	for _, x := range t.list {
		if x.marker >= 0 {
			t.done++
		}
	}
	t.sweepAt = 2 * t.done
}

// find is the index of the transaction that begins at first, or where it
// would stand.
func (t *Txns) find(first int64) int {
	i, _ := slices.BinarySearchFunc(t.list, first, func(x txn, f int64) int {
		switch {
		case x.first < f:
			return -1
		case x.first > f:
			return 1
		}
		return 0
	})
	return i
}

// Reset forgets everything: the log was cut, and tells anew.
func (t *Txns) Reset() { *t = Txns{} }
