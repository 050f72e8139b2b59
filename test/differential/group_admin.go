package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func listOfGroups(version int16, states, types []string) *kmsg.ListGroupsRequest {
	req := kmsg.NewPtrListGroupsRequest()
	req.SetVersion(version)
	req.StatesFilter, req.TypesFilter = states, types
	return req
}

// list shows this story's groups only.
func (s *scene) list(label string, req *kmsg.ListGroupsRequest) {
	resp := s.must("list groups", req).(*kmsg.ListGroupsResponse)
	mine := map[string]kmsg.ListGroupsResponseGroup{}
	for _, g := range resp.Groups {
		if strings.HasPrefix(g.Group, s.run+"-") {
			mine[g.Group] = g
		}
	}
	label = s.step(label)
	s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	for _, suffix := range []string{"busy", "idle", "new"} {
		g, ok := mine[s.run+"-"+suffix]
		s.lines.add(label, suffix, fmt.Sprintf("%v %q %q %q", ok, g.ProtocolType, g.GroupState, g.GroupType))
	}
}

func describeAndList(s *scene) {
	t := s.create("t", 2)
	g := s.group("busy")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	s.send("commit from outside", commitOf(9, s.group("idle"), t, nil))
	m2 := s.member("b")
	defer m2.leaveConnection()
	m2.call("asks for an id", m2.join(9, s.group("new"), nil))
	s.seen(s.group("new"))
	for v := range int16(7) {
		s.send(fmt.Sprintf("describe v%d", v), groupsDescribed(v, g, s.group("idle"), s.group("new"), s.group("none")))
		s.send(fmt.Sprintf("describe without a name v%d", v), groupsDescribed(v, ""))
	}
	s.send("describe nothing", groupsDescribed(6))
	for v := range int16(6) {
		s.list(fmt.Sprintf("list v%d", v), listOfGroups(v, nil, nil))
	}
	s.list("stable", listOfGroups(4, []string{"stable"}, nil))
	s.list("Empty", listOfGroups(5, []string{"Empty"}, nil))
	s.list("none such", listOfGroups(4, []string{"none"}, nil))
	s.list("classic", listOfGroups(5, nil, []string{"Classic"}))
	s.list("consumer", listOfGroups(5, nil, []string{"consumer"}))
	s.list("classic and empty", listOfGroups(5, []string{"EMPTY"}, []string{"classic"}))
}

func deletionOf(version int16, groups ...string) *kmsg.DeleteGroupsRequest {
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.SetVersion(version)
	req.Groups = groups
	return req
}

func deleteGroups(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	for v := range int16(4) {
		idle := fmt.Sprintf("%s-%d", s.group("idle"), v)
		s.send(fmt.Sprintf("commit %d", v), commitOf(9, idle, t, nil))
		s.send(fmt.Sprintf("delete idle v%d", v), deletionOf(v, idle))
		s.send(fmt.Sprintf("fetch of deleted %d", v), offsetsFetched(7, idle, &t))
		s.send(fmt.Sprintf("describe deleted %d", v), groupsDescribed(6, idle))
		s.send(fmt.Sprintf("delete busy v%d", v), deletionOf(v, g))
		s.send(fmt.Sprintf("delete unknown v%d", v), deletionOf(v, s.group("none")))
		s.send(fmt.Sprintf("delete no name v%d", v), deletionOf(v, ""))
		s.send(fmt.Sprintf("delete nothing v%d", v), deletionOf(v))
	}
	m.call("leaves", m.leave(5, g))
	s.send("delete what was left", deletionOf(3, g, g))
}
