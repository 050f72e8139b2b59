package cluster

import (
	"math/rand/v2"
	"time"

	"ottla/test/simulation/event"
)

// Options are the sizes of a seed and the faults that it has: tiny sizes, so that
// rare ways come often, and each fault is off in some.
type Options struct {
	Nodes         int
	Partitions    int32
	Producers     int
	Mover         bool // a client consumes, transforms and produces
	Crew          bool // a group has members that come and go
	Modern        bool // of the consumer protocol (KIP-848), else of the classic one
	TakeOvers     bool // another instance of it takes over now and then
	SegmentBytes  int64
	SnapshotBytes int64 // of the metadata log
	VerifyAge     time.Duration
	MaxLag        time.Duration
	Durability    string

	Loss, Duplicate    float64
	MinDelay, MaxDelay time.Duration
	MinSync, MaxSync   time.Duration // how long a sync round waits for the disk

	Partitioned, Crashes, Kills, Stops bool
	IOErrors, Full, Pauses, Jumps      bool
	Moves, Wipes, Slow, Votes          bool
	Admin, Trims, Rot, Ruin, CutOff    bool
	Guest                              bool // a node more joins, and leaves
	Compact                            bool // logs of internal topics are compacted

	Pace   time.Duration // between faults
	Safety time.Duration // how long there are any
}

// Choose draws the options of a seed.
func Choose(seed uint64) Options {
	r := event.Stream(seed, "options")
	some := func(p float64) bool { return event.Chance(r, p) }
	ms := func(of ...int) time.Duration { return time.Duration(event.Draw(r, of...)) * time.Millisecond }
	o := Options{
		Nodes: event.Draw(r, 3, 3, 3, 5), Partitions: event.Draw[int32](r, 1, 2, 3), Producers: event.Draw(r, 1, 2, 4),
		SegmentBytes: event.Draw[int64](r, 600, 2000, 20_000), SnapshotBytes: event.Draw[int64](r, 2000, 10_000, 1<<20),
		VerifyAge: event.Draw(r, 0, time.Hour), MaxLag: ms(1500, 4000, 30_000), Durability: "fsync",
		MinDelay: ms(0, 1, 3), MaxDelay: ms(2, 10, 60, 250), MinSync: ms(0, 1, 4), MaxSync: ms(1, 5, 30, 200),
		Partitioned: some(.7), Crashes: some(.8), Kills: some(.6), Stops: some(.5),
		IOErrors: some(.4), Full: some(.4), Pauses: some(.4), Jumps: some(.4),
		Mover: some(.6), TakeOvers: some(.5),
		Moves: some(.5), Wipes: some(.4), Slow: some(.3), Votes: some(.4), Admin: some(.6), Trims: some(.4),
		Pace: ms(400, 1500, 4000), Safety: ms(15_000, 30_000),
	}
	lossy(r, &o)
	o.Rot, o.Ruin, o.Crew, o.Modern, o.CutOff = some(.4), some(.2), some(.4), some(.5), some(.3)
	o.Guest, o.Compact = some(.25), some(.6)
	return o
}

// lossy draws what the network loses and doubles.
func lossy(r *rand.Rand, o *Options) {
	if event.Chance(r, .5) {
		o.Loss = r.Float64() * .15
	}
	if event.Chance(r, .4) {
		o.Duplicate = r.Float64() * .1
	}
}
