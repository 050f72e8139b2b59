package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// keepAtMost bounds the requests that are kept to be sent again.
const keepAtMost = 3000

// store has requests of transactions, and the newest epoch of each producer.
// It may be used by several goroutines.
type store struct {
	mu     sync.Mutex // guards what follows
	kept   []kept     // a ring
	next   int
	newest map[int64]newest
	grace  time.Duration
}

// newest is the newest epoch of a producer, and when it was first seen.
type newest struct {
	epoch int16
	since time.Time
}

// kept is a request to be sent again when its epoch is over.
type kept struct {
	frame    []byte
	req      kmsg.Request
	id       string // transactional
	producer int64
	epoch    int16
}

// newStore makes a store that takes an epoch for over when a newer one has been
// seen for so long.
func newStore(grace time.Duration) *store {
	return &store{newest: map[int64]newest{}, grace: grace}
}

// note keeps a request of a transaction and learns the epoch in it.
func (s *store) note(req kmsg.Request, frame []byte) {
	k, ok := keptOf(req)
	if !ok {
		return
	}
	k.frame = frame
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, known := s.newest[k.producer]; !known || k.epoch > n.epoch {
		s.newest[k.producer] = newest{k.epoch, time.Now()}
	}
	if len(s.kept) < keepAtMost {
		s.kept = append(s.kept, k)
		return
	}
	s.kept[s.next] = k
	s.next = (s.next + 1) % keepAtMost
}

// keptOf tells whose a request is.
func keptOf(req kmsg.Request) (kept, bool) {
	switch r := req.(type) {
	case *kmsg.EndTxnRequest:
		return kept{req: r, id: r.TransactionalID, producer: r.ProducerID, epoch: r.ProducerEpoch}, true
	case *kmsg.TxnOffsetCommitRequest:
		return kept{req: r, id: r.TransactionalID, producer: r.ProducerID, epoch: r.ProducerEpoch}, true
	case *kmsg.ProduceRequest:
		if r.TransactionID == nil || len(r.Topics) == 0 || len(r.Topics[0].Partitions) == 0 {
			return kept{}, false
		}
		b := r.Topics[0].Partitions[0].Records
		if len(b) < 61 {
			return kept{}, false
		}
		return kept{req: r, id: *r.TransactionID, producer: int64(binary.BigEndian.Uint64(b[43:])), epoch: int16(binary.BigEndian.Uint16(b[51:]))}, true
	}
	return kept{}, false
}

// old picks a request whose producer is at a newer epoch, and tells by how much.
func (s *store) old(pick func(n int) int) (k kept, behind int16, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 20 {
		if len(s.kept) == 0 {
			break
		}
		k := s.kept[pick(len(s.kept))]
		n := s.newest[k.producer]
		if behind := n.epoch - k.epoch; behind > 0 && time.Since(n.since) >= s.grace {
			return k, behind, true
		}
	}
	return kept{}, 0, false
}

// replay sends old requests again, until the proxy is closed.
func (p *proxy) replay() {
	for {
		p.wait(20 * time.Millisecond)
		select {
		case <-p.stop:
			return
		default:
		}
		if !p.oneIn(1) {
			continue // calm
		}
		k, behind, ok := p.store.old(func(n int) int {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.r.IntN(n)
		})
		if !ok {
			continue
		}
		reqs := []kmsg.Request{k.req}
		if _, end := k.req.(*kmsg.EndTxnRequest); end {
			reqs = append(reqs, k.forged()...)
		}
		for _, req := range reqs {
			codes, err := ask(p.target, req)
			if err != nil {
				p.count("requests of an old epoch without an answer") // the broker is down, or closes the connection
				continue
			}
			p.weigh(k, behind, req, codes)
		}
	}
}

// weigh counts the answer to a request of an old epoch. EndTxn of the epoch
// before may be taken for a retry, which changes nothing (KIP-890).
func (p *proxy) weigh(k kept, behind int16, req kmsg.Request, codes []int16) {
	name := kmsg.NameForKey(req.Key())
	_, end := req.(*kmsg.EndTxnRequest)
	end = end && req.GetVersion() >= 5
	switch {
	case !slices.Contains(codes, 0):
		p.count(name + " of an old epoch refused")
	case end && behind == 1:
		p.count("EndTxn of the epoch before, answered as a retry")
	default:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.counts[name+" of an old epoch TAKEN"]++
		var named []string
		for _, c := range codes {
			named = append(named, fmt.Sprint(kerr.ErrorForCode(c)))
		}
		p.wrong = append(p.wrong, fmt.Sprintf("%s v%d of %s, producer %d, epoch %d, %d behind: %v", name, req.GetVersion(), k.id, k.producer, k.epoch, behind, named))
	}
}

// forged makes requests of the same epoch that clients of today do not send
// any more.
func (k kept) forged() []kmsg.Request {
	parts := kmsg.NewPtrAddPartitionsToTxnRequest()
	parts.SetVersion(3)
	parts.TransactionalID, parts.ProducerID, parts.ProducerEpoch = k.id, k.producer, k.epoch
	t := kmsg.NewAddPartitionsToTxnRequestTopic()
	t.Topic, t.Partitions = topicLedger, []int32{0, 1}
	parts.Topics = append(parts.Topics, t)
	offsets := kmsg.NewPtrAddOffsetsToTxnRequest()
	offsets.SetVersion(3)
	offsets.TransactionalID, offsets.ProducerID, offsets.ProducerEpoch, offsets.Group = k.id, k.producer, k.epoch, groupOne
	return []kmsg.Request{parts, offsets}
}

// ask sends a request to the broker over a connection of its own and gives the
// error codes of the answer.
func ask(target string, req kmsg.Request) ([]int16, error) {
	c, err := net.DialTimeout("tcp", target, time.Second)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }() // nothing more is read
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := c.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("replay")).AppendRequest(nil, req, 1)); err != nil {
		return nil, err
	}
	size := make([]byte, 4)
	if _, err := io.ReadFull(c, size); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size)
	if n > maxFrame {
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, err
	}
	resp := req.ResponseKind()
	skip := 4
	if resp.IsFlexible() {
		skip++
	}
	if len(b) < skip {
		return nil, errors.New("an answer without a header")
	}
	if err := resp.ReadFrom(b[skip:]); err != nil {
		return nil, err
	}
	return codesOf(resp), nil
}

func codesOf(resp kmsg.Response) (out []int16) {
	switch r := resp.(type) {
	case *kmsg.EndTxnResponse:
		out = append(out, r.ErrorCode)
	case *kmsg.AddOffsetsToTxnResponse:
		out = append(out, r.ErrorCode)
	case *kmsg.AddPartitionsToTxnResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				out = append(out, p.ErrorCode)
			}
		}
	case *kmsg.TxnOffsetCommitResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				out = append(out, p.ErrorCode)
			}
		}
	case *kmsg.ProduceResponse:
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				out = append(out, p.ErrorCode)
			}
		}
	}
	return out
}
