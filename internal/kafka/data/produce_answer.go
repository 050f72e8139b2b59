package data

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// produceAnswer is one Produce request on its way: rows appended, some of them
// waiting to be committed.
type produceAnswer struct {
	api.Ticket
	family *Family
	conn   *api.Conn
	head   wire.Header

	transactional bool
	acks          int16
	timeout       time.Duration
	names         []byte // of all topics, end to end
	topics        []produceTopic
	rows          []produceRow

	args     partition.AppendArgs // scratch of append
	appended partition.Appended
	woken    partition.Woken // fetches that the appends made ready

	waiting atomic.Int32 // rows not committed, and one while await runs
	refs    atomic.Int32 // who may still call: the queue, waiting rows, the timer
	expired atomic.Bool
	lapsed  atomic.Bool   // see produce_lapse.go
	over    atomic.Bool   // it was built, or never will be
	left    time.Duration // of the time-out, when the timer fires; the timer's alone
	timer   wheel.Timer
}

// produceTopic is a topic of the request.
type produceTopic struct {
	id              uuid.UUID
	nameAt, nameLen int32 // in names
	first, rows     int32
}

// produceRow is a partition of the request.
type produceRow struct {
	answer    *produceAnswer
	partition *partition.Partition // nil unless appended
	topic     int32
	index     int32

	batchAt, batchLen int32          // in the body, while it is there; length -1 is null
	guard             producer.Guard // with which its coordinator vouches for it

	end                          int64
	baseOffset, timeMs, logStart int64
	why                          *rejection // nil: nothing to say beside the code
	code                         wire.Code
	doubted                      bool // another node may lead, whatever is known here

	// settled is what Committed was told: unsettled, or a code.
	settled int32 // atomic
}

// rejection is what v8 and later say of a refused batch (KIP-467).
type rejection struct {
	message string
	records []record.RecordError
}

// unsettled is no code.
const unsettled = -1 << 20

var producePool sync.Pool

// Answers that grew beyond these are not kept.
const (
	keepRows  = 1024
	keepNames = 64 << 10
)

// takeProduce borrows an answer; its only reference is the caller's.
func takeProduce() *produceAnswer {
	a, ok := producePool.Get().(*produceAnswer)
	if !ok {
		a = &produceAnswer{}
		a.timer.Fire = a.expire
	}
	a.Reset()
	a.refs.Store(1)
	a.expired.Store(false)
	a.lapsed.Store(false)
	a.over.Store(false)
	return a
}

// release gives one reference up.
func (a *produceAnswer) release() {
	if a.refs.Add(-1) > 0 {
		return
	}
	clear(a.rows)
	a.rows, a.topics, a.names = a.rows[:0], a.topics[:0], a.names[:0]
	a.conn = nil
	if cap(a.rows) <= keepRows && cap(a.names) <= keepNames {
		producePool.Put(a)
	}
}

// name is a topic's name.
func (a *produceAnswer) name(t *produceTopic) []byte { return a.names[t.nameAt : t.nameAt+t.nameLen] }

// fail notes a code that needs no words.
func (r *produceRow) fail(c wire.Code) {
	r.code = c
	r.answer.family.m.code(c)
}

// failWith notes an error of Append with what it says.
func (r *produceRow) failWith(err error, p *partition.Partition) {
	r.fail(wire.CodeOf(err))
	var typed *wire.Error
	if errors.As(err, &typed) {
		r.why = &rejection{message: typed.Message}
	}
	var bad *record.Error
	if errors.As(err, &bad) {
		r.why = &rejection{message: bad.Reason, records: bad.Records}
	}
	switch r.code {
	case wire.MessageTooLarge, wire.CorruptMessage, wire.KafkaStorageError, wire.UnknownTopicOrPartition, wire.NotLeaderOrFollower,
		wire.TransactionalIDAuthorizationFailed:
		// Kafka tells no log start offset with these.
	case wire.UnknownServerError:
		r.why = nil
		r.answer.family.o.Logger.Error("a batch could not be appended", "partition", r.index, "client", r.answer.conn.ClientID, "err", err)
	default:
		r.logStart = p.Offsets().LogStart
	}
}

// await registers for every row that was appended; the ticket is called when
// all are committed, or after the request's time-out.
func (a *produceAnswer) await() {
	a.waiting.Store(1)
	for i := range a.rows {
		r := &a.rows[i]
		if r.partition == nil {
			continue
		}
		atomic.StoreInt32(&r.settled, unsettled)
		a.waiting.Add(1)
		a.refs.Add(1)
		done, err := r.partition.Await(r, r.end, a.acks)
		if done || err != nil {
			r.Committed(err)
		}
	}
	if a.waiting.Add(-1) == 0 {
		a.Ready()
		return
	}
	a.refs.Add(1)
	a.left = a.timeout
	a.arm()
}

// Committed implements partition.Waiter.
func (r *produceRow) Committed(err error) {
	a := r.answer
	atomic.StoreInt32(&r.settled, int32(wire.CodeOf(err)))
	if a.waiting.Add(-1) == 0 {
		a.Ready()
	}
	a.release()
}

// disarm takes the timer back.
func (a *produceAnswer) disarm() {
	a.over.Store(true)
	if a.family.wheel.Cancel(&a.timer) {
		a.release()
	}
}

// Drop implements api.Answer.
func (a *produceAnswer) Drop() {
	a.disarm()
	a.release()
}

// Build implements api.Answer.
func (a *produceAnswer) Build(out *api.Out) (bool, error) {
	if a.waiting.Load() > 0 && !a.expired.Load() {
		return false, nil // called late for an earlier request
	}
	a.disarm()
	a.settle()
	a.write(out)
	a.release()
	return true, nil
}

// settle turns what waiters were told into the rows' codes.
func (a *produceAnswer) settle() {
	for i := range a.rows {
		r := &a.rows[i]
		if r.partition == nil {
			continue
		}
		code := wire.RequestTimedOut
		if a.lapsed.Load() {
			code = wire.NotLeaderOrFollower
		}
		if s := atomic.LoadInt32(&r.settled); s != unsettled {
			code = wire.Code(s)
		}
		if code != wire.None {
			r.fail(code)
			if code != wire.NotEnoughReplicasAfterAppend {
				r.baseOffset, r.timeMs = -1, -1
			}
		}
	}
}

// write appends the frame.
func (a *produceAnswer) write(out *api.Out) {
	out.Reserve(a.sizeBound())
	v, flex := a.head.Version, a.head.Version >= 9
	start := len(out.Buf)
	b := wire.BeginFrame(out.Buf)
	b = wire.AppendResponseHeader(b, &a.head)
	var hints hints
	b = appendCount(b, len(a.topics), flex)
	for i := range a.topics {
		t := &a.topics[i]
		if v >= 13 {
			b = append(b, t.id[:]...)
		} else {
			b = appendText(b, a.name(t), flex)
		}
		b = appendCount(b, int(t.rows), flex)
		for j := range t.rows {
			b = a.appendRow(b, t, &a.rows[t.first+j], &hints)
		}
		if flex {
			b = append(b, 0)
		}
	}
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	if flex {
		b = hints.appendTag(b, 0, a.conn)
	}
	wire.EndFrame(b, start, 0)
	out.Buf = b
}

// appendRow appends a partition's result.
func (a *produceAnswer) appendRow(b []byte, t *produceTopic, r *produceRow, h *hints) []byte {
	v, flex := a.head.Version, a.head.Version >= 9
	b = binary.BigEndian.AppendUint32(b, uint32(r.index))
	b = binary.BigEndian.AppendUint16(b, uint16(r.code))
	b = binary.BigEndian.AppendUint64(b, uint64(r.baseOffset))
	b = binary.BigEndian.AppendUint64(b, uint64(r.timeMs))
	if v >= 5 {
		b = binary.BigEndian.AppendUint64(b, uint64(r.logStart))
	}
	if v >= 8 {
		b = appendRejection(b, r.why, flex)
	}
	if !flex {
		return b
	}
	if v >= 10 && r.code == wire.NotLeaderOrFollower {
		if leader, epoch := a.family.leaderOf(t.id, a.name(t), r.index); leader >= 0 && !a.lapsed.Load() && !r.doubted { // else it is an old story
			h.add(leader)
			b = append(b, 1)
			return appendLeader(b, 0, leader, epoch)
		}
	}
	return append(b, 0)
}

// noRejection is what accepted batches say.
var noRejection rejection

// appendRejection appends the record errors and the message.
func appendRejection(b []byte, why *rejection, flex bool) []byte {
	if why == nil {
		why = &noRejection
	}
	b = appendCount(b, len(why.records), flex)
	for i := range why.records {
		b = binary.BigEndian.AppendUint32(b, uint32(why.records[i].Index))
		b = appendNullable(b, why.records[i].Reason, flex)
		if flex {
			b = append(b, 0)
		}
	}
	return appendNullable(b, why.message, flex)
}

// sizeBound is above what write appends, so that it happens in place.
func (a *produceAnswer) sizeBound() int {
	n := 64 + len(a.names) + 32*len(a.topics)
	moved := false
	for i := range a.rows {
		r := &a.rows[i]
		n += 64
		moved = moved || r.code == wire.NotLeaderOrFollower
		if r.why == nil {
			continue
		}
		n += len(r.why.message)
		for _, bad := range r.why.records {
			n += 16 + len(bad.Reason)
		}
	}
	if moved {
		n += hintsBound
	}
	return n
}
