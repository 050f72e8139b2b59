package store

import (
	"cmp"
	"slices"

	"ottla/internal/share"
)

// overlay puts rows over others, which it may change, and gives what there is
// from start on: in order, without overlaps, neighbours that are alike as one.
// Of rows that overlap each other the later counts.
func overlay(base, over []share.Stored, start int64) []share.Stored {
	if !ordered(over) {
		for i := range over {
			base = overlay(base, over[i:i+1], start)
		}
		return base
	}
	out := make([]share.Stored, 0, len(base)+len(over))
	add := func(r share.Stored) {
		r.First = max(r.First, start)
		if r.First > r.Last || r.First < 0 {
			return
		}
		if k := len(out) - 1; k >= 0 && out[k].Goes(&r) {
			out[k].Last = r.Last
			return
		}
		out = append(out, r)
	}
	i := 0
	for _, r := range over {
		if r.First > r.Last || r.First < 0 {
			continue
		}
		for i < len(base) && base[i].First < r.First {
			left := base[i]
			left.Last = min(left.Last, r.First-1)
			add(left)
			if base[i].Last >= r.First {
				break // the rest of it lies under r
			}
			i++
		}
		add(r)
		for i < len(base) && base[i].Last <= r.Last {
			i++
		}
		if i < len(base) && base[i].First <= r.Last {
			base[i].First = r.Last + 1
		}
	}
	for ; i < len(base); i++ {
		add(base[i])
	}
	return slices.Clip(out)
}

func ordered(rows []share.Stored) bool {
	return len(rows) < 2 || slices.IsSortedFunc(rows, func(a, b share.Stored) int { return cmp.Compare(a.First, b.First) }) &&
		!slices.ContainsFunc(pairs(rows), func(p [2]int64) bool { return p[0] >= p[1] })
}

// pairs are the ends of rows with the beginnings of their followers.
func pairs(rows []share.Stored) [][2]int64 {
	out := make([][2]int64, 0, len(rows)-1)
	for i := 1; i < len(rows); i++ {
		out = append(out, [2]int64{rows[i-1].Last, rows[i].First})
	}
	return out
}
