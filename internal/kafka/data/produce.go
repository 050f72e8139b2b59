package data

import (
	"errors"
	"fmt"
	"time"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Produce (0), versions 3-13.
//
// v5 answers the log start offset, v8 record errors and a message (KIP-467),
// v9 is flexible, v10 brings leader hints (KIP-951), v11 and v12 what a client
// knows of transactions (KIP-890), v13 names topics by id (KIP-516). zstd is
// for v7 and up (KIP-110).
//
// Before a transactional batch goes into a partition that has no transaction
// of its producer, the transaction's coordinator is asked (produce_vouch.go).
//
// Batches are appended in the order of the request, all of them before any is
// waited for, so that one sync round can take them together.
func (f *Family) produceRow() api.API {
	return api.API{
		Key: wire.KeyProduce, Min: 3, Max: 13, ListedMin: 0, Serve: f.produce,
		Differences: []string{
			"A node whose place another may have taken, for all that it hears, refuses no batch for good: OUT_OF_ORDER_SEQUENCE_NUMBER and the like are NOT_LEADER_OR_FOLLOWER there.",
		},
	}
}

// Fewest bytes of a topic (an empty name, no partitions, no tags) and of a
// partition (index, null records, no tags) on the wire.
const (
	minTopic            = 3
	minProducePartition = 6
)

var errMalformed = errors.New("the request is malformed")

// produce implements api.API.Serve.
func (f *Family) produce(c *api.Conn, r *api.Request) (api.Answer, error) {
	a := takeProduce()
	a.family, a.conn, a.head = f, c, r.Header
	a.head.ClientID = nil // a view
	id, err := a.parse(r.Body)
	if err != nil {
		a.release()
		return nil, err
	}
	if id != nil {
		a.vouch(id, r.Body)
	}
	a.appendAll(r.Body)
	if a.acks == 0 {
		err := a.firstError()
		a.release()
		return nil, err
	}
	a.await()
	return a, nil
}

// parse notes the topics and rows of a body; batches stay where they are. id is
// the transactional id, nil when there is none, a view.
func (a *produceAnswer) parse(body []byte) (id []byte, err error) {
	s := scanner{b: body, flex: a.head.Version >= 9}
	id = s.text()
	a.transactional = id != nil
	a.acks = s.int16()
	a.timeout = time.Duration(max(0, s.int32())) * time.Millisecond
	byID := a.head.Version >= 13
	for n := s.count(minTopic); n > 0 && !s.bad; n-- {
		t := produceTopic{nameAt: int32(len(a.names)), first: int32(len(a.rows))}
		if byID {
			t.id = s.uuid()
		} else {
			name := s.text()
			t.nameLen = int32(len(name))
			a.names = append(a.names, name...)
		}
		for m := s.count(minProducePartition); m > 0 && !s.bad; m-- {
			r := produceRow{answer: a, topic: int32(len(a.topics)), index: s.int32(), batchLen: -1}
			if batch := s.bytes(); batch != nil {
				r.batchAt, r.batchLen = int32(len(body)-len(s.b)-len(batch)), int32(len(batch))
			}
			a.rows = append(a.rows, r)
			s.tags(nil)
		}
		s.tags(nil)
		t.rows = int32(len(a.rows)) - t.first
		a.topics = append(a.topics, t)
	}
	s.tags(nil)
	if s.bad {
		return nil, errMalformed
	}
	return id, nil
}

// find looks a row's partition up, or says why there is none.
func (a *produceAnswer) find(row *produceRow) (*partition.Partition, wire.Code) {
	t := &a.topics[row.topic]
	if a.head.Version >= 13 {
		return a.family.o.Partitions.ByID(t.id, row.index)
	}
	return a.family.o.Partitions.ByName(a.name(t), row.index)
}

// appendAll appends every batch, then answers the fetches that waited for them.
func (a *produceAnswer) appendAll(body []byte) {
	defer a.woken.Run()
	for i := range a.rows {
		a.append(&a.rows[i], body)
	}
}

// append hands one batch to its partition and notes what became of it, unless
// its transaction's coordinator did not vouch for it.
func (a *produceAnswer) append(row *produceRow, body []byte) {
	row.baseOffset, row.timeMs, row.logStart = -1, -1, -1
	if row.code != wire.None {
		return
	}
	if a.acks < -1 || a.acks > 1 {
		row.fail(wire.InvalidRequiredAcks)
		return
	}
	p, code := a.find(row)
	if code != wire.None {
		row.fail(code)
		return
	}
	if row.batchLen <= 0 { // null or empty
		row.fail(wire.InvalidRecord)
		return
	}
	batch := body[row.batchAt:][:row.batchLen:row.batchLen]
	a.args = partition.AppendArgs{Acks: a.acks, AllowZstd: a.head.Version >= 7, Transactional: a.transactional, Guard: row.guard, Woken: &a.woken}
	if err := p.Append(batch, &a.args, &a.appended); err != nil {
		if row.doubted = p.Deposed(a.family.o.Trusted) && !wire.CodeOf(err).Retriable(); row.doubted {
			err = wire.NotLeaderOrFollower // see produce_lapse.go
		}
		row.failWith(err, p)
		return
	}
	a.family.m.batches.Inc()
	a.family.m.produced.Add(len(batch))
	a.family.m.batchBytes.Observe(float64(len(batch)))
	row.partition, row.end = p, a.appended.End
	row.baseOffset, row.timeMs, row.logStart = a.appended.BaseOffset, a.appended.LogAppendTimeMs, a.appended.LogStartOffset
}

// firstError is what closes the connection of an acks=0 producer, which has no
// other way to learn of it.
func (a *produceAnswer) firstError() error {
	for i := range a.rows {
		if c := a.rows[i].code; c != wire.None {
			return fmt.Errorf("produce with acks=0 to partition %d: %w", a.rows[i].index, c)
		}
	}
	return nil
}
