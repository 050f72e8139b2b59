// Package ring remembers where the last batches of a log end, so that a reader
// near the end finds its place without a look at the disk. It is not for anything
// further back: indexes are. Lock: the log's.
package ring

// boundary is the end of a batch: the offset after it and the byte after it.
type boundary struct{ next, byte int64 }

// size is how many batch boundaries are remembered: a reader within so many
// batches of the end needs no look-up on disk.
const size = 32

// Tail is the last batch boundaries of the active segment. The log's lock guards
// it.
type Tail struct {
	at [size]boundary
	n  int // boundaries ever put in
}

// Reset forgets all and begins with the boundary at offset next and byte pos.
func (t *Tail) Reset(next, pos int64) { t.at[0], t.n = boundary{next, pos}, 1 }

// Push notes the end of one more batch.
func (t *Tail) Push(next, pos int64) {
	t.at[t.n%size] = boundary{next, pos}
	t.n++
}

// Find gives the byte where the batch that holds offset begins, the byte where that
// batch ends and the offset after it (-1 when offset is the end itself).
func (t *Tail) Find(offset int64) (start, end, next int64, ok bool) {
	end, next = -1, -1
	for i := t.n - 1; i >= 0 && i >= t.n-size; i-- {
		b := t.at[i%size]
		if b.next <= offset {
			return b.byte, end, next, true
		}
		end, next = b.byte, b.next
	}
	return 0, 0, 0, false
}
