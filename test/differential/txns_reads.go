package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func txnProducers(s *scene) {
	t := s.create("t", 2)
	x, y := s.transactional("x"), s.transactional("y")
	look := func(label string) {
		req := kmsg.NewPtrDescribeProducersRequest()
		row := kmsg.NewDescribeProducersRequestTopic()
		row.Topic, row.Partitions = t.name, []int32{0, 1}
		req.Topics = append(req.Topics, row)
		label = s.step(label)
		r := s.must(label, req).(*kmsg.DescribeProducersResponse)
		for i := range r.Topics[0].Partitions {
			slices.SortFunc(r.Topics[0].Partitions[i].ActiveProducers, func(a, b kmsg.DescribeProducersResponseTopicPartitionActiveProducer) int {
				return cmp.Compare(a.ProducerID, b.ProducerID)
			})
		}
		s.lines.answer(label, r)
	}
	d := dialects[1]
	look("none")
	x.write(d, t, 0)
	look("one is open")
	y.write(d, t, 0)
	x.write(d, t, 0)
	look("two are open")
	x.finish(d, true)
	s.until(func() bool { return s.stableAt(t) == 2 })
	look("one is committed")
	y.finish(d, false)
	s.whole("both are over", t)
	look("both are over")
	x.write(dialects[6], t, 0)
	look("open again")
	x.finish(dialects[6], true)
	s.whole("over again", t)
	look("over again")
}

// stableAt is the last stable offset of partition 0.
func (s *scene) stableAt(t topic) int64 {
	r := s.must("list offsets", listOf(t, 7, -1, func(r *kmsg.ListOffsetsRequest) { r.IsolationLevel = 1 })).(*kmsg.ListOffsetsResponse)
	return r.Topics[0].Partitions[0].Offset
}

// endOf is the high watermark of partition 0.
func (s *scene) endOf(t topic) int64 {
	return s.must("list offsets", listOf(t, 7, -1, nil)).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0].Offset
}

// interleaved makes a partition with plain batches, two committed, three
// aborted and one open transaction, each in the midst of others, and gives the
// open one.
func (s *scene) interleaved(t topic) *txn {
	a, b, c := s.transactional("a"), s.transactional("b"), s.transactional("c")
	d := dialects[1]
	plain := func() {
		s.must("a plain batch", produceTo(t, 9, -1, batch{records: recsOf(1), baseTime: s.before()}.bytes()))
	}
	ended := func(x *txn, commit bool) {
		end := s.endOf(t)
		x.finish(d, commit)
		s.until(func() bool { return s.endOf(t) > end })
	}
	plain()
	a.write(d, t, 0)
	b.write(d, t, 0)
	plain()
	a.write(d, t, 0)
	ended(b, false)
	c.write(d, t, 0)
	ended(a, true)
	b.write(d, t, 0)
	ended(c, false)
	plain()
	c.write(d, t, 0)
	ended(c, true)
	ended(b, false)
	plain()
	b.write(d, t, 0)
	plain()
	c.write(d, t, 0)
	ended(c, false)
	return b
}

func txnRead(s *scene) {
	t := s.create("t", 2)
	open := s.interleaved(t)
	end := s.endOf(t)
	for _, v := range []int16{4, 7, 10, 11, 12, 13, 15, 16, 18} {
		s.both("open", t, v, 0)
	}
	for offset := range end + 2 {
		s.both(fmt.Sprintf("from %d", offset), t, 12, offset)
	}
	for _, most := range []int32{1, 100, 200, 400, 600, 900} {
		for level := range int8(2) {
			s.send(fmt.Sprintf("at most %d bytes, isolation %d", most, level), fetchOf(t, 12, 1, func(r *kmsg.FetchRequest) {
				r.IsolationLevel, r.MaxWaitMillis, partOf(r).PartitionMaxBytes = level, 0, most
			}))
		}
	}
	s.sessionThroughAnEnd(t, open)
	s.whole("decided", t)
	for offset := range end + 2 {
		s.both(fmt.Sprintf("decided, from %d", offset), t, 12, offset)
	}
}

// sessionThroughAnEnd waits at the last stable offset in a fetch session while
// the transaction that holds it back ends.
func (s *scene) sessionThroughAnEnd(t topic, open *txn) {
	at := s.stableAt(t)
	req := fetchOf(t, 12, at, func(r *kmsg.FetchRequest) { r.IsolationLevel, r.MaxWaitMillis, r.SessionEpoch = 1, 0, 0 })
	first, _ := s.send("a session at the last stable offset", req).(*kmsg.FetchResponse)
	if first == nil {
		return
	}
	const wait = patience
	waiting := s.member("waiting")
	defer waiting.leaveConnection()
	next := kmsg.NewPtrFetchRequest()
	next.SetVersion(12)
	next.ReplicaID, next.IsolationLevel, next.MaxWaitMillis, next.MinBytes, next.MaxBytes = -1, 1, int32(wait.Milliseconds()), 1, 1<<20
	next.SessionID, next.SessionEpoch = first.SessionID, 1
	began := time.Now()
	waiting.write(next) // and is read for twice patience
	open.finish(dialects[1], true)
	waiting.read("woken by the end", next)
	s.lines.add("woken by the end", "soon", fmt.Sprint(time.Since(began) < wait/2))
}

func txnListOffsets(s *scene) {
	t := s.create("t", 2)
	open := s.interleaved(t)
	look := func(label string) {
		for _, v := range []int16{2, 5, 7, 10} {
			for _, at := range []int64{-1, -2, -3, 0, time.Now().Add(time.Hour).UnixMilli()} {
				for level := range int8(2) {
					name := fmt.Sprint(at)
					if at > 0 {
						name = "in an hour"
					}
					s.send(fmt.Sprintf("%s: time %s, isolation %d v%d", label, name, level, v), listOf(t, v, at, func(r *kmsg.ListOffsetsRequest) { r.IsolationLevel = level }))
				}
			}
		}
	}
	look("open")
	open.finish(dialects[1], false)
	s.whole("decided", t)
	look("decided")
}
