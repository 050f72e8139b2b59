package compact

import "math"

// Groups cuts the segments that begin below end into runs, each of which
// becomes one segment: no more bytes than maxBytes before cleaning, and
// offsets that fit the 32 bits of the indexes. next is the offset after the
// last of segs: where the segment after them begins. Each element is the
// number of segments in a run.
func Groups(segs []Segment, next, end, maxBytes int64) []int {
	var out []int
	run, bytes, base := 0, int64(0), int64(0)
	for i, s := range segs {
		if s.Base >= end {
			break
		}
		last := next - 1
		if i+1 < len(segs) {
			last = segs[i+1].Base - 1
		}
		if run > 0 && (bytes+s.Bytes > maxBytes || last-base > math.MaxInt32) {
			out = append(out, run)
			run, bytes = 0, 0
		}
		if run == 0 {
			base = s.Base
		}
		run++
		bytes += s.Bytes
	}
	if run > 0 {
		out = append(out, run)
	}
	return out
}
