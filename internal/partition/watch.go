package partition

import "slices"

// FetchWaiter is woken when bytes become readable. It is embedded in the
// door's waiting fetch; one waiter may watch many partitions.
type FetchWaiter interface {
	// Readable is called, from appenders and sync rounds, when the bound that
	// the waiter reads up to has moved by about n bytes (Unknown when that
	// cannot be told), or with n < 0 when the fetch must answer at once (epoch,
	// role, log start or error changed). It may be called many times until
	// Unwatch. It must be quick, and must neither call the partition nor wait
	// for a lock that is held around Watch or Unwatch.
	Readable(n int)
}

type watcher struct {
	w FetchWaiter
	i Isolation
}

// Anyone is implemented by waiters of fetches that a follower may answer.
type Anyone interface{ Anyone() bool }

// Watch registers w until Unwatch. at is the bound that the fetch has seen
// (HighWatermark, or LastStable for ReadCommitted, as Fetch told it); if there
// is more already, or no service any more, Readable is called before Watch
// returns. Watching an idle partition costs one entry in a list.
func (p *Partition) Watch(w FetchWaiter, at int64, i Isolation) {
	p.st.Lock()
	defer p.st.Unlock()
	p.watchers = append(p.watchers, watcher{w, i})
	bound := p.highAt
	if i == ReadCommitted {
		bound = p.stableAt
	}
	switch {
	case p.mayServe(-1, anyone(w)) != nil:
		w.Readable(-1)
	case bound.Offset > at:
		w.Readable(Unknown)
	}
}

func anyone(w FetchWaiter) bool {
	a, ok := w.(Anyone)
	return ok && a.Anyone()
}

// Unwatch takes back one Watch. When it returns, Readable is not running and
// will not be called for it any more.
func (p *Partition) Unwatch(w FetchWaiter) {
	p.st.Lock()
	defer p.st.Unlock()
	i := slices.IndexFunc(p.watchers, func(x watcher) bool { return x.w == w })
	if i < 0 {
		return
	}
	last := len(p.watchers) - 1
	p.watchers[i] = p.watchers[last]
	p.watchers[last] = watcher{}
	p.watchers = p.watchers[:last]
}

// wake tells watchers by how much their bound has moved. st held.
func (p *Partition) wake(high, stable int) {
	if high == 0 && stable == 0 {
		return
	}
	for _, x := range p.watchers {
		n := high
		if x.i == ReadCommitted {
			n = stable
		}
		if n <= 0 {
			continue
		}
		if w, ok := x.w.(Obliging); ok && p.by != nil {
			w.ReadableBy(n, p.by)
		} else {
			x.w.Readable(n)
		}
	}
}

// alarm tells every watcher to answer at once, and every feed. st held.
func (p *Partition) alarm() {
	p.stir(NewsChanged)
	p.lowered()
	for _, x := range p.watchers {
		x.w.Readable(-1)
	}
}
