package syncway

import (
	"math/bits"
	"time"
)

// Ways chooses between syncing dirty files one by one and syncing the whole
// file system at once, by what each way has cost here: one by one costs about
// the same per file, the whole about the same per round, whatever else is
// dirty on that disk. Where others write much to it, the whole is slow, and
// the choice goes back to single files. It is used by one goroutine.
type Ways struct {
	perFile time.Duration     // smoothed; 0 unknown
	perFS   [24]time.Duration // smoothed, by the logarithm of the number of files
	retry   time.Time         // when the way not taken may be tried again
	backoff time.Duration
}

const (
	// fewFiles are always synced one by one: each releases its waiters at
	// once, and syncfs can not win.
	fewFiles = 4
	// guessFiles is from how many files on syncfs is tried before anything
	// was measured.
	guessFiles = 8

	firstRetry = 2 * time.Second
	lastRetry  = 5 * time.Minute
	// smooth is the share of the newest measurement, 1 in so many.
	smooth = 4
)

// Whole tells whether n files are synced with one syncfs.
func (w *Ways) Whole(n int, now time.Time) bool {
	if n <= fewFiles {
		return false
	}
	fs := w.perFS[bucket(n)]
	if fs == 0 {
		fs = w.nearest(n)
	}
	if fs == 0 {
		return n >= guessFiles
	}
	if w.perFile == 0 {
		return false // to know what it costs
	}
	best := fs < time.Duration(n)*w.perFile
	if now.After(w.retry) {
		// Try the other way once; learn decides when to try again.
		return !best
	}
	return best
}

// Learn notes what a round cost. A try of the dearer way that confirmed what
// was known doubles the time until the next.
func (w *Ways) Learn(whole bool, n int, took time.Duration, now time.Time) {
	if whole {
		w.perFS[bucket(n)] = blend(w.perFS[bucket(n)], took)
	} else {
		w.perFile = blend(w.perFile, took/time.Duration(n))
	}
	if n <= fewFiles || !now.After(w.retry) {
		return
	}
	fs := w.perFS[bucket(n)]
	confirmed := fs == 0 || whole != (fs < time.Duration(n)*w.perFile)
	if confirmed {
		w.backoff = min(max(2*w.backoff, firstRetry), lastRetry)
	} else {
		w.backoff = firstRetry
	}
	w.retry = now.Add(w.backoff)
}

// nearest is the cost of syncfs in the closest size that was measured.
func (w *Ways) nearest(n int) time.Duration {
	b := bucket(n)
	for d := 1; d < len(w.perFS); d++ {
		for _, i := range [2]int{b - d, b + d} {
			if i >= 0 && i < len(w.perFS) && w.perFS[i] > 0 {
				return w.perFS[i]
			}
		}
	}
	return 0
}

func bucket(n int) int { return min(bits.Len(uint(n)), 23) }

func blend(old, took time.Duration) time.Duration {
	took = max(took, 1)
	if old == 0 {
		return took
	}
	return old + (took-old)/smooth
}
