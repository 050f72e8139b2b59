package data

import (
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// mode is how a fetch stands to sessions (KIP-227).
type mode int8

const (
	sessionless mode = iota
	opening          // full; a session is made of it if there is room
	incremental
)

// fetchAnswer is one Fetch request on its way.
type fetchAnswer struct {
	api.Ticket
	family   *Family
	conn     *api.Conn
	head     wire.Header
	received time.Time

	// As the request says.
	replica            int32 // -1: a consumer
	maxWait            time.Duration
	minBytes, maxBytes int
	isolation          partition.Isolation
	sessionID          int32
	sessionEpoch       int32
	names              []byte // of all topics, end to end
	topics             []fetchTopic
	parts              []fetchPart
	forgotten          []forgottenPart
	anyone             bool   // followers may answer too (KIP-392)
	rack               []byte // of the client

	mode    mode
	session *session  // incremental: the session
	problem wire.Code // of the whole request
	refused wire.Code // of every partition

	// Of the try at hand.
	args     partition.FetchArgs
	found    int // bytes
	urgent   bool
	watching bool

	missing atomic.Int64 // bytes still wanted while watching
	expired atomic.Bool
	over    atomic.Bool // it was built, or never will be
	armed   bool
	lapsed  bool          // see fetch_lapse.go
	left    time.Duration // of the wait, when the timer fires; the timer's alone
	timer   wheel.Timer
	refs    atomic.Int32 // the queue, the timer
}

// fetchTopic is a topic of the request or of its session.
type fetchTopic struct {
	id              uuid.UUID
	nameAt, nameLen int32 // in names
}

// fetchPart is a partition to read.
type fetchPart struct {
	partition *partition.Partition // nil: code says why
	cached    *cachedPart          // in a session
	topic     int32
	index     int32

	offset       int64
	maxBytes     int32
	leaderEpoch  int32
	fetchedEpoch int32

	code      wire.Code
	preferred int32 // where the client reads from instead, -1 here
	skip      bool  // an incremental answer has no news of it
	got       partition.Fetched
}

// forgottenPart is a partition that leaves the session.
type forgottenPart struct{ topic, index int32 }

var fetchPool sync.Pool

// keepParts: answers that grew beyond are not kept.
const keepParts = 2048

// takeFetch borrows an answer; its only reference is the caller's.
func takeFetch() *fetchAnswer {
	a, ok := fetchPool.Get().(*fetchAnswer)
	if !ok {
		a = &fetchAnswer{}
		a.timer.Fire = a.expire
	}
	a.Reset()
	a.refs.Store(1)
	a.expired.Store(false)
	a.over.Store(false)
	a.lapsed = false
	return a
}

// release gives one reference up.
func (a *fetchAnswer) release() {
	if a.refs.Add(-1) > 0 {
		return
	}
	a.drop()
	clear(a.parts)
	a.parts, a.topics, a.names, a.forgotten = a.parts[:0], a.topics[:0], a.names[:0], a.forgotten[:0]
	a.conn, a.session = nil, nil
	a.problem, a.mode = wire.None, sessionless
	if cap(a.parts) <= keepParts && cap(a.names) <= keepNames && cap(a.forgotten) <= keepParts {
		fetchPool.Put(a)
	}
}

// drop gives slices back that will not be sent.
func (a *fetchAnswer) drop() {
	for i := range a.parts {
		if p := &a.parts[i]; p.got.Slice.Len > 0 {
			p.got.Slice.Release()
			p.got.Slice.Len = 0
		}
	}
}

// name is a topic's name.
func (a *fetchAnswer) name(t *fetchTopic) []byte { return a.names[t.nameAt : t.nameAt+t.nameLen] }
