package course

import (
	"cmp"
	"slices"

	"ottla/internal/event/plan"
)

// Bounds.
const (
	// MostItems are the deliveries of one target that are held: a lane is looked
	// through at each turn, and its state is written whole.
	MostItems = 1000
	// DefaultConcurrency is how many calls of an endpoint are under way at most
	// that says nothing.
	DefaultConcurrency = 10
	// mostAgeMs bounds how old a delivery becomes: what is older than the topic's
	// retention (five days) could not be read any more.
	mostAgeMs = 4 * 24 * 3600_000
	// mostWhy bounds the reason that is kept of a failure, in bytes.
	mostWhy = 200
)

// Limits are what an endpoint says about its calls.
type Limits struct {
	Retry       plan.Retry
	Rate        float64 // calls a second; 0 is no limit
	Concurrency int     // 0 is DefaultConcurrency
	Ordered     bool
	Batch       plan.Batch
	Disabled    bool   // nothing is called; what waits is given up
	Seed        uint64 // of the target's own, for waits
}

func (l Limits) concurrency() int {
	if l.Concurrency > 0 {
		return l.Concurrency
	}
	return DefaultConcurrency
}

func (l Limits) maxAgeMs() int64 {
	if l.Retry.MaxAgeMs > 0 {
		return min(l.Retry.MaxAgeMs, mostAgeMs)
	}
	return mostAgeMs
}

// Item is a delivery that is not finished. Times are milliseconds since 1970.
type Item struct {
	Offset   int64
	Key      uint64 // what it is ordered by, a hash; 0 for none
	PutMs    int64  // when it was put down
	Loaded   bool   // its payload is in memory
	Attempts int    // that have ended
	DueMs    int64  // not before; 0 at once
	Group    int64  // offset of the first of those that are called together again; -1 for none
	Code     string // of the last failure
	Why      string
	// Spent is why it was given up, as Letter.Exhausted or spentFinal; "" before. It
	// waits for its dead letter then.
	Spent string

	flying bool
	done   bool // to be taken out
}

// spentFinal is Item.Spent of what would never be taken.
const spentFinal = "final"

// Values of Letter.Exhausted, by EventBridge's names.
const (
	ExhaustedAttempts = "MaximumRetryAttempts"
	ExhaustedAge      = "MaximumEventAgeInSeconds"
)

// CodeDisabled is the code of letters of a disabled endpoint.
const CodeDisabled = "TARGET_DISABLED"

// Lane is what is not finished of one target.
type Lane struct {
	Items []Item // by offset
	// Behind is the offset from which on nothing is in Items; -1 when all is that
	// was read.
	Behind  int64
	Breaker Breaker
	HoldMs  int64 // until then the endpoint wants to be left alone

	probing  bool
	flying   int // calls
	tokens   float64
	tokensMs int64 // when tokens were counted; 0 before
	gone     int   // of Items, that are done
	ease     ease
}

// NewLane is a lane without deliveries.
func NewLane() *Lane { return &Lane{Behind: -1} }

// Empty tells a lane of which nothing need be known.
func (l *Lane) Empty() bool {
	l.compact()
	return len(l.Items) == 0 && l.Behind < 0 && l.Breaker.UntilMs == 0
}

// Flying is how many calls are under way.
func (l *Lane) Flying() int { return l.flying }

// Add takes a delivery in that lies behind all others.
func (l *Lane) Add(it Item) {
	l.Items = append(l.Items, it)
	l.ease.add(&it)
}

// Keep takes back one whose dead letter could not be written: it is given up again
// then.
func (l *Lane) Keep(letter Letter, dueMs int64) {
	it := letter.Item
	it.DueMs, it.done, it.flying = dueMs, false, false
	l.ease = ease{}
	i, there := l.find(it.Offset)
	if there {
		if l.Items[i].done {
			l.gone--
		}
		l.Items[i] = it
		return
	}
	l.Items = slices.Insert(l.Items, i, it)
}

// Find gives the delivery of an offset; nil when it is not held, or finished.
func (l *Lane) Find(offset int64) *Item {
	if i, there := l.find(offset); there && !l.Items[i].done {
		return &l.Items[i]
	}
	return nil
}

func (l *Lane) find(offset int64) (int, bool) {
	return slices.BinarySearchFunc(l.Items, offset, func(it Item, at int64) int { return cmp.Compare(it.Offset, at) })
}

// Lose takes a delivery out that is not there any more.
func (l *Lane) Lose(offset int64) {
	if it := l.Find(offset); it != nil {
		l.end(it)
	}
}

// end has a delivery taken out.
func (l *Lane) end(it *Item) {
	it.done = true
	l.gone++
}

// Load tells that the payload of a delivery is in memory, or is not any more.
func (l *Lane) Load(offset int64, loaded bool) {
	it := l.Find(offset)
	if it == nil || it.Loaded == loaded {
		return
	}
	it.Loaded = loaded
	l.ease.whole = l.ease.whole && loaded
}

// compact takes out what is finished.
func (l *Lane) compact() {
	l.gone = 0
	l.Items = slices.DeleteFunc(l.Items, func(it Item) bool { return it.done })
}

// IsFlying tells whether the delivery is in a call that is under way.
func (it *Item) IsFlying() bool { return it.flying }
