package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func (x *txn) addOffsets(version int16, group string, change func(*kmsg.AddOffsetsToTxnRequest)) *kmsg.AddOffsetsToTxnRequest {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.SetVersion(version)
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = x.id, x.producer, x.epoch, group
	if change != nil {
		change(req)
	}
	return req
}

// commitOffsets commits 7 for partition 0 of a topic in the transaction.
func (x *txn) commitOffsets(version int16, group string, t topic, change func(*kmsg.TxnOffsetCommitRequest)) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.SetVersion(version)
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, req.Generation = x.id, x.producer, x.epoch, group, -1
	row := kmsg.NewTxnOffsetCommitRequestTopic()
	row.Topic, row.TopicID = t.name, t.id
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Offset, p.LeaderEpoch, p.Metadata = 7, 2, kmsg.StringPtr("note")
	row.Partitions = append(row.Partitions, p)
	req.Topics = append(req.Topics, row)
	if change != nil {
		change(req)
	}
	return req
}

// fetched shows a group's offsets, those that wait for a transaction too.
func (s *scene) fetched(label, group string, t topic) {
	for _, stable := range []bool{false, true} {
		for _, v := range []int16{7, 8, 10} {
			req := offsetsFetched(v, group, &t)
			req.RequireStable = stable
			s.send(fmt.Sprintf("%s, stable %v v%d", label, stable, v), req)
		}
		all := offsetsFetched(9, group, nil)
		all.RequireStable = stable
		s.send(fmt.Sprintf("%s, all, stable %v", label, stable), all)
	}
}

// afterEnd waits until no offset of the group waits for a transaction.
func (s *scene) afterEnd(group string, t topic) {
	s.until(func() bool {
		req := offsetsFetched(7, group, &t)
		req.RequireStable = true
		r := s.must("fetch offsets", req).(*kmsg.OffsetFetchResponse)
		if r.ErrorCode == 88 {
			return false
		}
		for _, row := range r.Topics {
			for _, p := range row.Partitions {
				if p.ErrorCode == 88 {
					return false
				}
			}
		}
		return true
	})
}

func txnOffsets(s *scene) {
	t := s.create("t", 2)
	s.ready(s.group("g"))
	for v := range int16(7) {
		g := fmt.Sprintf("%s-%d", s.group("g"), v)
		x := s.transactional(fmt.Sprintf("x%d", v))
		ends := min(v, 5)
		for _, commit := range []bool{false, true} {
			if v < 5 {
				x.call(fmt.Sprintf("adds offsets v%d", v), x.addOffsets(min(v, 4), g, nil))
			}
			x.call(fmt.Sprintf("commits offsets v%d", v), x.commitOffsets(v, g, t, nil))
			s.fetched(fmt.Sprintf("open v%d", v), g, t)
			x.call(fmt.Sprintf("ends, commit %v v%d", commit, v), x.end(ends, commit, nil))
			s.afterEnd(g, t)
			s.fetched(fmt.Sprintf("ended, commit %v v%d", commit, v), g, t)
		}
		s.send(fmt.Sprintf("the group v%d", v), groupsDescribed(6, g))
	}
}

func txnOffsetsOnly(s *scene) {
	t := s.create("t", 2)
	s.ready(s.group("g"))
	for v := range int16(7) {
		g := fmt.Sprintf("%s-%d", s.group("g"), v)
		x := s.transactional(fmt.Sprintf("x%d", v))
		x.call(fmt.Sprintf("without adding v%d", v), x.commitOffsets(v, g, t, nil))
		x.call(fmt.Sprintf("commit v%d", v), x.end(min(v, 5), true, nil))
		s.afterEnd(g, t)
		s.fetched(fmt.Sprintf("then v%d", v), g, t)
	}
}

func txnOffsetsWrong(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	for v := range int16(5) {
		x := s.transactional(fmt.Sprintf("o%d", v))
		try := func(label string, change func(*kmsg.AddOffsetsToTxnRequest)) {
			x.call(fmt.Sprintf("add offsets: %s v%d", label, v), x.addOffsets(v, g, change))
		}
		try("empty group", func(r *kmsg.AddOffsetsToTxnRequest) { r.Group = "" })
		try("unknown id", func(r *kmsg.AddOffsetsToTxnRequest) { r.TransactionalID += "-none" })
		try("empty id", func(r *kmsg.AddOffsetsToTxnRequest) { r.TransactionalID = "" })
		try("another producer", func(r *kmsg.AddOffsetsToTxnRequest) { r.ProducerID++ })
		try("an earlier epoch", func(r *kmsg.AddOffsetsToTxnRequest) { r.ProducerEpoch-- })
		try("a later epoch", func(r *kmsg.AddOffsetsToTxnRequest) { r.ProducerEpoch++ })
		try("unknown group", func(r *kmsg.AddOffsetsToTxnRequest) { r.Group += "-none" })
		x.call(fmt.Sprintf("aborts v%d", v), x.end(min(v, 4), false, nil))
	}
	for v := range int16(7) {
		x := s.transactional(fmt.Sprintf("x%d", v))
		if v < 5 {
			x.call(fmt.Sprintf("adds offsets v%d", v), x.addOffsets(min(v, 4), g, nil))
		}
		for _, c := range offsetBends(m, t) {
			req := x.commitOffsets(v, g, t, func(r *kmsg.TxnOffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation })
			c.change(req)
			x.call(fmt.Sprintf("%s v%d", c.name, v), req)
		}
		x.call(fmt.Sprintf("aborts v%d", v), x.end(min(v, 5), false, nil))
	}
	m.call("leaves", m.leave(5, g))
}

type offsetBend struct {
	name   string
	change func(*kmsg.TxnOffsetCommitRequest)
}

// offsetBends are ways in which a commit of offsets is wrong, or odd and right.
func offsetBends(m *groupMember, t topic) []offsetBend {
	return []offsetBend{
		{"good", func(*kmsg.TxnOffsetCommitRequest) {}},
		{"old generation", func(r *kmsg.TxnOffsetCommitRequest) { r.Generation-- }},
		{"later generation", func(r *kmsg.TxnOffsetCommitRequest) { r.Generation++ }},
		{"unknown member", func(r *kmsg.TxnOffsetCommitRequest) { r.MemberID = "who" }},
		{"from outside", func(r *kmsg.TxnOffsetCommitRequest) { r.MemberID, r.Generation = "", -1 }},
		{"member without generation", func(r *kmsg.TxnOffsetCommitRequest) { r.Generation = -1 }},
		{"generation without member", func(r *kmsg.TxnOffsetCommitRequest) { r.MemberID = "" }},
		{"unknown instance", func(r *kmsg.TxnOffsetCommitRequest) { r.InstanceID = kmsg.StringPtr("who") }},
		{"unknown group with a generation", func(r *kmsg.TxnOffsetCommitRequest) { r.Group += "-none" }},
		{"empty group", func(r *kmsg.TxnOffsetCommitRequest) { r.Group = "" }},
		{"unknown topic", func(r *kmsg.TxnOffsetCommitRequest) {
			r.Topics[0].Topic, r.Topics[0].TopicID = "__none", [16]byte{1}
		}},
		{"unknown partition", func(r *kmsg.TxnOffsetCommitRequest) { r.Topics[0].Partitions[0].Partition = 9 }},
		{"long metadata", func(r *kmsg.TxnOffsetCommitRequest) {
			r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("x", 4097))
		}},
		{"no metadata", func(r *kmsg.TxnOffsetCommitRequest) { r.Topics[0].Partitions[0].Metadata = nil }},
		{"no topics", func(r *kmsg.TxnOffsetCommitRequest) { r.Topics = nil }},
		{"unknown id", func(r *kmsg.TxnOffsetCommitRequest) { r.TransactionalID += "-none" }},
		{"another producer", func(r *kmsg.TxnOffsetCommitRequest) { r.ProducerID += 1000 }},
		{"an earlier epoch", func(r *kmsg.TxnOffsetCommitRequest) { r.ProducerEpoch-- }},
		{"a later epoch", func(r *kmsg.TxnOffsetCommitRequest) { r.ProducerEpoch++ }},
	}
}

// markerOf is a marker for partition 0 of a topic.
func markerOf(t topic, version int16, x *txn, commit bool, change func(*kmsg.WriteTxnMarkersRequestMarker)) *kmsg.WriteTxnMarkersRequest {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.SetVersion(version)
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch, m.Committed = x.producer, x.epoch, commit
	row := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
	row.Topic, row.Partitions = t.name, []int32{0}
	m.Topics = append(m.Topics, row)
	if change != nil {
		change(&m)
	}
	req.Markers = append(req.Markers, m)
	return req
}

// txnMarkers writes markers by hand, as kafka-transactions abort does.
func txnMarkers(s *scene) {
	t := s.create("t", 2)
	for v := range int16(4) {
		x := s.transactional(fmt.Sprintf("x%d", v))
		x.write(dialects[1], t, 0)
		try := func(label string, change func(*kmsg.WriteTxnMarkersRequestMarker)) {
			s.send(fmt.Sprintf("%s v%d", label, v), markerOf(t, v, x, false, change))
		}
		try("unknown topic", func(m *kmsg.WriteTxnMarkersRequestMarker) { m.Topics[0].Topic = "__none" })
		try("unknown partition", func(m *kmsg.WriteTxnMarkersRequestMarker) { m.Topics[0].Partitions = []int32{9} })
		try("no topics", func(m *kmsg.WriteTxnMarkersRequestMarker) { m.Topics = nil })
		try("an earlier epoch", func(m *kmsg.WriteTxnMarkersRequestMarker) { m.ProducerEpoch-- })
		try("good", nil)
		try("once more", nil)
		try("of an older coordinator", func(m *kmsg.WriteTxnMarkersRequestMarker) { m.CoordinatorEpoch = -1 })
		try("of a newer coordinator", func(m *kmsg.WriteTxnMarkersRequestMarker) { m.CoordinatorEpoch = 9 })
		try("of an older coordinator then", nil)
		s.both(fmt.Sprintf("then v%d", v), t, 12, 0)
		x.call(fmt.Sprintf("aborts v%d", v), x.end(1, false, nil))
		if v == 0 { // later ones never end with Kafka: a newer coordinator was there
			s.ended(x.id)
		}
	}
	empty := kmsg.NewPtrWriteTxnMarkersRequest()
	empty.SetVersion(1)
	s.send("nothing", empty)
	for _, version := range []int8{0, 1, 2, 3} {
		x := s.transactional(fmt.Sprintf("y%d", version))
		x.write(dialects[1], t, 0)
		of := func(m *kmsg.WriteTxnMarkersRequestMarker) { m.TransactionVersion = version }
		s.asNode(func() {
			s.send(fmt.Sprintf("the same epoch, of transactions v%d", version), markerOf(t, 2, x, true, of))
			s.send(fmt.Sprintf("the next epoch, of transactions v%d", version), markerOf(t, 2, x, true, func(m *kmsg.WriteTxnMarkersRequestMarker) { of(m); m.ProducerEpoch++ }))
		})
		x.call(fmt.Sprintf("aborts %d", version), x.end(1, false, nil))
	}
	s.whole("at the end", t)
	x := s.transactional("z")
	u := s.create("u", 1)
	x.write(dialects[1], u, 0)
	s.send("commits as a client", markerOf(u, 2, x, true, nil))
	x.call("aborts", x.end(1, false, nil))
}
