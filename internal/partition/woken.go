package partition

// Woken gathers what an append has made ready, so that whoever appended can see
// to it itself once it has let go of all locks: to hand a record to a waiting
// reader costs less on the goroutine that brought it than on one that must be
// woken for it. The zero Woken is empty. It belongs to one append at a time.
type Woken struct {
	list [maxWoken]func()
	n    int
}

// maxWoken bounds what one append sees to: with many readers the others are
// woken, and run on other processors.
const maxWoken = 4

// Add takes something to do, or refuses it when there is enough already.
func (w *Woken) Add(do func()) bool {
	if w.n == len(w.list) {
		return false
	}
	w.list[w.n] = do
	w.n++
	return true
}

// Run does what was gathered. No lock held.
func (w *Woken) Run() {
	for i := range w.n {
		do := w.list[i]
		w.list[i] = nil
		do()
	}
	w.n = 0
}

// Obliging is a FetchWaiter that can leave what it has to do to whoever made
// it readable. ReadableBy is Readable, with the same rules; it may be called
// instead of it, and w is good until it returns.
type Obliging interface {
	ReadableBy(n int, w *Woken)
}
