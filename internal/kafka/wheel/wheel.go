package wheel

import (
	"math/bits"
	"sync"
	"time"
)

// Tick is the resolution; Buckets ticks are one round.
const (
	Tick    = 5 * time.Millisecond
	buckets = 1024 // about five seconds a round; longer time-outs go round again
)

// Timer is one time-out, embedded in what waits. Its Fire must be set before
// it is first armed.
type Timer struct {
	Fire func()

	next, prev *Timer // in its bucket's ring; nil when not armed
	tick       int64  // when it is due
}

// Wheel holds armed timers. It must be made by New.
type Wheel struct {
	start time.Time

	mu      sync.Mutex
	slots   [buckets]Timer       // heads of rings
	full    [buckets / 64]uint64 // a bit for each bucket that holds something
	count   int                  // timers armed
	done    int64                // ticks up to here have fired
	clock   *time.Timer          // set for the tick in wakes
	wakes   int64                // 0: not set
	closed  bool
	running sync.WaitGroup
}

// New makes an empty wheel.
func New() *Wheel {
	w := &Wheel{start: time.Now()}
	for i := range w.slots {
		s := &w.slots[i]
		s.next, s.prev = s, s
	}
	return w
}

// Arm lets t fire once d has passed. On a closed wheel it does nothing.
func (w *Wheel) Arm(t *Timer, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || t.next != nil {
		return
	}
	now := w.now()
	if w.count == 0 {
		w.done = now
	}
	t.tick = max(now+int64((d+Tick-1)/Tick)+1, w.done+1)
	i := t.tick % buckets
	head := &w.slots[i]
	t.prev, t.next = head.prev, head
	head.prev.next, head.prev = t, t
	w.full[i/64] |= 1 << (i % 64)
	w.count++
	if w.wakes == 0 || t.tick < w.wakes {
		w.set(t.tick)
	}
}

// Cancel takes t out; false when it was not armed (any more).
func (w *Wheel) Cancel(t *Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.next == nil {
		return false
	}
	w.remove(t)
	if w.count == 0 && w.wakes != 0 {
		w.wakes = 0 // the clock may still ring once, for nothing
	}
	return true
}

// Close drops all timers without firing them and waits for what fires now.
func (w *Wheel) Close() {
	w.mu.Lock()
	w.closed = true
	if w.clock != nil {
		w.clock.Stop()
	}
	w.mu.Unlock()
	w.running.Wait()
}

// now is the current tick.
func (w *Wheel) now() int64 { return int64(time.Since(w.start) / Tick) }

// set makes the clock ring at tick; the lock is held.
func (w *Wheel) set(tick int64) {
	w.wakes = tick
	d := time.Until(w.start.Add(time.Duration(tick) * Tick))
	if w.clock == nil {
		w.clock = time.AfterFunc(d, w.ring)
		return
	}
	w.clock.Reset(d)
}

// remove unlinks t; the lock is held.
func (w *Wheel) remove(t *Timer) {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
	w.count--
	if i := t.tick % buckets; w.slots[i].next == &w.slots[i] {
		w.full[i/64] &^= 1 << (i % 64)
	}
}

// ring fires what is due and sets the clock for what comes next.
func (w *Wheel) ring() {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.running.Add(1)
	defer w.running.Done()
	now := w.now()
	for w.count > 0 && w.done < now {
		w.done = max(w.done, min(w.nextFull(w.done)-1, now))
		if w.done == now {
			break
		}
		w.done++
		w.fire(w.done)
	}
	w.done = max(w.done, now)
	w.wakes = 0
	if w.count > 0 && !w.closed {
		w.set(w.nextFull(w.done))
	}
	w.mu.Unlock()
}

// fire calls what is due at tick; the lock is given up for each call.
func (w *Wheel) fire(tick int64) {
	head := &w.slots[tick%buckets]
	for t := head.next; t != head; {
		if t.tick > tick {
			t = t.next // of a later round
			continue
		}
		w.remove(t)
		call := t.Fire
		w.mu.Unlock()
		call()
		w.mu.Lock()
		t = head.next // the ring may have changed meanwhile
	}
}

// nextFull is the first tick after the given one whose bucket holds something
// (perhaps only of later rounds); the lock is held and count above 0.
func (w *Wheel) nextFull(after int64) int64 {
	first := (after + 1) % buckets
	for n := int64(0); n < buckets+64; {
		i := (first + n) % buckets
		if word := w.full[i/64] >> (i % 64); word != 0 {
			return after + 1 + n + int64(bits.TrailingZeros64(word))
		}
		n += 64 - i%64
	}
	return after + buckets
}
