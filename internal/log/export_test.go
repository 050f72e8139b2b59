package log

import (
	"runtime"

	"ottla/internal/log/layout"
)

// Roofs are the base offsets of the segments, and the end of the log.
func (l *Log) Roofs() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []int64
	for _, s := range l.segs {
		out = append(out, s.base)
	}
	return append(out, l.end.Offset)
}

// AwaitStopping returns once a close waits for the cleaning under way.
func (l *Log) AwaitStopping() {
	for !l.cleaning.stopping.Load() {
		runtime.Gosched()
	}
}

// SegmentFile is the name of a segment's file.
func SegmentFile(base int64) string { return layout.FileName(base, layout.Log) }
