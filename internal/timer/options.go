package timer

import (
	"time"

	"ottla/internal/uuid"
)

// Options make a Machine.
type Options struct {
	// Shard is the partition of the timers' topic.
	Shard int32
	// Topic tells of a topic as it is at this moment; false when there is none.
	Topic func(name string) (Topic, bool)
	// Carrier appends.
	Carrier Carrier
}

// Topic is what is to be known of a topic.
type Topic struct {
	ID         uuid.UUID
	Partitions int32
	// MaxBatchBytes is what a batch may have.
	MaxBatchBytes int
}

const (
	// mostFlight bounds the timers of one flight: enough that a sync is shared by
	// many, few enough that its record stays small.
	mostFlight = 1000
	// mostFlightBytes bounds the payload of one, whatever the topic takes.
	mostFlightBytes = 512 << 10
	// mostPlanned bounds the flights that one turn decides, so that their records
	// fit in a batch.
	mostPlanned = 64
	// mostGathered bounds the timers that one turn takes off the heap.
	mostGathered = 4096
	// look is how often the clock is looked at while something waits: the domain
	// clock may be set, where the system's is.
	look = 10 * time.Second
	// firstAgain and lastAgain are how long a flight waits that could not land.
	firstAgain = 10 * time.Millisecond
	lastAgain  = time.Second
	// triesToTell is how often a flight must have failed before those hear of it who
	// wait for all that is due: its partition may be opened only now, as after a
	// start. It takes a second and a quarter to get there.
	triesToTell = 8
	// absentFor is how long a topic must have been unknown before its timers are
	// given up: this node may hear of it later than others.
	absentFor = 30 * time.Second
	// redateAfter is how old a decision must be to be made anew when the topic does
	// not take its date.
	redateAfter = time.Second
	// maxParked bounds the commands that wait for one flight.
	maxParked = 1024
	// batchOverhead is what a batch takes beside its records.
	batchOverhead = 61
)
