package quota

import (
	"math"
	"time"
)

// window counts bytes in samples of one span each.
type window struct {
	span    time.Duration // of a sample
	most    int           // samples that count
	samples []sample      // oldest first
}

type sample struct {
	start time.Time
	bytes int64
}

// forget drops the samples that began too long ago to count. A clock that was set
// back makes all of them worthless.
func (w *window) forget(now time.Time) {
	if n := len(w.samples); n > 0 && now.Before(w.samples[n-1].start) {
		w.samples = w.samples[:0]
	}
	old := 0
	for old < len(w.samples) && now.Sub(w.samples[old].start) >= w.life() {
		old++
	}
	w.samples = append(w.samples[:0], w.samples[old:]...)
}

// life is how long a sample counts.
func (w *window) life() time.Duration {
	if w.span > math.MaxInt64/time.Duration(w.most) {
		return math.MaxInt64
	}
	return w.span * time.Duration(w.most)
}

// add counts bytes.
func (w *window) add(now time.Time, bytes int64) {
	w.forget(now)
	if n := len(w.samples); n > 0 && now.Sub(w.samples[n-1].start) < w.span {
		w.samples[n-1].bytes += bytes
		return
	}
	w.samples = append(w.samples, sample{now, bytes})
}

// left is how many bytes a rate has left, below zero when more were taken, and
// after how long that may be another number though nothing is taken.
func (w *window) left(now time.Time, rate float64) (bytes float64, change time.Duration) {
	w.forget(now)
	if len(w.samples) == 0 {
		return rate * w.span.Seconds(), w.span
	}
	taken := 0.0
	for _, s := range w.samples {
		taken += float64(s.bytes)
	}
	age := now.Sub(w.samples[0].start)
	change = w.life() - age
	if paid := taken / rate; paid < change.Seconds()+age.Seconds() {
		change = max(time.Duration(paid*float64(time.Second)), w.span) - age
	}
	return rate*max(age, w.span).Seconds() - taken, change
}
