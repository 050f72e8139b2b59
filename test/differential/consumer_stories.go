package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func consumerStories() []story {
	return []story{
		{"consumer/heartbeat refusals", beatRefusals},
		{"consumer/one member", oneConsumer},
		{"consumer/two members", twoConsumers},
		{"consumer/epochs", consumerEpochs},
		{"consumer/static members", staticConsumers},
		{"consumer/regular expressions", regexConsumers},
		{"consumer/commits", consumerCommits},
		{"consumer/types", groupTypes},
		{"consumer/classic members", classicAmongConsumers},
		{"consumer/upgrade", upgradedGroup},
		{"consumer/topics", consumerTopics},
	}
}

func beatRefusals(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 2)
	for _, v := range []int16{0, 1} {
		for _, r := range []struct {
			name   string
			change func(*kmsg.ConsumerGroupHeartbeatRequest)
		}{
			{"no group", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Group = "" }},
			{"no id", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberID, r.Group = "", g+"-noid" }},
			{"no id at epoch 1", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberID, r.MemberEpoch = "", 1 }},
			{"no id leaving", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberID, r.MemberEpoch = "", -1 }},
			{"empty instance", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.InstanceID = kmsg.StringPtr("") }},
			{"empty rack", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.RackID = kmsg.StringPtr("") }},
			{"no rebalance timeout", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.RebalanceTimeoutMillis = -1 }},
			{"owned not said", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Topics = nil }},
			{"owns something", func(r *kmsg.ConsumerGroupHeartbeatRequest) {
				r.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{{TopicID: t.id, Partitions: []int32{0}}}
			}},
			{"nothing subscribed", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.SubscribedTopicNames = nil }},
			{"unknown assignor", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.ServerAssignor = kmsg.StringPtr("sticky") }},
			{"epoch -3", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -3 }},
			{"epoch -2 without instance", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -2 }},
			{"epoch -2 of a stranger", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch, r.InstanceID = -2, kmsg.StringPtr("i") }},
			{"epoch 3 of no group", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = 3 }},
			{"leaves no group", func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -1 }},
			{"invalid topic", func(r *kmsg.ConsumerGroupHeartbeatRequest) {
				r.SubscribedTopicNames, r.Group = []string{"no/good"}, g+"-invalid"
			}},
			{"regex and names", func(r *kmsg.ConsumerGroupHeartbeatRequest) {
				r.SubscribedTopicRegex, r.Group = kmsg.StringPtr("x.*"), g+"-both"
			}},
			{"bad regex", func(r *kmsg.ConsumerGroupHeartbeatRequest) {
				r.SubscribedTopicRegex, r.Group = kmsg.StringPtr("(x"), g+"-bad"
			}},
		} {
			c := s.consumer(fmt.Sprintf("v%d", v), g+"-none", t)
			req := c.joinWith(t.name)
			req.SetVersion(v)
			r.change(req)
			if req.MemberID == "" {
				c.id = ""
			}
			c.beats(r.name, req)
			c.leaveConnection()
		}
	}
}

func oneConsumer(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 3)
	for _, v := range []int16{0, 1} {
		group := fmt.Sprintf("%s-%d", g, v)
		a := s.consumer(fmt.Sprintf("a%d", v), group, t)
		if v == 0 {
			a.id = ""
		}
		join := a.joinWith(t.name)
		join.SetVersion(v)
		join.RackID = kmsg.StringPtr("rack")
		a.exchange(join)
		a.settles(3)
		a.beats("reports", a.beat())
		a.beats("reports what it has", a.owning())
		full := a.owning()
		full.RebalanceTimeoutMillis, full.SubscribedTopicNames = 60000, []string{t.name}
		a.beats("says everything", full)
		s.described("is described", v, group)
		again := a.joinWith(t.name)
		a.beats("joins again", again)
		other := a.beat()
		other.SubscribedTopicNames = []string{}
		a.beats("reads nothing", other)
		a.settles(0)
		s.described("reads nothing", v, group)
		leave := a.beat()
		leave.MemberEpoch = -1
		a.beats("leaves", leave)
		a.beats("leaves twice", leave)
		s.described("is empty", v, group)
		s.send(fmt.Sprintf("deleted %d", v), deletionOf(2, group))
		s.described("is gone", v, group)
		a.leaveConnection()
	}
}

func twoConsumers(s *scene) {
	g := s.group("g")
	s.ready(g)
	t, u := s.create("t", 4), s.create("u", 2)
	a, b := s.consumer("a", g, t, u), s.consumer("b", g, t, u)
	a.exchange(a.joinWith(t.name, u.name))
	a.settles(6)
	b.exchange(b.joinWith(t.name))
	// a must give up what it reports no more before b may have it
	s.until(func() bool { return a.exchange(a.beat()).Assignment != nil })
	b.exchange(b.owning())
	s.lines.add("before the revocation", "b has", fmt.Sprint(b.has()))
	s.described("in between", 1, g)
	a.settles(3)
	b.settles(3)
	a.settles(3)
	s.described("shared", 1, g)
	leave := a.beat()
	leave.MemberEpoch = -1
	a.beats("leaves", leave)
	b.settles(4)
	s.described("alone", 1, g)
	s.listed("list", listOfGroups(5, nil, []string{"Consumer"}))
	s.send("not empty", deletionOf(2, g))
	a.leaveConnection()
	b.leaveConnection()
}

func consumerEpochs(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 2)
	a := s.consumer("a", g, t)
	a.exchange(a.joinWith(t.name))
	a.settles(2)
	for range 3 { // epoch 0 would be a join
		more := a.beat()
		more.SubscribedTopicNames = []string{t.name, fmt.Sprint("x", a.epoch)}
		a.exchange(more)
		a.settles(2)
	}
	epoch := a.epoch
	a.epoch = epoch + 5
	s.masked("greater", a.exchange(a.beat()))
	a.epoch = epoch - 1
	s.masked("smaller without partitions", a.exchange(a.beat()))
	s.masked("smaller with partitions", a.exchange(a.owning()))
	a.epoch = epoch
	b := s.consumer("b", g, t)
	b.epoch = epoch
	s.masked("stranger", b.exchange(b.beat()))
	a.leaveConnection()
	b.leaveConnection()
}

// masked notes an answer without the epochs in its message.
func (s *scene) masked(label string, resp *kmsg.ConsumerGroupHeartbeatResponse) {
	text := textOf(resp.ErrorMessage)
	for d := range 10 {
		text = strings.ReplaceAll(text, fmt.Sprintf("(%d)", d), "(N)")
	}
	s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	s.lines.add(label, "ErrorMessage", text)
}

func staticConsumers(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 2)
	a, again, stranger := s.consumer("a", g, t), s.consumer("again", g, t), s.consumer("stranger", g, t)
	a.instance, again.instance, stranger.instance = kmsg.StringPtr("i"), kmsg.StringPtr("i"), kmsg.StringPtr("who")
	a.exchange(a.joinWith(t.name))
	a.settles(2)
	again.beats("comes too early", again.joinWith(t.name))
	off := a.beat()
	off.MemberEpoch = -2
	epoch := a.epoch
	a.beats("goes for a while", off)
	s.described("is away", 1, g)
	again.beats("takes the place", again.joinWith(t.name))
	again.settles(2)
	s.described("is back", 1, g)
	a.epoch = epoch
	a.beats("is fenced", a.beat())
	off.MemberEpoch = -1
	a.beats("is fenced leaving", off)
	stranger.epoch = again.epoch
	stranger.beats("unknown instance", stranger.beat())
	off = again.beat()
	off.MemberEpoch = -1
	again.beats("leaves", off)
	s.described("is empty", 1, g)
	for _, c := range []*consumer{a, again, stranger} {
		c.leaveConnection()
	}
}

func regexConsumers(s *scene) {
	g := s.group("g")
	s.ready(g)
	t, u := s.create("rx-t", 2), s.create("rx-u", 1)
	a := s.consumer("a", g, t, u)
	join := a.joinWith()
	join.SubscribedTopicNames, join.SubscribedTopicRegex = nil, kmsg.StringPtr(s.run+"-rx-.*")
	a.exchange(join)
	a.settles(3)
	s.described("by expression", 1, g)
	bad := a.beat()
	bad.SubscribedTopicRegex = kmsg.StringPtr("[x")
	a.beats("a bad one", bad)
	other := a.beat()
	other.SubscribedTopicRegex = kmsg.StringPtr(s.run + "-rx-u")
	a.exchange(other)
	a.settles(1)
	part := a.beat()
	part.SubscribedTopicRegex = kmsg.StringPtr("rx")
	a.exchange(part)
	a.settles(0)
	internal := a.beat()
	internal.SubscribedTopicRegex = kmsg.StringPtr("__consumer.*")
	a.exchange(internal)
	s.until(func() bool { a.exchange(a.owning()); s.pause(); return a.epoch > 0 })
	none := a.beat()
	none.SubscribedTopicRegex, none.SubscribedTopicNames = kmsg.StringPtr(""), []string{t.name}
	a.exchange(none)
	a.settles(2)
	s.described("by name", 1, g)
	a.leaveConnection()
}

func consumerCommits(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 2)
	a := s.consumer("a", g, t)
	a.exchange(a.joinWith(t.name))
	a.settles(2)
	try := func(label string, version int16, id string, epoch int32) {
		req := commitOf(version, g, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = id, epoch })
		s.send(label, req)
	}
	for v := int16(7); v <= 10; v++ {
		try(fmt.Sprintf("v%d", v), v, a.id, a.epoch)
		try(fmt.Sprintf("v%d of nobody", v), v, "", -1)
		try(fmt.Sprintf("v%d of a stranger", v), v, "who", a.epoch)
		try(fmt.Sprintf("v%d behind", v), v, a.id, a.epoch-1)
		try(fmt.Sprintf("v%d ahead", v), v, a.id, a.epoch+1)
	}
	for _, f := range []struct {
		name  string
		id    *string
		epoch int32
	}{{"nobody", nil, -1}, {"member", &a.id, a.epoch}, {"behind", &a.id, a.epoch - 1}, {"stranger", kmsg.StringPtr("who"), a.epoch}, {"no id", nil, a.epoch}} {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.SetVersion(9)
		row := kmsg.NewOffsetFetchRequestGroup()
		row.Group, row.MemberID, row.MemberEpoch = g, f.id, f.epoch
		top := kmsg.NewOffsetFetchRequestGroupTopic()
		top.Topic, top.Partitions = t.name, []int32{0, 1}
		row.Topics = append(row.Topics, top)
		req.Groups = append(req.Groups, row)
		s.send("fetch of "+f.name, req)
	}
	del := kmsg.NewPtrOffsetDeleteRequest()
	del.Group = g
	row := kmsg.NewOffsetDeleteRequestTopic()
	row.Topic, row.Partitions = t.name, []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}
	del.Topics = append(del.Topics, row)
	s.send("delete what is read", del)
	leave := a.beat()
	leave.MemberEpoch = -1
	a.exchange(leave)
	try("empty group", 9, "", -1)
	try("empty group, a member", 9, a.id, 1)
	s.send("delete", del)
	a.leaveConnection()
}

func groupTypes(s *scene) {
	g := s.group("g")
	s.ready(g)
	t := s.create("t", 2)
	a := s.consumer("a", g+"-new", t)
	a.exchange(a.joinWith(t.name))
	a.settles(2)
	s.send("classic description of a consumer group", groupsDescribed(6, a.group))
	s.send("older classic description", groupsDescribed(5, a.group))
	m := s.member("m")
	m.call("other type joins", m.join(9, a.group, func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "connect" }))
	m.id, m.generation = "who", 3
	m.call("stranger's heartbeat", m.heartbeat(4, a.group))
	m.call("stranger's sync", m.sync(5, a.group, nil))
	m.call("stranger leaves", m.leave(5, a.group))
	m.id, m.generation = a.id, a.epoch
	m.call("consumer's classic heartbeat", m.heartbeat(4, a.group))
	m.call("consumer's classic sync", m.sync(5, a.group, nil))

	c := s.member("c")
	c.call("joins", c.join(5, g+"-old", func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "connect" }))
	s.seen(g + "-old")
	s.described("consumer description of a classic group", 1, g+"-old")
	b := s.consumer("b", g+"-old", t)
	b.beats("joins a group of connect", b.joinWith(t.name))
	b.epoch = 1
	b.beats("reports to a classic group", b.beat())
	b.epoch = -1
	b.beats("leaves a classic group", b.beat())
	for _, types := range [][]string{{"classic"}, {"CONSUMER"}, {"consumer", "classic"}, {"who"}} {
		s.listed(fmt.Sprint("list ", types), listOfGroups(5, nil, types))
	}
	s.listed("list stable", listOfGroups(5, []string{"Stable"}, []string{"consumer"}))
	s.listed("list v3", listOfGroups(3, nil, nil))
	simple := g + "-simple"
	s.send("simple commit", commitOf(9, simple, t, nil))
	d := s.consumer("d", simple, t)
	d.exchange(d.joinWith(t.name))
	d.settles(2)
	s.described("was simple", 1, simple)
	for _, x := range []interface{ leaveConnection() }{a, m, c, b, d} {
		x.leaveConnection()
	}
}

// listed notes the groups of this run in a list.
func (s *scene) listed(label string, req *kmsg.ListGroupsRequest) {
	resp := s.must("list", req).(*kmsg.ListGroupsResponse)
	var out []string
	for _, g := range resp.Groups {
		if strings.HasPrefix(g.Group, s.run+"-g") {
			out = append(out, fmt.Sprint(g.Group, " ", g.ProtocolType, " ", g.GroupState, " ", g.GroupType))
		}
	}
	slices.Sort(out)
	s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	s.lines.add(label, "Groups", strings.Join(out, ", "))
}
