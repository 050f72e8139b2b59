package main

import (
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// newProducer asks for a producer id, until there is one: Kafka's broker says
// 14 while it waits for its first block of them.
func (s *scene) newProducer() (id int64, epoch int16) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.SetVersion(4)
	req.TransactionTimeoutMillis = 60000
	req.ProducerID, req.ProducerEpoch = -1, -1
	resp := s.must("get a producer id", req).(*kmsg.InitProducerIDResponse)
	for until := time.Now().Add(patience); resp.ErrorCode == 14 && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
		resp = s.must("get a producer id", req).(*kmsg.InitProducerIDResponse)
	}
	if resp.ErrorCode != 0 {
		panic(broken{fmt.Errorf("get a producer id: error %d", resp.ErrorCode)})
	}
	return resp.ProducerID, resp.ProducerEpoch
}

func idempotentStories() []story {
	return []story{
		{"idempotence/window of five", windowOfFive},
		{"idempotence/gaps", sequenceGaps},
		{"idempotence/epochs", producerEpochs},
		{"idempotence/unknown producers", unknownProducers},
		{"idempotence/sequences wrap", sequenceWrap},
		{"idempotence/partial overlap", partialOverlap},
		{"idempotence/restart", idempotentRestart},
		{"idempotence/ids", producerIDs},
		{"idempotence/described", producersDescribed},
	}
}

// numbered is a batch of a producer.
func numbered(id int64, epoch int16, sequence int32, count int) []byte {
	return batch{idempotent: true, producerID: id, epoch: epoch, sequence: sequence, records: recsOf(count)}.bytes()
}

func windowOfFive(s *scene) {
	t := s.create("t", 1)
	id, epoch := s.newProducer()
	for i := range int32(7) {
		s.send(fmt.Sprintf("batch %d", i), produceTo(t, 9, -1, numbered(id, epoch, 2*i, 2)))
	}
	for i := range int32(7) {
		s.send(fmt.Sprintf("again batch %d", i), produceTo(t, 9, -1, numbered(id, epoch, 2*i, 2)))
	}
	s.send("the next", produceTo(t, 9, -1, numbered(id, epoch, 14, 1)))
	s.send("with acks 1", produceTo(t, 9, 1, numbered(id, epoch, 15, 1)))
	s.look(t)
}

func sequenceGaps(s *scene) {
	t := s.create("t", 1)
	id, epoch := s.newProducer()
	for _, sequence := range []int32{0, 5, 1, 3, 2} {
		for _, v := range []int16{3, 9, 13} {
			s.send(fmt.Sprintf("sequence %d v%d", sequence, v), produceTo(t, v, -1, numbered(id, epoch, sequence, 1)))
		}
	}
	s.look(t)
}

func producerEpochs(s *scene) {
	t := s.create("t", 1)
	id, _ := s.newProducer()
	for _, step := range []struct {
		epoch    int16
		sequence int32
	}{{3, 0}, {3, 1}, {2, 2}, {2, 0}, {4, 2}, {4, 0}, {3, 2}, {4, 1}, {4, 0}} {
		s.send(fmt.Sprintf("epoch %d sequence %d", step.epoch, step.sequence), produceTo(t, 9, -1, numbered(id, step.epoch, step.sequence, 1)))
	}
	s.look(t)
}

func unknownProducers(s *scene) {
	t := s.create("t", 1)
	for i, sequence := range []int32{0, 7, math.MaxInt32} {
		id := int64(900_000 + i)
		s.send(fmt.Sprintf("first sequence %d", sequence), produceTo(t, 9, -1, numbered(id, 5, sequence, 1)))
		s.send(fmt.Sprintf("again %d", sequence), produceTo(t, 9, -1, numbered(id, 5, sequence, 1)))
	}
	s.send("negative producer id", produceTo(t, 9, -1, numbered(-2, 0, 0, 1)))
	s.look(t)
}

func sequenceWrap(s *scene) {
	t := s.create("t", 1)
	id, epoch := s.newProducer()
	s.send("up to the edge", produceTo(t, 9, -1, numbered(id, epoch, math.MaxInt32-2, 3)))
	s.send("from 0", produceTo(t, 9, -1, numbered(id, epoch, 0, 2)))
	s.send("the edge again", produceTo(t, 9, -1, numbered(id, epoch, math.MaxInt32-2, 3)))
	over, epoch2 := s.newProducer()
	s.send("near the edge", produceTo(t, 9, -1, numbered(over, epoch2, math.MaxInt32-1, 1)))
	s.send("across the edge", produceTo(t, 9, -1, numbered(over, epoch2, math.MaxInt32, 3)))
	s.send("behind it", produceTo(t, 9, -1, numbered(over, epoch2, 2, 1)))
	s.send("across again", produceTo(t, 9, -1, numbered(over, epoch2, math.MaxInt32, 3)))
	s.look(t)
}

func partialOverlap(s *scene) {
	t := s.create("t", 1)
	id, epoch := s.newProducer()
	s.send("0 to 3", produceTo(t, 9, -1, numbered(id, epoch, 0, 4)))
	s.send("0 to 1", produceTo(t, 9, -1, numbered(id, epoch, 0, 2)))
	s.send("2 to 3", produceTo(t, 9, -1, numbered(id, epoch, 2, 2)))
	s.send("0 to 5", produceTo(t, 9, -1, numbered(id, epoch, 0, 6)))
	s.send("3 to 5", produceTo(t, 9, -1, numbered(id, epoch, 3, 3)))
	s.look(t)
}

// idempotentRestart restarts the broker: what it knows of producers stays.
func idempotentRestart(s *scene) {
	t := s.create("t", 1)
	id, epoch := s.newProducer()
	for i := range int32(6) {
		s.send(fmt.Sprintf("batch %d", i), produceTo(t, 9, -1, numbered(id, epoch, i, 1)))
	}
	s.hangUp()
	if err := s.node.Stop(); err != nil {
		panic(broken{err})
	}
	if err := s.node.Start(s.ctx); err != nil {
		panic(broken{err})
	}
	s.awaitLeaders(t, 1)
	s.send("the last again", produceTo(t, 9, -1, numbered(id, epoch, 5, 1)))
	s.send("a gap", produceTo(t, 9, -1, numbered(id, epoch, 9, 1)))
	s.send("the next", produceTo(t, 9, -1, numbered(id, epoch, 6, 1)))
	s.send("an old epoch", produceTo(t, 9, -1, numbered(id, epoch-1, 0, 1)))
	s.look(t)
}

func producerIDs(s *scene) {
	s.newProducer()
	ask := func(label string, version int16, change func(r *kmsg.InitProducerIDRequest)) {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.SetVersion(version)
		req.TransactionTimeoutMillis = 60000
		req.ProducerID, req.ProducerEpoch = -1, -1
		if change != nil {
			change(req)
		}
		s.send(fmt.Sprintf("%s v%d", label, version), req)
	}
	for v := int16(0); v <= 7; v++ {
		ask("plain", v, nil)
	}
	for _, v := range []int16{3, 5} {
		ask("with id and epoch", v, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = 77, 3 })
		ask("with id, no epoch", v, func(r *kmsg.InitProducerIDRequest) { r.ProducerID = 77 })
		ask("with epoch, no id", v, func(r *kmsg.InitProducerIDRequest) { r.ProducerEpoch = 3 })
	}
	ask("timeout 0", 4, func(r *kmsg.InitProducerIDRequest) { r.TransactionTimeoutMillis = 0 })
	ask("timeout -1", 4, func(r *kmsg.InitProducerIDRequest) { r.TransactionTimeoutMillis = -1 })
	ask("empty transactional id", 4, func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = kmsg.StringPtr("") })
	one, _ := s.newProducer()
	two, _ := s.newProducer()
	s.lines.add("ids", "they differ", fmt.Sprint(one != two))
}

func producersDescribed(s *scene) {
	t := s.create("t", 1)
	id, epoch := s.newProducer()
	s.send("one batch", produceTo(t, 9, -1, numbered(id, epoch, 0, 3)))
	s.send("another", produceTo(t, 9, -1, numbered(id, epoch, 3, 3)))
	for _, name := range []string{t.name, t.name + "-gone"} {
		req := kmsg.NewPtrDescribeProducersRequest()
		row := kmsg.NewDescribeProducersRequestTopic()
		row.Topic, row.Partitions = name, []int32{0, 8}
		req.Topics = append(req.Topics, row)
		s.send("producers", req)
	}
}
