package quota

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/metric"
)

// Unlimited is the rate of those that are not throttled, Kafka's default.
const Unlimited = math.MaxInt64

// Options make a Quota.
type Options struct {
	Samples int           // replication.quota.window.num
	Span    time.Duration // replication.quota.window.size.seconds
	Now     func() time.Time
	Metrics Metrics
}

// Metrics are what is measured. A nil handle measures nothing.
type Metrics struct {
	Bytes *metric.Counter // taken of a limited rate
	Waits *metric.Counter // times that somebody was refused
}

// Quota is a rate that many share. Its methods may be called from any goroutine
// and with any lock held. A nil Quota has no limit.
type Quota struct {
	o       Options
	limited atomic.Bool

	mu   sync.Mutex // guards what follows
	rate int64      // bytes a second
	w    window
}

// New makes a Quota without a limit.
func New(o Options) *Quota {
	return &Quota{o: o, rate: Unlimited, w: window{span: o.Span, most: o.Samples}}
}

// Limit sets the rate in bytes a second. What was taken of another counts still,
// but nothing of what was taken without a limit.
func (q *Quota) Limit(bytesPerSecond int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rate = bytesPerSecond
	if bytesPerSecond == Unlimited {
		q.w.samples = nil
	}
	q.limited.Store(bytesPerSecond != Unlimited)
}

// Limited tells whether there is a rate to heed.
func (q *Quota) Limited() bool { return q != nil && q.limited.Load() }

// Take counts bytes that went.
func (q *Quota) Take(bytes int) {
	if !q.Limited() || bytes == 0 {
		return
	}
	q.o.Metrics.Bytes.Add(bytes)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.rate != Unlimited {
		q.w.add(q.o.Now(), int64(bytes))
	}
}

// shortest is how long who was refused waits at least: what a rate gives meanwhile
// then goes at once, instead of in crumbs.
const shortest = 20 * time.Millisecond

// Room tells how many bytes may go now: what the rate has left, or those of one span
// where that is more, which are owed then, so that little is cut off in the middle
// of a batch; at least 1. Or 0 when more were taken than the rate allows, and after
// how long to look again: no later than the next sample begins, since the rate may
// be another by then.
func (q *Quota) Room() (bytes int, wait time.Duration) {
	if !q.Limited() {
		return math.MaxInt, 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	rate := float64(q.rate)
	left, change := q.w.left(q.o.Now(), rate)
	most := max(left, rate*q.o.Span.Seconds(), 1)
	switch {
	case q.rate == Unlimited || left >= 0 && most >= math.MaxInt:
		return math.MaxInt, 0
	case left >= 0:
		return int(most), 0
	}
	return 0, min(max(change, shortest), max(q.o.Span, shortest))
}

// Refused counts that somebody has to wait.
func (q *Quota) Refused() { q.o.Metrics.Waits.Inc() }
