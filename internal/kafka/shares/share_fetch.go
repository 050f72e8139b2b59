package shares

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
	"ottla/internal/wire/shape"
)

// ShareFetch (78), versions 1-2: records for a member, locked for it, and with
// the request what it has to say of earlier ones.
//
// v2 brings a hard limit of records (KIP-1206) and the renewal of locks
// (KIP-1222).
func (f *Family) shareFetchRow() api.API {
	return api.API{
		Key: kmsg.ShareFetch.Int16(), Min: 1, Max: 2, ListedMin: 1, Serve: f.shareFetch, Waits: true,
		Differences: []string{
			"A request of a member that holds records is answered after 1 to 128 ms when there is nothing to give, so that what it has to say of them need not wait for its next request; Kafka lets it wait for its whole time.",
			"A request with acknowledgements is answered when these are durable, even when there are no records to give; Kafka lets it wait for records or for its time.",
			"The window of share.partition.max.record.locks counts locked records only: records that wait for another try do not stop the delivery of new ones.",
			"Control records, and with read_committed those of aborted transactions, are archived by the node and never given to members.",
			"Where a share-partition begins is stored before its first record is given; in Kafka a group that restarts before its first acknowledgement begins anew at share.auto.offset.reset.",
			"A dead letter is the whole record unless errors.deadletterqueue.copy.record.enable is set; in Kafka it tells only where the record lies, unless that is set to true.",
		},
	}
}

// isStrict is ShareAcquireMode's record limit.
const isStrict = 1

// shareFetch implements api.API.Serve.
func (f *Family) shareFetch(c *api.Conn, r *api.Request) (api.Answer, error) {
	if err := shape.Check(r.Key, r.Version, r.Body); err != nil {
		return nil, err
	}
	req := kmsg.NewPtrShareFetchRequest()
	req.SetVersion(r.Version)
	if err := req.ReadFrom(r.Body); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	a := &fetchAnswer{f: f, conn: c, head: r.Header, received: r.Received}
	a.head.ClientID = nil // a view of the request
	a.timer.Fire = a.expire
	a.begin(req)
	return a, nil
}

// begin takes the step of the session and gives the acknowledgements on.
func (a *fetchAnswer) begin(req *kmsg.ShareFetchRequest) {
	if err := a.enter(req); err != nil {
		a.problem = err
		a.Ready()
		return
	}
	a.lockMs = int32(min(a.f.settings(a.key.group).LockMs, 1<<31-1))
	a.f.acknowledge(a.key, a.acks, req.IsRenewAck, func() {
		a.settled.Store(true)
		a.Ready()
	})
	if req.ShareSessionEpoch == finalEpoch {
		// What was acknowledged is decided by now, if not durable yet.
		a.f.left(a.key)
	}
}

// enter judges the request and makes a of it.
func (a *fetchAnswer) enter(req *kmsg.ShareFetchRequest) error {
	if req.GroupID == nil || *req.GroupID == "" || req.MemberID == nil || *req.MemberID == "" {
		return wire.Errorf(wire.InvalidRequest, "a ShareFetch needs the ids of a group and of a member")
	}
	a.key = sessionKey{*req.GroupID, *req.MemberID}
	a.maxWait = time.Duration(max(0, req.MaxWaitMillis)) * time.Millisecond
	a.maxBytes = min(max(0, int(req.MaxBytes)), a.f.fetchMax)
	a.minBytes = min(int(req.MinBytes), a.maxBytes)
	a.maxRecords, a.batchSize = int(req.MaxRecords), int(max(0, req.BatchSize))
	a.strict = req.ShareAcquireMode == isStrict
	a.takeAcks(req)
	a.quiet = req.IsRenewAck || req.MaxRecords <= 0 || req.MaxBytes <= 0
	switch req.ShareSessionEpoch {
	case finalEpoch:
		s, err := a.f.sessions.find(a.key)
		if err != nil {
			return err
		}
		a.quiet = true
		a.f.sessions.close(s)
		return nil
	case initialEpoch:
		return a.open(req)
	}
	s, err := a.f.sessions.step(a.key, req.ShareSessionEpoch)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	a.update(s, req)
	return nil
}

// open begins a session.
func (a *fetchAnswer) open(req *kmsg.ShareFetchRequest) error {
	if len(a.acks) > 0 {
		return wire.Errorf(wire.InvalidRequest, "a share session cannot begin with acknowledgements: nothing was given in it yet")
	}
	s, err := a.f.sessions.open(a.key, a.conn.ID)
	if err != nil {
		return err
	}
	f, conn := a.f, a.conn.ID
	a.conn.AtClose(f, func() { f.connClosed(conn) })
	s.mu.Lock()
	defer s.mu.Unlock()
	a.update(s, req)
	return nil
}

// update changes the session as the request asks, and takes its partitions.
func (a *fetchAnswer) update(s *session, req *kmsg.ShareFetchRequest) {
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			s.add(a.key.keyOf(t.TopicID, t.Partitions[j].Partition))
		}
	}
	gone := map[store.Key]bool{}
	for i := range req.ForgottenTopicsData {
		t := &req.ForgottenTopicsData[i]
		for _, index := range t.Partitions {
			gone[a.key.keyOf(t.TopicID, index)] = true
		}
	}
	s.remove(gone)
	a.session = s
	if len(a.acks) > 0 {
		s.idle = 0
	}
	parts := s.inTurn(a.f.part)
	if a.quiet {
		return
	}
	for _, p := range parts {
		if p.part == nil {
			p.saw = true
			a.strange = append(a.strange, p)
		} else {
			a.parts = append(a.parts, p)
		}
	}
}

// takeAcks gathers what the request says of records.
func (a *fetchAnswer) takeAcks(req *kmsg.ShareFetchRequest) {
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if len(p.AcknowledgementBatches) == 0 {
				continue
			}
			row := ackPart{topic: t.TopicID, index: p.Partition, acks: make([]share.Ack, 0, len(p.AcknowledgementBatches))}
			for k := range p.AcknowledgementBatches {
				b := &p.AcknowledgementBatches[k]
				row.acks = append(row.acks, ackBatch(b.FirstOffset, b.LastOffset, b.AcknowledgeTypes))
			}
			a.acks = append(a.acks, row)
		}
	}
}

// fetchPart is a partition to read.
type fetchPart struct {
	part  *lead.Part // nil of one that is not led here
	key   store.Key
	given lead.Given
	err   error
	saw   bool // it was asked in the try at hand
}
