package table

import "encoding/binary"

// index finds entries by the hash of their key: open addressing with linear
// probing. It holds Refs alone, plus one so that 0 is empty; the hash is the
// entry's.
type index struct {
	cells []uint32 // a power of two
	used  int
}

// leastCells is where an index begins.
const leastCells = 16

// home is the cell where a hash belongs.
func (x *index) home(h Hash) uint32 {
	return binary.LittleEndian.Uint32(h[:]) & uint32(len(x.cells)-1)
}

func (x *index) next(i uint32) uint32 { return (i + 1) & uint32(len(x.cells)-1) }

// cell is where a hash is, or the empty one where it would be.
func (x *index) cell(t *Table, h Hash) uint32 {
	i := x.home(h)
	for x.cells[i] != 0 && t.at(Ref(x.cells[i]-1)).Hash != h {
		i = x.next(i)
	}
	return i
}

func (x *index) find(t *Table, h Hash) Ref {
	if x.used == 0 {
		return None
	}
	return Ref(x.cells[x.cell(t, h)]) - 1
}

// add takes up an entry whose hash is not there.
func (x *index) add(t *Table, r Ref) {
	if x.used >= len(x.cells)*3/4 {
		x.grow(t)
	}
	x.cells[x.cell(t, t.at(r).Hash)] = uint32(r) + 1
	x.used++
}

func (x *index) grow(t *Table) {
	old := x.cells
	x.cells = make([]uint32, max(leastCells, 2*len(old)))
	for _, c := range old {
		if c != 0 {
			x.cells[x.cell(t, t.at(Ref(c-1)).Hash)] = c
		}
	}
}

// remove takes an entry out and closes the gap, so that no search stops at it.
func (x *index) remove(t *Table, r Ref) {
	gap := x.cell(t, t.at(r).Hash)
	x.used--
	for i := x.next(gap); x.cells[i] != 0; i = x.next(i) {
		home := x.home(t.at(Ref(x.cells[i] - 1)).Hash)
		// It may move to the gap unless its home lies behind the gap.
		if mask := uint32(len(x.cells) - 1); (i-home)&mask >= (i-gap)&mask {
			x.cells[gap], gap = x.cells[i], i
		}
	}
	x.cells[gap] = 0
}
