package broker

import (
	"cmp"
	"slices"
	"time"
)

// A log that cannot be opened, for want of room or of descriptors as a rule, is
// tried again by itself. Opening reads much, so that the waits grow.
const (
	firstAgain   = time.Second
	longestAgain = time.Minute
)

// failure is why a partition's log is not open.
type failure struct {
	why  error
	wait time.Duration // before the next try
	due  time.Time     // of the next try
}

// Closed is a partition whose log cannot be opened.
type Closed struct {
	Topic string
	Index int32
	Dir   string
	Why   error
}

// Closed lists the partitions whose logs cannot be opened while their directories
// work, by name and number.
func (b *Broker) Closed() (out []Closed) {
	if b.closed.Load() == 0 {
		return nil
	}
	for h := range b.broken() {
		if f := h.failure.Load(); f != nil {
			out = append(out, Closed{h.id.Topic, h.id.Partition, h.dir().Path(), f.why})
		}
	}
	slices.SortFunc(out, func(x, y Closed) int { return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Index, y.Index)) })
	return out
}

// broken goes through the partitions whose logs could not be opened, and whose
// directories work.
func (b *Broker) broken() func(yield func(*held) bool) {
	return func(yield func(*held) bool) {
		for t := range b.table.topics() {
			for _, h := range t.parts {
				if h != nil && h.state.Load() == broken && h.dir().Err() == nil && !yield(h) {
					return
				}
			}
		}
	}
}

// OpenAgain tries the logs again whose time has come. It is for who steps the
// broker himself; the loops of Start do.
func (b *Broker) OpenAgain(now time.Time) {
	b.openBroken(func(f *failure) bool {
		left := f.due.Sub(now)
		return left <= 0 || left > f.wait // a clock that was set back
	})
}

// openNowAgain tries all of them.
func (b *Broker) openNowAgain(time.Time) { b.openBroken(func(*failure) bool { return true }) }

func (b *Broker) openBroken(due func(*failure) bool) {
	if b.closed.Load() == 0 {
		return
	}
	for h := range b.broken() {
		if f := h.failure.Load(); f != nil && due(f) {
			h.open(b.o.Logger)
		}
	}
}

// failed notes why the log could not be opened. mu is held.
func (h *held) failed(why error) (news bool) {
	f := &failure{why: why, wait: firstAgain}
	if last := h.failure.Load(); last != nil {
		f.wait = min(2*last.wait, longestAgain)
		news = last.why.Error() != why.Error()
	} else {
		h.broker.closed.Add(1)
		news = true
	}
	f.due = h.broker.o.Now().Add(f.wait)
	h.failure.Store(f)
	return news
}

// recovered ends that, if it was so. mu is held.
func (h *held) recovered() bool {
	if h.failure.Swap(nil) == nil {
		return false
	}
	h.broker.closed.Add(-1)
	return true
}
