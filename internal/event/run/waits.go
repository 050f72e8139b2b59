package run

const (
	// mostMarks bounds the marks of a branch.
	mostMarks = 128
	// markShare is by which part of what they span marks lie apart at least, so that an
	// hour's are minutes apart and a day's half an hour.
	markShare = mostMarks / 2
)

// mark says that all events of what a branch reads below an offset were there at a time, and
// no others until another time.
type mark struct{ ms, untilMs, below int64 }

// marks are in the order of their times. An event's own time does not say when it came: who
// mirrors a topic puts events of long ago on a bus.
type marks []mark

// add notes what is there.
func (m marks) add(nowMs, below int64) marks {
	switch n := len(m); {
	case n == 0:
	case m[n-1].below > below: // the log lost its end, and others may come there
		m = m[:0]
	case nowMs < m[n-1].untilMs: // the clock was moved back
		return m
	case m[n-1].below == below:
		m[n-1].untilMs = nowMs
		return m
	case nowMs-m[n-1].ms < (nowMs-m[0].ms)/markShare:
		return m
	case n == mostMarks:
		thin := m[:0]
		for i := 0; i < n; i += 2 {
			thin = append(thin, m[i])
		}
		m = thin
	}
	return append(m, mark{nowMs, nowMs, below})
}

// there is below which offset all events were there at a time, as far as that is known.
func (m marks) there(ms int64) (below int64) {
	for _, k := range m {
		if k.ms <= ms {
			below = k.below
		}
	}
	return below
}

// since is a time after which the event at an offset came, as late as that is known; 0:
// nothing is known.
func (m marks) since(offset int64) (ms int64) {
	for _, k := range m {
		if k.below <= offset {
			ms = k.untilMs
		}
	}
	return ms
}
