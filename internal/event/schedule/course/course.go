package course

import "ottla/internal/event/cron"

// Bounds.
const (
	// MostWaiting are the runs of one schedule that wait to be delivered: the
	// state of a schedule is written whole with each change.
	MostWaiting = 100
	// mostDead are those of them of which only the letter waits: the others are runs.
	mostDead = MostWaiting / 2
	// missedAfterMs is how late a run is when it counts as missed: AWS promises
	// the minute.
	missedAfterMs = 60_000
	// mostSlots is how many slots one turn looks at.
	mostSlots = 100_000
	// mostWhy bounds the reason that is kept of a failed attempt, in bytes.
	mostWhy = 300
)

// Missed is what happens to runs whose time passed while nobody was there.
type Missed string

// The policies.
const (
	All  Missed = "all"  // every one is run, in order
	Last Missed = "last" // the last one is run
	None Missed = "none" // none is run
)

// Retry bounds the attempts of a run.
type Retry struct {
	Most     int   // attempts after the first
	MaxAgeMs int64 // since the first attempt; of missed runs, since their time
}

// Timing is what a schedule's definition says about time. Times are milliseconds
// since 1970, 0 for none.
type Timing struct {
	Expression     *cron.Expression
	SinceMs        int64 // it holds since then
	StartMs, EndMs int64 // slots are in [StartMs, EndMs]
	WindowMs       int64 // a run begins at a moment of the window behind its slot
	Paused         bool
	Missed         Missed
	Retry          Retry
	Seed           uint64 // of the schedule's own, for windows and waits
}

// State is what has happened to a schedule. It is kept as JSON.
type State struct {
	ID      string    `json:"id"`   // of the definition; another begins anew
	LastMs  int64     `json:"last"` // the last slot that was decided, 0 before
	Waiting []Waiting `json:"waiting,omitempty"`
}

// Waiting is a run that is to be delivered.
type Waiting struct {
	SlotMs   int64  `json:"slot"`
	FirstMs  int64  `json:"first,omitempty"` // when the first attempt began; 0 before
	DueMs    int64  `json:"due"`             // when the next one may begin
	Attempts int    `json:"attempts,omitempty"`
	Flying   bool   `json:"flying,omitempty"` // an attempt is under way
	Why      string `json:"why,omitempty"`    // of the last failure
	// DeadMs is when it was given up, 0 before: now only its letter waits. Exhausted
	// is the letter's.
	DeadMs    int64  `json:"dead,omitempty"`
	Exhausted string `json:"exhausted,omitempty"`
}

// Attempt is one attempt to deliver a run.
type Attempt struct {
	SlotMs int64
	Number int // from 1 on
}

// Turn is what is to be done now.
type Turn struct {
	State    State
	Changed  bool
	Attempts []Attempt // in the order of their slots
	Letters  []Letter  // that could not be written before
	// Skipped are missed runs that were given up, as far as they were counted:
	// those too old to be looked at count as one.
	Skipped int
	More    bool // not all slots were looked at: take another turn
}

// Rest is how a schedule stands after a turn.
type Rest struct {
	WakeMs int64 // when to take the next turn; 0 for never by itself
	Over   bool  // there is no run any more, and none waits
}

// Result is what came of an attempt.
type Result struct {
	OK      bool
	Final   bool   // trying again is no use
	Why     string // of a failure
	AfterMs int64  // who was asked wants to be left alone for so long
}

// Letter is a run that was given up.
type Letter struct {
	SlotMs    int64
	Attempts  int
	Why       string
	Exhausted string // which bound was met: Attempts, Age, or "" for a final failure
	Last      bool   // it is not tried again to write it
}

// Values of Letter.Exhausted, by EventBridge Scheduler's names.
const (
	ExhaustedAttempts = "MaximumRetryAttempts"
	ExhaustedAge      = "MaximumEventAgeInSeconds"
)

// clone copies what a turn changes.
func (s State) clone() State {
	s.Waiting = append([]Waiting(nil), s.Waiting...)
	return s
}

// Resume is the state as another process finds it: nothing is under way.
func (s State) Resume() State {
	s = s.clone()
	for i := range s.Waiting {
		if s.Waiting[i].Flying {
			s.Waiting[i].Flying, s.Waiting[i].DueMs = false, 0
		}
	}
	return s
}
