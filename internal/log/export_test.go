package log

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
