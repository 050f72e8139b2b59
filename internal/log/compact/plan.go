package compact

import "math"

// Segment is what is known of a closed segment.
type Segment struct {
	Base, Bytes int64
	// FirstMs is the largest timestamp of its first batch, MaxMs that of all;
	// -1 when there is none. They are needed only with a lag (Rules.NeedFirst,
	// NeedMax).
	FirstMs, MaxMs int64
}

// Rules are the settings of a log that say when it is due.
type Rules struct {
	// DirtyRatio is min.cleanable.dirty.ratio: due when the share of bytes
	// that no cleaning has seen yet is above it.
	DirtyRatio float64
	// MinLagMs keeps segments with younger records out (KIP-58); 0 none.
	MinLagMs int64
	// MaxLagMs makes a log due whatever its ratio when a record is older and
	// was not cleaned yet (KIP-354); 0 none.
	MaxLagMs int64
}

// NeedFirst and NeedMax tell which times of segments Judge looks at.
func (r *Rules) NeedFirst() bool { return r.MaxLagMs > 0 && r.MaxLagMs < math.MaxInt64 }

// NeedMax is NeedFirst for Segment.MaxMs.
func (r *Rules) NeedMax() bool { return r.MinLagMs > 0 }

// Log is the state of a log that Judge decides on.
type Log struct {
	Segments []Segment // the closed ones, by base
	Active   int64     // base offset of the active one
	Start    int64     // log start offset
	Stable   int64     // the last stable offset: above it nothing is decided
	Cleaned  int64     // where the last cleaning ended; out of range counts as never
}

// Plan is what a cleaning would cover.
type Plan struct {
	From       int64 // what lies below was cleaned before
	To         int64 // the first offset that may not be cleaned: a segment's base
	CleanBytes int64 // in segments that begin below From
	DirtyBytes int64 // in segments of [From, To)
	Due        bool  // worth doing now
	Overdue    bool  // because of its age
}

// Ratio is the share of dirty bytes.
func (p *Plan) Ratio() float64 {
	if p.DirtyBytes == 0 {
		return 0
	}
	return float64(p.DirtyBytes) / float64(p.CleanBytes+p.DirtyBytes)
}

// Judge plans the next cleaning of a log. Only whole closed segments below the
// last stable offset are cleaned.
func Judge(l *Log, r *Rules, nowMs int64) Plan {
	p := Plan{From: l.Cleaned}
	if p.From < l.Start || p.From > l.Active {
		p.From = l.Start
	}
	p.To = max(p.From, l.bound(r, p.From, nowMs))
	for i, s := range l.Segments {
		if s.Base < p.From {
			p.CleanBytes += s.Bytes
		}
		if s.Base < p.To && l.next(i) > p.From {
			p.DirtyBytes += s.Bytes
			old := r.NeedFirst() && s.FirstMs > 0 && nowMs-s.FirstMs > r.MaxLagMs
			p.Overdue = p.Overdue || old
		}
	}
	p.Overdue = p.Overdue && p.DirtyBytes > 0
	p.Due = p.Overdue || p.Ratio() > r.DirtyRatio
	return p
}

// bound is the base of the first segment that may not be cleaned.
func (l *Log) bound(r *Rules, from, nowMs int64) int64 {
	for i, s := range l.Segments {
		if l.next(i) > l.Stable {
			return s.Base
		}
		if r.NeedMax() && l.next(i) > from && s.MaxMs > nowMs-r.MinLagMs {
			return s.Base
		}
	}
	return l.Active
}

// next is where the segment after segment i begins.
func (l *Log) next(i int) int64 {
	if i+1 < len(l.Segments) {
		return l.Segments[i+1].Base
	}
	return l.Active
}
