package course

// Look tells when the lane is to be looked at again by itself; 0 when only because
// something else happens. Of what may begin now, something else is in the way: a call
// under way, or a payload that is not in memory.
func (l *Lane) Look(lim Limits, nowMs int64) int64 {
	if l.easy(lim, nowMs) {
		return l.ease.look()
	}
	var at int64
	earlier := func(ms int64) {
		if ms > nowMs && (at == 0 || ms < at) {
			at = ms
		}
	}
	for i := range l.Items {
		it := &l.Items[i]
		if it.flying || it.done {
			continue
		}
		earlier(l.ready(it, lim, nowMs))
		if it.Spent == "" {
			earlier(it.PutMs + lim.maxAgeMs() + 1)
		}
	}
	return at
}

// ready is when a delivery may begin, as far as time says.
func (l *Lane) ready(it *Item, lim Limits, nowMs int64) int64 {
	at := it.DueMs
	if it.Spent != "" {
		return at
	}
	at = max(at, l.HoldMs)
	if !l.probing {
		at = max(at, l.Breaker.UntilMs)
	}
	if lim.Batch.Size > 1 && it.Group < 0 {
		at = max(at, it.PutMs+lim.Batch.WindowMs)
	}
	if lim.Rate > 0 {
		if tokens := l.count(lim.Rate, nowMs); tokens < 1 {
			at = max(at, nowMs+int64((1-tokens)/lim.Rate*1000)+1)
		}
	}
	return at
}

// Wants is the offset from which on payloads are to be read; -1 when none is wanted.
// Of an endpoint that does not answer nothing is read but what probes it, and what is
// given up.
func (l *Lane) Wants(lim Limits, nowMs int64) int64 {
	left, probe := len(l.Items)-l.gone, l.probe(lim, nowMs)
	if !l.ease.whole || !l.easy(lim, nowMs) {
		whole := true
		for i := range l.Items {
			it := &l.Items[i]
			if l.needs(it, lim, nowMs, probe) {
				return it.Offset
			}
			whole = whole && (it.Loaded || it.done)
		}
		l.ease.whole = whole
	}
	if l.Behind >= 0 && (left == 0 || l.Breaker.UntilMs == 0 && left <= MostItems/2) {
		return l.Behind
	}
	return -1
}

// Needs tells whether the payload of a delivery that is not in memory is to be read
// now.
func (l *Lane) Needs(it *Item, lim Limits, nowMs int64) bool {
	return l.needs(it, lim, nowMs, l.probe(lim, nowMs))
}

func (l *Lane) needs(it *Item, lim Limits, nowMs int64, probe *Item) bool {
	switch {
	case it.Loaded, it.done:
		return false
	case it.Spent == "" && (lim.Disabled || nowMs-it.PutMs > lim.maxAgeMs()):
		return true
	case l.Breaker.UntilMs > 0 && it.Spent == "":
		return it == probe || probe != nil && it.Group >= 0 && it.Group == probe.Group
	}
	return l.ready(it, lim, nowMs) <= nowMs
}

// probe is the delivery that would be called first by time and keys, while the breaker
// is open; nil for none.
func (l *Lane) probe(lim Limits, nowMs int64) *Item {
	if l.Breaker.UntilMs == 0 {
		return nil // it is not asked for
	}
	blocked := map[uint64]bool{}
	for i := range l.Items {
		it := &l.Items[i]
		switch {
		case it.done || it.Spent != "":
			continue
		case !it.flying && l.ready(it, lim, nowMs) <= nowMs && !blocked[it.Key]:
			return it
		}
		blocked[it.Key] = lim.Ordered && it.Key != 0
	}
	return nil
}

// Spare are the payloads that need not be in memory now: of what is tried again later
// than in so many milliseconds, and all of an endpoint that does not answer.
func (l *Lane) Spare(nowMs, soonMs int64) []int64 {
	if l.ease.untilMs > nowMs && l.Breaker.UntilMs == 0 {
		return nil
	}
	var out []int64
	open := l.Breaker.UntilMs > nowMs+soonMs
	for i := range l.Items {
		it := &l.Items[i]
		if it.Loaded && !it.done && !it.flying && (open || it.DueMs > nowMs+soonMs) {
			out = append(out, it.Offset)
		}
	}
	return out
}

// Full tells a lane that takes no more in.
func (l *Lane) Full() bool { return len(l.Items)-l.gone >= MostItems }
