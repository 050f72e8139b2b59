package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func commitRefusals(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	for v := int16(2); v <= 10; v++ {
		for _, c := range []struct {
			name   string
			change func(*kmsg.OffsetCommitRequest)
		}{
			{"member", func(r *kmsg.OffsetCommitRequest) {}},
			{"old generation", func(r *kmsg.OffsetCommitRequest) { r.Generation-- }},
			{"unknown member", func(r *kmsg.OffsetCommitRequest) { r.MemberID = "who" }},
			{"from outside", func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = "", -1 }},
			{"member without generation", func(r *kmsg.OffsetCommitRequest) { r.Generation = -1 }},
			{"unknown instance", func(r *kmsg.OffsetCommitRequest) { r.InstanceID = kmsg.StringPtr("who") }},
			{"unknown group with a generation", func(r *kmsg.OffsetCommitRequest) { r.Group = g + "-none" }},
			{"unknown topic", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Topic, r.Topics[0].TopicID = "__none", [16]byte{1} }},
			{"unknown partition", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Partition = 9 }},
			{"long metadata", func(r *kmsg.OffsetCommitRequest) {
				r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("x", 4097))
			}},
			{"longest metadata", func(r *kmsg.OffsetCommitRequest) {
				r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("é", 4096))
			}},
			{"no metadata", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Metadata = nil }},
			{"negative offset", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Offset = -1 }},
			{"no topics", func(r *kmsg.OffsetCommitRequest) { r.Topics = nil }},
		} {
			req := commitOf(v, g, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation })
			c.change(req)
			m.call(fmt.Sprintf("%s v%d", c.name, v), req)
		}
	}
	m.call("leaves", m.leave(5, g))
	m.call("commits from outside", commitOf(9, g, t, nil))
	m.call("is described", groupsDescribed(6, g))
}

func offsetsEveryVersion(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	for v := int16(2); v <= 10; v++ {
		group := fmt.Sprintf("%s-%d", g, v)
		s.send(fmt.Sprintf("commit v%d", v), commitOf(v, group, t, nil))
		for f := int16(1); f <= 10; f++ {
			if v != 2 && v != 10 && f != v {
				continue
			}
			s.send(fmt.Sprintf("v%d fetched v%d", v, f), offsetsFetched(f, group, &t))
			if f >= 2 {
				s.send(fmt.Sprintf("v%d all fetched v%d", v, f), offsetsFetched(f, group, nil))
			}
		}
	}
	for f := int16(1); f <= 10; f++ {
		s.send(fmt.Sprintf("unknown group v%d", f), offsetsFetched(f, g+"-none", &t))
		s.send(fmt.Sprintf("unknown topic v%d", f), offsetsFetched(f, g+"-2", &topic{name: "__none", id: [16]byte{1}}))
		s.send(fmt.Sprintf("no group v%d", f), offsetsFetched(f, "", &t))
		if f >= 2 {
			s.send(fmt.Sprintf("all of an unknown group v%d", f), offsetsFetched(f, g+"-none", nil))
		}
		if f >= 7 {
			req := offsetsFetched(f, g+"-2", &t)
			req.RequireStable = true
			s.send(fmt.Sprintf("stable v%d", f), req)
		}
	}
}

func deleteOffsets(s *scene) {
	t, other := s.create("t", 2), s.create("other", 2)
	g := s.group("g")
	s.ready(g)
	deletion := func(group string, names ...string) *kmsg.OffsetDeleteRequest {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = group
		for _, name := range names {
			row := kmsg.NewOffsetDeleteRequestTopic()
			row.Topic = name
			for _, p := range []int32{0, 1, 9} {
				part := kmsg.NewOffsetDeleteRequestTopicPartition()
				part.Partition = p
				row.Partitions = append(row.Partitions, part)
			}
			req.Topics = append(req.Topics, row)
		}
		return req
	}
	s.send("commit", commitOf(9, g, t, nil))
	s.send("commit other", commitOf(9, g, other, nil))
	m := s.member("a")
	defer m.leaveConnection()
	s.lines.hide(fmt.Sprintf("%x", subscriptionTo(t.name)), "SUBSCRIPTION")
	mine := func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Metadata = subscriptionTo(t.name) }
	m.call("asks for an id", m.join(9, g, mine))
	m.call("joins", m.join(9, g, mine))
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	s.send("delete in a live group", deletion(g, t.name, other.name, "__none"))
	s.send("delete of an unknown group", deletion(s.group("none"), t.name))
	s.send("delete without a group", deletion("", t.name))
	s.send("delete of unknown topics", deletion(g, "__none"))
	s.send("what is left", offsetsFetched(7, g, &t))
	s.send("what is left of other", offsetsFetched(7, g, &other))
	m.call("leaves", m.leave(5, g))
	s.send("delete in an empty group", deletion(g, t.name))
	s.send("what is left then", offsetsFetched(7, g, &t))
}
