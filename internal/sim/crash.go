package sim

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Style is how much of what was not synced outlives a power cut.
type Style int8

// The styles. Whatever the style, what was synced stays.
const (
	AnyStyle   Style = iota // one of the others, by the seed
	Nothing                 // all of it is lost
	Everything              // none of it
	Prefix                  // in the order of the changes, up to a point for each file and for the names
	AnyPages                // any 4 KiB page as it was at any moment, any size, any names
	AnySectors              // the same by 512 B sectors: pages are torn
	Garbage                 // as AnySectors, and new room that was not written holds rubbish
	numStyles
)

// Crash is the end of power: it decides by the seed what survives of all that
// is not synced. The machine is off until Restart.
func (d *Disk) Crash() { d.CrashWith(AnyStyle) }

// CrashWith is Crash in a given style.
func (d *Disk) CrashWith(style Style) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if style == AnyStyle {
		style = 1 + Style(d.crash.IntN(int(numStyles)-1))
	}
	d.crashNames(style)
	d.root.reveal()
	d.walk(func(_ string, n *node) {
		n.names = 1
		if !n.dir {
			d.crashFile(n, style)
		}
	})
	d.dirty = nil
	d.cuts++
	d.stop()
}

// reveal makes the durable entries the live ones, all the way down.
func (n *node) reveal() {
	n.entries = maps.Clone(n.durable)
	for _, name := range slices.Sorted(maps.Keys(n.entries)) {
		if child := n.entries[name]; child.dir {
			child.reveal()
		}
	}
}

// crashNames decides which changes of names survive.
func (d *Disk) crashNames(style Style) {
	keep := make([]bool, len(d.pending))
	prefix := 0
	switch style {
	case Everything:
		prefix = len(keep)
	case Prefix:
		prefix = d.crash.IntN(len(keep) + 1)
	}
	lost := false
	for i := range d.pending {
		keep[i] = i < prefix
		if style >= AnyPages {
			keep[i] = d.crash.IntN(2) == 0
		}
		for j := range i {
			keep[i] = keep[i] && (keep[j] || !d.pending[i].needs(&d.pending[j]))
		}
		switch {
		case !keep[i]:
			lost = true
			d.hit(LostNames)
		case lost:
			d.hit(ReorderedNames)
			fallthrough
		default:
			d.hit(KeptNames)
			d.pending[i].makeDurable()
		}
	}
	d.pending = nil
}

// crashFile decides which changes of a file's bytes survive.
func (d *Disk) crashFile(n *node, style Style) {
	if len(n.changes) > 0 {
		s := survivors(d.crash, n, style)
		n.disk = s.data
		for f, met := range map[Fault]bool{
			LostPages: s.lost, KeptPages: s.kept, TornPage: s.torn,
			ZeroTail: s.zeros, GarbageTail: s.garbage,
		} {
			if met {
				d.hit(f)
			}
		}
	}
	n.changes, n.forgotten = nil, nil
	n.live = slices.Clone(n.disk)
	n.allocated = 0
}

// survived is what a power cut left of a file.
type survived struct {
	data                             []byte
	lost, kept, torn, zeros, garbage bool
}

// survivors draws what is on the platter when power ends now. Each unit (page
// or sector) holds its bytes as they were after some number of changes, the
// size is that after some number of changes too, and a truncation that made it
// is seen by every unit: bytes that it cut do not come back.
func survivors(r *rand.Rand, n *node, style Style) survived {
	all := len(n.changes)
	var s survived
	sizeAt := 0 // how many changes the size has seen
	switch style {
	case Everything:
		sizeAt = all
	case Prefix, AnyPages, AnySectors, Garbage:
		sizeAt = r.IntN(all + 1)
	}
	s.data = resize(slices.Clone(n.disk), n.sizeAfter(sizeAt))
	unit := int64(PageSize)
	if style == AnySectors || style == Garbage {
		unit = SectorSize
	}
	pageSeen := -1
	for from := int64(0); from < int64(len(s.data)); from += unit {
		seen := sizeAt
		if style >= AnyPages {
			seen = r.IntN(all + 1)
		}
		part := s.data[from:min(from+unit, int64(len(s.data)))]
		touched := n.rebuild(part, from, seen, sizeAt)
		if !touched {
			continue
		}
		s.kept = s.kept || seen > 0
		s.lost = s.lost || seen < all
		if from%PageSize != 0 && pageSeen >= 0 && pageSeen != seen {
			s.torn = true
		}
		pageSeen = seen
		if seen == 0 && from >= int64(len(n.disk)) {
			s.zeros = true
			if style == Garbage {
				s.garbage = true
				rubbish(r, part)
			}
		}
	}
	s.lost = s.lost || sizeAt < all
	return s
}

// rebuild fills part, the bytes from off on, as they were after seen changes,
// with the truncations among the first sizeAt changes done as well. It tells
// whether any change touches the part.
func (n *node) rebuild(part []byte, off int64, seen, sizeAt int) (touched bool) {
	clear(part)
	if off < int64(len(n.disk)) {
		copy(part, n.disk[off:])
	}
	for i, c := range n.changes {
		if c.data == nil {
			if (i < seen || i < sizeAt) && !c.grow && c.off < off+int64(len(part)) {
				clear(part[max(0, c.off-off):])
				touched = true
			}
			continue
		}
		if c.off >= off+int64(len(part)) || c.off+int64(len(c.data)) <= off {
			continue
		}
		touched = true
		if i < seen {
			if c.off < off {
				copy(part, c.data[off-c.off:])
			} else {
				copy(part[c.off-off:], c.data)
			}
		}
	}
	return touched
}

// sizeAfter is the size on the platter after the first so many changes.
func (n *node) sizeAfter(changes int) int64 {
	size := int64(len(n.disk))
	for _, c := range n.changes[:changes] {
		switch {
		case c.data != nil:
			size = max(size, c.off+int64(len(c.data)))
		case c.grow:
			size = max(size, c.off)
		default:
			size = c.off
		}
	}
	return size
}

func rubbish(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}
