package lead

import (
	"slices"

	"ottla/internal/partition"
)

// Waiter waits for records.
type Waiter interface {
	partition.FetchWaiter
	// Wake tells that Give may have something now; it is quick.
	Wake()
}

// Watch tells w once when there may be records again, after a Give that gave
// none: g tells what it has seen. Unwatch must follow.
func (p *Part) Watch(w Waiter, g *Given) {
	p.mu.Lock()
	news := p.gen != g.Gen
	if !news {
		p.waits = append(p.waits, w)
	}
	p.unlock()
	if g.Log != nil && g.Bound >= 0 {
		g.Log.Watch(w, g.Bound, g.Reader)
	}
	if news {
		w.Wake()
	}
}

// Unwatch takes back a Watch.
func (p *Part) Unwatch(w Waiter, g *Given) {
	if g.Log != nil && g.Bound >= 0 {
		g.Log.Unwatch(w)
	}
	p.mu.Lock()
	if i := slices.IndexFunc(p.waits, func(x Waiter) bool { return x == w }); i >= 0 {
		p.waits = slices.Delete(p.waits, i, i+1)
	}
	p.unlock()
}
