package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumer is a member of the consumer protocol on a connection of its own.
type consumer struct {
	*groupMember
	group string
	epoch int32
	// names are the topics by id; owned is what it was last given.
	names map[[16]byte]string
	owned map[[16]byte][]int32
}

func (s *scene) consumer(name, group string, topics ...topic) *consumer {
	c := &consumer{groupMember: s.member(name), group: group, names: map[[16]byte]string{}, owned: map[[16]byte][]int32{}}
	c.id = s.run + "-" + name
	for _, t := range topics {
		c.names[t.id] = t.name
	}
	return c
}

// joinWith is the first heartbeat of a member that reads topics.
func (c *consumer) joinWith(topics ...string) *kmsg.ConsumerGroupHeartbeatRequest {
	req := c.beat()
	req.MemberEpoch, req.RebalanceTimeoutMillis = 0, 60000
	req.SubscribedTopicNames = append([]string{}, topics...)
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	return req
}

// beat is a heartbeat without news.
func (c *consumer) beat() *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.SetVersion(1)
	req.Group, req.MemberID, req.MemberEpoch, req.InstanceID = c.group, c.id, c.epoch, c.instance
	req.RebalanceTimeoutMillis = -1
	return req
}

// owning is a heartbeat that says what the member has.
func (c *consumer) owning() *kmsg.ConsumerGroupHeartbeatRequest {
	req := c.beat()
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	for id, parts := range c.owned {
		if len(parts) > 0 {
			req.Topics = append(req.Topics, kmsg.ConsumerGroupHeartbeatRequestTopic{TopicID: id, Partitions: parts})
		}
	}
	return req
}

// exchange sends a heartbeat and learns from the answer, outside the transcript.
func (c *consumer) exchange(req *kmsg.ConsumerGroupHeartbeatRequest) *kmsg.ConsumerGroupHeartbeatResponse {
	c.write(req)
	frame, err := readFrame(c.conn, 2*patience)
	if err != nil {
		panic(broken{fmt.Errorf("%s: %w", c.name, err)})
	}
	got, err := decode(req, frame, c.corr)
	if err != nil {
		panic(broken{fmt.Errorf("%s: %w", c.name, err)})
	}
	resp := got.(*kmsg.ConsumerGroupHeartbeatResponse)
	if resp.ErrorCode == 0 {
		c.epoch = resp.MemberEpoch
		if resp.MemberID != nil && *resp.MemberID != "" && c.id == "" {
			c.id = *resp.MemberID
			c.s.lines.hide(c.id, "ID-"+c.name)
		}
	}
	if resp.Assignment != nil {
		clear(c.owned)
		for _, t := range resp.Assignment.Topics {
			c.owned[t.TopicID] = t.Partitions
		}
	}
	return resp
}

// beats sends a heartbeat and notes the answer: which partitions there are is
// the assignor's taste, how many is compared.
func (c *consumer) beats(label string, req *kmsg.ConsumerGroupHeartbeatRequest) *kmsg.ConsumerGroupHeartbeatResponse {
	resp := c.exchange(req)
	label = c.s.step(c.name + " " + label)
	add := func(field string, v any) { c.s.lines.add(label, field, fmt.Sprint(v)) }
	add("ErrorCode", resp.ErrorCode)
	add("ErrorMessage", textOf(resp.ErrorMessage))
	if resp.ErrorCode != 0 {
		return resp
	}
	add("MemberID", textOf(resp.MemberID))
	add("HeartbeatIntervalMillis", resp.HeartbeatIntervalMillis)
	add("Assignment", c.count(resp.Assignment))
	return resp
}

func textOf(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// count tells how many partitions of each topic there are.
func (c *consumer) count(a *kmsg.ConsumerGroupHeartbeatResponseAssignment) string {
	if a == nil {
		return "null"
	}
	var out []string
	for _, t := range a.Topics {
		out = append(out, fmt.Sprintf("%s:%d", c.names[t.TopicID], len(t.Partitions)))
	}
	slices.Sort(out)
	return "[" + strings.Join(out, " ") + "]"
}

// settles reports until a member has so many partitions and is told no news.
func (c *consumer) settles(partitions int) {
	c.s.until(func() bool {
		resp := c.exchange(c.owning())
		if resp.ErrorCode != 0 {
			panic(broken{fmt.Errorf("%s: error %d while it waits for %d partitions", c.name, resp.ErrorCode, partitions)})
		}
		return resp.Assignment == nil && c.has() == partitions
	})
}

func (c *consumer) has() (n int) {
	for _, p := range c.owned {
		n += len(p)
	}
	return n
}

// described notes a group as ConsumerGroupDescribe shows it. Epochs count
// assignments, which Kafka makes more of; whether they are equal is compared.
func (s *scene) described(label string, version int16, group string) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.SetVersion(version)
	req.Groups, req.IncludeAuthorizedOperations = []string{group}, true
	g := s.must("describe", req).(*kmsg.ConsumerGroupDescribeResponse).Groups[0]
	label = s.step(label)
	add := func(field string, v any) { s.lines.add(label, field, fmt.Sprint(v)) }
	add("ErrorCode", g.ErrorCode)
	add("ErrorMessage", textOf(g.ErrorMessage))
	add("State", g.State)
	add("Assigned", g.Epoch == g.AssignmentEpoch)
	add("AssignorName", g.AssignorName)
	add("AuthorizedOperations", g.AuthorizedOperations)
	slices.SortFunc(g.Members, func(a, b kmsg.ConsumerGroupDescribeResponseGroupMember) int {
		return strings.Compare(a.MemberID, b.MemberID)
	})
	for _, m := range g.Members {
		slices.Sort(m.SubscribedTopics)
		count := func(a kmsg.Assignment) (n int) {
			for _, t := range a.TopicPartitions {
				n += len(t.Partitions)
			}
			return n
		}
		add("member "+m.MemberID, fmt.Sprint(textOf(m.InstanceID), " ", textOf(m.RackID), " ", m.MemberEpoch == g.Epoch, " ", m.ClientID, " ",
			m.SubscribedTopics, " ", textOf(m.SubscribedTopicRegex), " ", count(m.Assignment), " of ", count(m.TargetAssignment), " type ", m.MemberType))
	}
}
