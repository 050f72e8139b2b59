package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// reads is the subscription of a classic member that has partitions of a topic.
func reads(t topic, owned ...int32) func(*kmsg.JoinGroupRequest) {
	return func(r *kmsg.JoinGroupRequest) {
		m := kmsg.NewConsumerMemberMetadata()
		m.Version, m.Topics, m.Generation = 1, []string{t.name}, -1
		if len(owned) > 0 {
			m.OwnedPartitions = []kmsg.ConsumerMemberMetadataOwnedPartition{{Topic: t.name, Partitions: owned}}
		}
		r.Protocols[0].Metadata = m.AppendTo(nil)
	}
}

// given reads the partitions that a classic member was given.
func given(t topic, resp kmsg.Response) []int32 {
	s, ok := resp.(*kmsg.SyncGroupResponse)
	if !ok || len(s.MemberAssignment) == 0 {
		return nil
	}
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(s.MemberAssignment); err != nil {
		return nil
	}
	for _, row := range a.Topics {
		if row.Topic == t.name {
			return row.Partitions
		}
	}
	return nil
}

// classicTurn lets a classic member join and sync, outside the transcript.
func (m *groupMember) classicTurn(group string, t topic, owned ...int32) (got []int32) {
	m.s.until(func() bool {
		join := m.ask(m.join(9, group, reads(t, owned...))).(*kmsg.JoinGroupResponse)
		if m.learn(join); m.id != "" {
			m.s.lines.hide(m.id, "ID-"+m.name)
		}
		if join.ErrorCode != 0 {
			return false
		}
		sync := m.ask(m.sync(5, group, nil)).(*kmsg.SyncGroupResponse)
		got = given(t, sync)
		return sync.ErrorCode == 0
	})
	return got
}

// ask sends a request and gives the answer, outside the transcript.
func (m *groupMember) ask(req kmsg.Request) kmsg.Response {
	m.write(req)
	frame, err := readFrame(m.conn, 2*patience)
	if err != nil {
		panic(broken{fmt.Errorf("%s: %w", m.name, err)})
	}
	resp, err := decode(req, frame, m.corr)
	if err != nil {
		panic(broken{fmt.Errorf("%s: %w", m.name, err)})
	}
	return resp
}

func classicAmongConsumers(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 4)
	a := s.consumer("a", g, t)
	a.exchange(a.joinWith(t.name))
	a.settles(4)
	m := s.member("m")
	got := m.classicTurn(g, t)
	s.lines.add("m joins", "partitions", fmt.Sprint(len(got)))
	a.settles(2)
	s.until(func() bool {
		return s.codeOf(m.ask(m.heartbeat(4, g))) == 27
	})
	got = m.classicTurn(g, t, got...)
	s.lines.add("m joins again", "partitions", fmt.Sprint(len(got)))
	m.call("heartbeat", m.heartbeat(4, g))
	wrong := m.heartbeat(4, g)
	wrong.Generation += 7
	s.lines.add("m another generation", "ErrorCode", fmt.Sprint(s.codeOf(m.ask(wrong))))
	sync := m.sync(5, g, nil)
	sync.Protocol = kmsg.StringPtr("other")
	m.call("another protocol's sync", sync)
	s.described("mixed", 1, g)
	leave := a.beat()
	leave.MemberEpoch = -1
	a.beats("leaves", leave)
	s.until(func() bool {
		return s.codeOf(m.ask(m.heartbeat(4, g))) == 27
	})
	join := m.ask(m.join(9, g, reads(t, got...))).(*kmsg.JoinGroupResponse)
	s.lines.add("m joins the classic group", "code, leader, members", fmt.Sprint(join.ErrorCode, join.LeaderID == m.id, len(join.Members)))
	s.listed("downgraded", listOfGroups(5, nil, nil))
	a.leaveConnection()
	m.leaveConnection()
}

func (s *scene) codeOf(resp kmsg.Response) int16 {
	switch r := resp.(type) {
	case *kmsg.HeartbeatResponse:
		return r.ErrorCode
	case *kmsg.SyncGroupResponse:
		return r.ErrorCode
	}
	return -1
}

func upgradedGroup(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 4)
	m := s.member("m")
	join := m.ask(m.join(9, g, reads(t))).(*kmsg.JoinGroupResponse)
	m.learn(join)
	m.learn(m.ask(m.join(9, g, reads(t))).(*kmsg.JoinGroupResponse))
	part := kmsg.NewConsumerMemberAssignment()
	part.Topics = []kmsg.ConsumerMemberAssignmentTopic{{Topic: t.name, Partitions: []int32{0, 1, 2, 3}}}
	m.ask(m.sync(5, g, map[string]string{m.id: string(part.AppendTo(nil))}))
	a := s.consumer("a", g, t)
	a.exchange(a.joinWith(t.name))
	s.described("upgraded", 1, g)
	s.until(func() bool { return s.codeOf(m.ask(m.heartbeat(4, g))) == 27 })
	got := m.classicTurn(g, t, 0, 1, 2, 3)
	s.until(func() bool {
		if s.codeOf(m.ask(m.heartbeat(4, g))) == 27 {
			got = m.classicTurn(g, t, got...)
		}
		a.exchange(a.owning())
		return a.has() == 2 && len(got) == 2
	})
	s.described("shared", 1, g)
	m.call("leaves", m.leave(5, g))
	a.settles(4)
	s.described("alone", 1, g)
	a.leaveConnection()
	m.leaveConnection()
}

func consumerTopics(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 2)
	later := s.run + "-later"
	a := s.consumer("a", g, t)
	a.exchange(a.joinWith(t.name, later))
	a.settles(2)
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.SetVersion(3)
	req.TimeoutMillis = 10000
	row := kmsg.NewCreatePartitionsRequestTopic()
	row.Topic, row.Count = t.name, 3
	req.Topics = append(req.Topics, row)
	s.must("grow", req)
	a.settles(3)
	s.described("grown", 1, g)
	a.leaveConnection()
}
