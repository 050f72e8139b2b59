package replicate

import (
	"time"

	"ottla/internal/partition"
	"ottla/internal/wire/pull"
)

// firstPause is how long a partition waits after a first error.
const firstPause = 20 * time.Millisecond

// part is a partition that follows. It implements partition.Reporter.
type part struct {
	fetcher     *fetcher
	partition   *partition.Partition
	key         pull.Key
	leaderEpoch int32

	// fetcher.mu guards these.
	asked  bool // the leader has its question
	gone   bool
	listed bool // in fetcher.idle
	news   bool // in fetcher.synced
	pause  time.Duration
	due    time.Time // not asked again before; zero: at once
	told   int64     // the synced offset that the leader was told last
	stuck  bool      // what came last could not be kept here, and the leader shall know
	level  bool      // in sync, or with all that is committed: never throttled (KIP-73)
	held   bool      // not asked about since the rate is reached
}

func newPart(n *fetcher, p *partition.Partition, leaderEpoch int32) *part {
	d := p.Describe()
	return &part{fetcher: n, partition: p, key: pull.Key{Topic: d.ID, Index: d.Index}, leaderEpoch: leaderEpoch, told: -1, level: p.InSync(n.all.o.NodeID)}
}

// Synced implements partition.Reporter.
func (x *part) Synced() { x.fetcher.note(x) }

// rest makes a partition wait after an error, longer each time up to most.
// fetcher.mu is held.
func (x *part) rest(now time.Time, most time.Duration) {
	x.pause = min(max(2*x.pause, firstPause), max(most, firstPause))
	x.due = now.Add(x.pause)
}

// well ends a series of errors. fetcher.mu is held.
func (x *part) well() { x.pause, x.due, x.stuck = 0, time.Time{}, false }
