package broker

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// diskWorkers is how many goroutines wait for the disk at once: more than
// there are processors, since most of their time is spent waiting.
const diskWorkers = 8

// openNow opens partitions that have no directory yet and returns when all
// are open. A few are not worth a goroutine.
func (b *Broker) openNow(hs []*held) {
	workers := 1
	if len(hs) >= 256 {
		workers = b.workers(runtime.GOMAXPROCS(0))
	}
	inParallel(hs, workers, func(h *held) { h.open(b.o.Logger) })
}

// workers is how many goroutines may do something: so many, or none beside the
// caller's own.
func (b *Broker) workers(most int) int {
	if b.o.Stepping != nil {
		return 1
	}
	return most
}

// openLater opens what an earlier run left, in the background, internal topics
// first: coordinators wait for them.
func (b *Broker) openLater(hs []*held) {
	if len(hs) == 0 {
		return
	}
	slices.SortFunc(hs, byUrgency)
	if b.o.Stepping != nil {
		for _, h := range hs {
			b.o.Stepping.Later(func() { h.open(b.o.Logger) })
		}
		return
	}
	b.recovering.Add(int64(len(hs)))
	began := b.o.Now()
	var next, left atomic.Int64
	left.Store(int64(len(hs)))
	for range min(diskWorkers, len(hs)) {
		b.opening.Go(func() {
			for !b.stopped.Load() {
				i := next.Add(1) - 1
				if i >= int64(len(hs)) {
					return
				}
				hs[i].open(b.o.Logger)
				b.recovering.Add(-1)
				if left.Add(-1) == 0 {
					b.o.Logger.Info("partitions are open", "count", len(hs), "dur", b.o.Now().Sub(began))
				}
			}
		})
	}
}

// byUrgency puts internal topics first, then goes by name.
func byUrgency(x, y *held) int {
	if x.internal != y.internal {
		if x.internal {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(x.id.Topic, y.id.Topic), cmp.Compare(x.id.Partition, y.id.Partition))
}

// inParallel calls do for each, on a few goroutines, and waits for all.
func inParallel(hs []*held, workers int, do func(*held)) {
	if workers = min(workers, len(hs)); workers <= 1 {
		for _, h := range hs {
			do(h)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(hs)); i = next.Add(1) - 1 {
				do(hs[i])
			}
		})
	}
	wg.Wait()
}
