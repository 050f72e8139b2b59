package cluster

import (
	"time"

	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// fetchWait is replica.fetch.wait.max.ms.
const fetchWait = 500 * time.Millisecond

// question is a follower's fetch of one partition.
type question struct {
	part        partition.Describe
	epoch       int32
	replica     int32
	brokerEpoch int64
	pos         partition.Following
	most        int
	stuck       bool
}

// row is its answer.
type row struct {
	code           wire.Code
	high, start    int64
	records        []byte
	diverging      bool
	divergingEpoch int32
	divergingEnd   int64
}

// parked is a follower's fetch that waits: what package kafka/data/feed does. It
// implements partition.Feed.
type parked struct {
	p      *process
	q      question
	part   *partition.Partition
	answer func(any)
	over   bool
	due    bool // a look is to come
	lazy   bool // that the high watermark moved is told soon
}

// serveFetch answers a follower, at once or when there is something.
func (p *process) serveFetch(q question, answer func(any)) {
	x := &parked{p: p, q: q, answer: answer}
	key := asks{q.replica, q.part.ID, q.part.Index}
	if old := p.parked[key]; old != nil {
		old.leave() // who asks anew has given up what was before
	}
	part, code := p.broker.ByID(q.part.ID, q.part.Index)
	if code != wire.None {
		answer(row{code: code, high: -1, start: -1})
		return
	}
	x.part = part
	p.parked[key] = x
	part.Feed(x)
	x.look(false)
	if !x.over {
		p.after(fetchWait, func() { x.look(true) })
	}
}

// Stirred implements partition.Feed.
func (x *parked) Stirred(n partition.News, _ *partition.Woken) {
	if x.over || x.due {
		return
	}
	if n == partition.NewsMoved {
		if !x.lazy {
			x.lazy = true
			x.p.after(5*time.Millisecond, func() { x.look(true) })
		}
		return
	}
	x.due = true
	x.p.after(0, func() {
		x.due = false
		x.look(false)
	})
}

// look answers when there is something for the follower, or in any case.
func (x *parked) look(anyway bool) {
	if x.over {
		return
	}
	r, something := x.read()
	if !something && !anyway {
		return
	}
	x.leave()
	x.answer(r)
}

// leave ends the wait.
func (x *parked) leave() {
	x.over = true
	x.part.Starve(x)
	if key := (asks{x.q.replica, x.q.part.ID, x.q.part.Index}); x.p.parked[key] == x {
		delete(x.p.parked, key)
	}
}

// serveProgress is what a follower tells of its syncs.
func (p *process) serveProgress(replica int32, at partition.Describe, epoch int32, synced int64) {
	x := p.parked[asks{replica, at.ID, at.Index}]
	if x == nil || x.q.epoch != epoch {
		return
	}
	x.q.pos.Synced = max(x.q.pos.Synced, synced)
	_ = x.part.Progress(replica, epoch, synced) // a lost lead is told by the next answer
}

// asks names a follower's place with a partition.
type asks struct {
	replica int32
	topic   uuid.UUID
	index   int32
}

// read looks at the partition.
func (x *parked) read() (row, bool) {
	q := &x.q
	a := partition.ReplicaArgs{
		FetchArgs: partition.FetchArgs{
			Offset: q.pos.End, MaxBytes: q.most, MinOne: true, CurrentLeaderEpoch: q.epoch, LastFetchedEpoch: q.pos.LastEpoch,
		},
		Replica: q.replica, BrokerEpoch: q.brokerEpoch, Synced: q.pos.Synced, Stuck: q.stuck,
	}
	var got partition.Fetched
	err := x.part.FetchReplica(&a, &got)
	r := row{code: wire.CodeOf(err), high: got.HighWatermark, start: got.LogStart}
	if err != nil {
		x.p.suspect("read for a replica", err)
		return r, true
	}
	if got.Diverging {
		r.diverging, r.divergingEpoch, r.divergingEnd = true, got.DivergingEpoch, got.DivergingEnd
		return r, true
	}
	if r.records, err = contentOf(&got); err != nil {
		x.p.suspect("read for a replica", err)
		return row{code: wire.KafkaStorageError, high: -1, start: -1}, true
	}
	return r, len(r.records) > 0
}
