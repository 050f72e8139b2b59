package pull

import (
	"ottla/internal/uuid"
	"ottla/internal/wire/field"
)

// Key names a partition.
type Key struct {
	Topic uuid.UUID
	Index int32
}

// Ask is what a follower says of one partition.
type Ask struct {
	Key
	LeaderEpoch int32 // in which it follows
	Offset      int64 // its log end: what it wants comes after
	LastEpoch   int32 // of its last record, -1 when it has none
	LogStart    int64
	MaxBytes    int32
	High        int64 // the high watermark that it knows
	Synced      int64 // everything below is synced there
	Stuck       bool  // what it got last could not be kept there
}

// Request is a follower's fetch. In a session only what has changed is asked.
type Request struct {
	Replica            int32 // the follower's node
	BrokerEpoch        int64 // of its registration (KIP-903)
	MaxWaitMs          int32
	MinBytes, MaxBytes int32
	SessionID          int32
	SessionEpoch       int32
	Asks               []Ask
	Forgotten          []Key // leave the session
}

// Tags of the fields that are not at a fixed place.
const (
	tagReplicaState = 1    // of the request: id, broker epoch
	tagHigh         = 1    // of a partition (KIP-1166)
	tagSynced       = 1000 // of a partition: ours
	tagStuck        = 1001 // of a partition, empty: ours
)

// The fewest bytes of elements.
const (
	minTopic  = 16 + 1 + 1
	minAsk    = 4 + 4 + 8 + 4 + 8 + 4 + 1
	minForget = 4
)

// Append encodes the request's body.
func (r *Request) Append(b []byte) []byte {
	b = put32(put32(put32(b, r.MaxWaitMs), r.MinBytes), r.MaxBytes)
	b = append(b, 0) // isolation
	b = put32(put32(b, r.SessionID), r.SessionEpoch)
	b = putCount(b, runs(len(r.Asks), func(i int) uuid.UUID { return r.Asks[i].Topic }))
	for i := 0; i < len(r.Asks); {
		n := run(len(r.Asks), i, func(i int) uuid.UUID { return r.Asks[i].Topic })
		b = append(b, r.Asks[i].Topic[:]...)
		b = putCount(b, n)
		for ; n > 0; n-- {
			b = r.Asks[i].append(b)
			i++
		}
		b = append(b, 0)
	}
	b = putCount(b, runs(len(r.Forgotten), func(i int) uuid.UUID { return r.Forgotten[i].Topic }))
	for i := 0; i < len(r.Forgotten); {
		n := run(len(r.Forgotten), i, func(i int) uuid.UUID { return r.Forgotten[i].Topic })
		b = append(b, r.Forgotten[i].Topic[:]...)
		b = putCount(b, n)
		for ; n > 0; n-- {
			b = put32(b, r.Forgotten[i].Index)
			i++
		}
		b = append(b, 0)
	}
	b = append(b, 1) // rack: empty
	b = putTag(append(b, 1), tagReplicaState, 13)
	return append(put64(put32(b, r.Replica), r.BrokerEpoch), 0)
}

func (a *Ask) append(b []byte) []byte {
	b = put32(put32(b, a.Index), a.LeaderEpoch)
	b = put32(put64(b, a.Offset), a.LastEpoch)
	b = put32(put64(b, a.LogStart), a.MaxBytes)
	tags := byte(2)
	if a.Stuck {
		tags++
	}
	b = put64(putTag(append(b, tags), tagHigh, 8), a.High)
	b = put64(putTag(b, tagSynced, 8), a.Synced)
	if a.Stuck {
		b = putTag(b, tagStuck, 0)
	}
	return b
}

// Parse decodes a body.
func (r *Request) Parse(body []byte) error {
	in := reader{field.Reader{Rest: body}}
	*r = Request{Replica: -1, BrokerEpoch: -1, Asks: r.Asks[:0], Forgotten: r.Forgotten[:0]}
	r.MaxWaitMs, r.MinBytes, r.MaxBytes = in.Int32(), in.Int32(), in.Int32()
	in.Take(1)
	r.SessionID, r.SessionEpoch = in.Int32(), in.Int32()
	for n := in.count(minTopic); n > 0 && in.Err == nil; n-- {
		topic := in.UUID()
		for m := in.count(minAsk); m > 0 && in.Err == nil; m-- {
			r.Asks = append(r.Asks, in.ask(topic))
		}
		in.tags(nil)
	}
	for n := in.count(minTopic); n > 0 && in.Err == nil; n-- {
		topic := in.UUID()
		for m := in.count(minForget); m > 0 && in.Err == nil; m-- {
			r.Forgotten = append(r.Forgotten, Key{topic, in.Int32()})
		}
		in.tags(nil)
	}
	in.bytes() // rack
	in.tags(func(tag int, b reader) {
		if tag == tagReplicaState {
			r.Replica, r.BrokerEpoch = b.Int32(), b.Int64()
		}
	})
	return in.end()
}

func (r *reader) ask(topic uuid.UUID) Ask {
	a := Ask{Key: Key{topic, r.Int32()}, LeaderEpoch: r.Int32(), Offset: r.Int64(), LastEpoch: r.Int32(), LogStart: r.Int64(), MaxBytes: r.Int32(), High: -1, Synced: -1}
	r.tags(func(tag int, b reader) {
		switch tag {
		case tagHigh:
			a.High = b.Int64()
		case tagSynced:
			a.Synced = b.Int64()
		case tagStuck:
			a.Stuck = true
		}
	})
	return a
}

// run tells how many elements from i on are of the same topic, and runs how many
// such runs there are.
func run(n, i int, topic func(int) uuid.UUID) int {
	m := 1
	for i+m < n && topic(i+m) == topic(i) {
		m++
	}
	return m
}

func runs(n int, topic func(int) uuid.UUID) int {
	count := 0
	for i := 0; i < n; i += run(n, i, topic) {
		count++
	}
	return count
}
