package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func groupStories() []story {
	return []story{
		{"groups/find coordinator", findCoordinator},
		{"groups/join refusals", joinRefusals},
		{"groups/one member in every version", oneMember},
		{"groups/two members", twoMembers},
		{"groups/static members", staticMembers},
		{"groups/commit refusals", commitRefusals},
		{"groups/offsets in every version", offsetsEveryVersion},
		{"groups/leave", leaving},
		{"groups/describe and list", describeAndList},
		{"groups/delete", deleteGroups},
		{"groups/delete offsets", deleteOffsets},
	}
}

func findCoordinator(s *scene) {
	g := s.group("g")
	s.ready(g)
	for v := range int16(7) {
		s.send(fmt.Sprintf("group v%d", v), coordinatorOf(v, 0, g))
	}
	s.send("empty key v3", coordinatorOf(3, 0, ""))
	s.send("empty key v6", coordinatorOf(6, 0, ""))
	for _, kind := range []int8{2, 3, -1} {
		s.send(fmt.Sprintf("kind %d v3", kind), coordinatorOf(3, kind, g))
	}
	s.send("share v5", coordinatorOf(5, 2, g))
}

func joinRefusals(s *scene) {
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	for v := range int16(10) {
		for _, c := range []struct {
			name   string
			change func(*kmsg.JoinGroupRequest)
		}{
			{"no group", func(r *kmsg.JoinGroupRequest) { r.Group = "" }},
			{"short session", func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 1 }},
			{"long session", func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 2_000_000 }},
			{"unknown group", func(r *kmsg.JoinGroupRequest) { r.MemberID = "who" }},
			{"no protocols", func(r *kmsg.JoinGroupRequest) { r.Protocols = nil }},
			{"no type", func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "" }},
		} {
			m.id = ""
			m.call(fmt.Sprintf("%s v%d", c.name, v), m.join(v, fmt.Sprintf("%s-%s-%d", g, strings.ReplaceAll(c.name, " ", "-"), v), c.change))
		}
	}
	for v := range int16(6) {
		m.id = "who"
		m.call(fmt.Sprintf("sync of an unknown group v%d", v), m.sync(v, g+"-none", nil))
		m.call(fmt.Sprintf("sync without a group v%d", v), m.sync(v, "", nil))
	}
	for v := range int16(5) {
		m.call(fmt.Sprintf("heartbeat of an unknown group v%d", v), m.heartbeat(v, g+"-none"))
		m.call(fmt.Sprintf("heartbeat without a group v%d", v), m.heartbeat(v, ""))
	}
	for v := range int16(6) {
		m.call(fmt.Sprintf("leave of an unknown group v%d", v), m.leave(v, g+"-none"))
		m.call(fmt.Sprintf("leave without a group v%d", v), m.leave(v, ""))
	}
}

// enter joins until the member has a generation.
func (m *groupMember) enter(version int16, group string) {
	resp := m.call(fmt.Sprintf("joins v%d", version), m.join(version, group, nil)).(*kmsg.JoinGroupResponse)
	if resp.ErrorCode == 79 {
		m.call(fmt.Sprintf("joins v%d", version), m.join(version, group, nil))
	}
}

func oneMember(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	for v := range int16(10) {
		if v > 0 && v < 4 || v == 6 || v == 8 {
			continue // as their neighbours; a join takes its three seconds
		}
		m, group := s.member(fmt.Sprintf("a%d", v)), fmt.Sprintf("%s-%d", g, v)
		m.enter(v, group)
		m.call("early heartbeat", m.heartbeat(min(v, 4), group))
		m.call("early commit", commitOf(max(2, v), group, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation }))
		m.call("syncs", m.sync(min(v, 5), group, map[string]string{m.id: "mine"}))
		m.call("syncs again", m.sync(min(v, 5), group, nil))
		m.call("heartbeat", m.heartbeat(min(v, 4), group))
		m.call("commits", commitOf(max(2, v), group, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation }))
		m.call("fetches", offsetsFetched(max(1, v), group, &t))
		m.call("is described", groupsDescribed(min(v, 6), group))
		m.call("joins again unchanged", m.join(v, group, nil))
		m.call("leaves", m.leave(min(v, 5), group))
		m.call("is described when gone", groupsDescribed(min(v, 6), group))
		m.leaveConnection()
	}
}

func twoMembers(s *scene) {
	g := s.group("g")
	s.ready(g)
	a, b := s.member("a"), s.member("b")
	defer a.leaveConnection()
	defer b.leaveConnection()
	a.enter(9, g)
	a.call("syncs", a.sync(5, g, map[string]string{a.id: "all"}))
	b.call("asks for an id", b.join(9, g, nil))
	b.call("another protocol", b.join(9, g, func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Name = "other" }))
	b.call("another type", b.join(9, g, func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "connect" }))
	joining := b.join(9, g, nil)
	b.write(joining)
	s.until(func() bool {
		return s.must("heartbeat", a.heartbeat(4, g)).(*kmsg.HeartbeatResponse).ErrorCode == 27
	})
	a.call("heartbeat in a rebalance", a.heartbeat(4, g))
	a.call("sync in a rebalance", a.sync(5, g, nil))
	a.call("is described in a rebalance", groupsDescribed(6, g))
	a.call("joins again", a.join(9, g, nil))
	b.read("b joins", joining)
	a.call("heartbeat before the sync", a.heartbeat(4, g))
	a.call("is described before the sync", groupsDescribed(6, g))
	a.generation--
	a.call("an old generation's sync", a.sync(5, g, nil))
	a.call("an old generation's heartbeat", a.heartbeat(4, g))
	a.generation++
	wrong := a.sync(5, g, nil)
	wrong.Protocol = kmsg.StringPtr("other")
	a.call("another protocol's sync", wrong)
	wrong.Protocol, wrong.ProtocolType = nil, nil
	a.call("no protocol's sync", wrong)
	syncing := b.sync(5, g, nil)
	b.write(syncing)
	a.call("syncs", a.sync(5, g, map[string]string{a.id: "one", b.id: "two", "who": "three"}))
	b.read("b syncs", syncing)
	b.call("joins again unchanged", b.join(9, g, nil))
	a.call("is described", groupsDescribed(6, g))
	b.call("leaves", b.leave(5, g))
	s.until(func() bool {
		return s.must("heartbeat", a.heartbeat(4, g)).(*kmsg.HeartbeatResponse).ErrorCode == 27
	})
	a.call("joins alone", a.join(9, g, nil))
	a.call("leaves before the sync", a.leave(2, g))
}

func staticMembers(s *scene) {
	g := s.group("g")
	s.ready(g)
	for _, v := range []int16{5, 9} {
		group := fmt.Sprintf("%s-%d", g, v)
		a := s.member(fmt.Sprintf("a%d", v))
		a.instance = kmsg.StringPtr("ia")
		a.call("joins", a.join(v, group, nil))
		a.call("syncs", a.sync(5, group, map[string]string{a.id: "all"}))
		again := s.member(fmt.Sprintf("again%d", v))
		again.instance = a.instance
		again.call("takes the place", again.join(v, group, nil))
		again.call("syncs", again.sync(5, group, map[string]string{again.id: "other"}))
		a.call("is fenced in a heartbeat", a.heartbeat(4, group))
		a.call("is fenced in a sync", a.sync(5, group, nil))
		a.call("is fenced in a join", a.join(v, group, nil))
		a.call("is fenced in leaving", a.leave(5, group))
		stranger := s.member(fmt.Sprintf("x%d", v))
		stranger.id, stranger.instance, stranger.generation = again.id, kmsg.StringPtr("ix"), again.generation
		stranger.call("unknown instance", stranger.heartbeat(4, group))
		stranger.call("unknown instance joins", stranger.join(v, group, nil))
		again.call("is described", groupsDescribed(6, group))
		out := again.leave(5, group)
		out.Members[0].MemberID = ""
		again.call("is taken out by name", out)
		again.call("is taken out twice", out)
		for _, m := range []*groupMember{a, again, stranger} {
			m.leaveConnection()
		}
	}
}

func leaving(s *scene) {
	g := s.group("g")
	s.ready(g)
	for v := range int16(6) {
		group := fmt.Sprintf("%s-%d", g, v)
		m := s.member(fmt.Sprintf("a%d", v))
		m.call("asks for an id", m.join(9, group, nil))
		m.call(fmt.Sprintf("leaves while pending v%d", v), m.leave(v, group))
		m.call(fmt.Sprintf("leaves twice v%d", v), m.leave(v, group))
		empty := m.leave(v, group)
		empty.MemberID, empty.Members = "", nil
		m.call(fmt.Sprintf("nobody leaves v%d", v), empty)
		m.leaveConnection()
	}
}
