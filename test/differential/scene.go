package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/rig"
)

// patience is how long an answer is waited for, on a machine that does much
// else. Where none is expected (acks=0), silence is short.
const (
	patience = 30 * time.Second
	silence  = 400 * time.Millisecond
)

// story is a script of requests.
type story struct {
	name string
	run  func(s *scene)
}

// scene is a story at work on one side. A step that cannot go on panics with
// broken, which ends the story there and is part of its transcript.
type scene struct {
	ctx   context.Context
	node  *rig.Node
	conn  net.Conn
	asks  bool // as a node of the cluster, where the side tells nodes from others
	corr  int32
	steps map[string]int
	lines transcript
	run   string // makes topic names new
	marks int    // topics made by caughtUp
}

type broken struct{ err error }

var runs atomic.Int64

// play runs the story on one side and gives its transcript.
func (st story) play(ctx context.Context, node *rig.Node) transcript {
	s := &scene{ctx: ctx, node: node, steps: map[string]int{}, run: fmt.Sprintf("d%d", runs.Add(1)), lines: transcript{began: time.Now()}}
	defer s.hangUp()
	func() {
		defer func() {
			if r := recover(); r != nil {
				b, ours := r.(broken)
				if !ours {
					panic(r)
				}
				s.lines.add("story", "ended early", b.err.Error())
			}
		}()
		st.run(s)
	}()
	return s.lines
}

// dial gives the story's connection.
func (s *scene) dial() net.Conn {
	if s.conn == nil {
		c, err := s.connect()
		if err != nil {
			panic(broken{fmt.Errorf("connect to %s: %w", s.node.Kind, err)})
		}
		s.conn = c
	}
	return s.conn
}

func (s *scene) connect() (net.Conn, error) {
	if s.asks && s.node.Kind == rig.Ottla {
		return rig.DialAsNode(s.ctx, s.node.Data, s.node.Addr)
	}
	return (&net.Dialer{Timeout: patience}).DialContext(s.ctx, "tcp", s.node.Addr)
}

// asNode runs steps as a node of the cluster would: for what Kafka without access
// control answers to anybody.
func (s *scene) asNode(steps func()) {
	s.hangUp()
	s.asks = true
	steps()
	s.asks = false
	s.hangUp()
}

// hangUp closes the connection; the next step opens a new one.
func (s *scene) hangUp() {
	if s.conn != nil {
		_ = s.conn.Close() // of a test's connection
		s.conn = nil
	}
}

// step makes a label unique within the story.
func (s *scene) step(label string) string {
	s.steps[label]++
	if n := s.steps[label]; n > 1 {
		return fmt.Sprintf("%s (%d)", label, n)
	}
	return label
}

// send sends a request and puts the answer into the transcript. It gives nil
// when there was none.
func (s *scene) send(label string, req kmsg.Request) kmsg.Response {
	return s.sendWithin(label, req, patience)
}

// quietly sends a request that should not be answered.
func (s *scene) quietly(label string, req kmsg.Request) { s.sendWithin(label, req, silence) }

func (s *scene) sendWithin(label string, req kmsg.Request, within time.Duration) kmsg.Response {
	label = s.step(label)
	resp, err := s.exchange(req, within)
	if err != nil {
		s.lines.add(label, "side", err.Error())
		s.hangUp()
		return nil
	}
	s.lines.answer(label, resp)
	return resp
}

// exchange sends a request and reads its answer, outside the transcript.
func (s *scene) exchange(req kmsg.Request, within time.Duration) (kmsg.Response, error) {
	s.corr++
	if _, err := s.dial().Write(frameOf(req, s.corr)); err != nil {
		return nil, errClosed
	}
	frame, err := readFrame(s.conn, within)
	if err != nil {
		return nil, err
	}
	return decode(req, frame, s.corr)
}

// raw sends bytes as they are on a connection of their own and notes whether
// the side closes it, answers or waits.
func (s *scene) raw(label string, bytes []byte) { s.rawWithin(label, bytes, patience) }

func (s *scene) rawWithin(label string, bytes []byte, within time.Duration) {
	s.hangUp()
	defer s.hangUp()
	label = s.step(label)
	if _, err := s.dial().Write(bytes); err != nil {
		s.lines.add(label, "side", errClosed.Error())
		return
	}
	_, err := readFrame(s.conn, within)
	if err != nil {
		s.lines.add(label, "side", err.Error())
		return
	}
	s.lines.add(label, "side", "answers")
}

// must is exchange for what a story is built on.
func (s *scene) must(what string, req kmsg.Request) kmsg.Response {
	resp, err := s.exchange(req, patience)
	if err != nil {
		panic(broken{fmt.Errorf("%s: %w", what, err)})
	}
	return resp
}

// topic is one that the story has made.
type topic struct {
	name string
	id   [16]byte
}

// create makes a topic, outside the transcript, and waits until it is led.
func (s *scene) create(suffix string, partitions int32, configs ...string) topic {
	t := topic{name: s.run + "-" + suffix}
	s.lines.hide(s.run+"-", "RUN-")
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(7)
	req.TimeoutMillis = 10000
	row := kmsg.NewCreateTopicsRequestTopic()
	row.Topic, row.NumPartitions, row.ReplicationFactor = t.name, partitions, 1
	for i := 0; i+1 < len(configs); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = configs[i], kmsg.StringPtr(configs[i+1])
		row.Configs = append(row.Configs, c)
	}
	req.Topics = append(req.Topics, row)
	got := s.must("create "+t.name, req).(*kmsg.CreateTopicsResponse).Topics[0]
	if got.ErrorCode != 0 {
		panic(broken{fmt.Errorf("create %s: error %d %s", t.name, got.ErrorCode, stringOf(got.ErrorMessage))})
	}
	t.id = got.TopicID
	s.awaitLeaders(t, partitions)
	return t
}

// awaitLeaders waits until the broker itself knows of all partitions: Kafka's
// controller answers before its broker does.
func (s *scene) awaitLeaders(t topic, partitions int32) {
	until := time.Now().Add(patience)
	for {
		req := kmsg.NewPtrListOffsetsRequest()
		req.SetVersion(7)
		req.ReplicaID = -1
		row := kmsg.NewListOffsetsRequestTopic()
		row.Topic = t.name
		for p := range partitions {
			part := kmsg.NewListOffsetsRequestTopicPartition()
			part.Partition, part.Timestamp = p, -1
			row.Partitions = append(row.Partitions, part)
		}
		req.Topics = append(req.Topics, row)
		resp := s.must("find the leaders of "+t.name, req).(*kmsg.ListOffsetsResponse)
		led := true
		for _, p := range resp.Topics[0].Partitions {
			led = led && p.ErrorCode == 0
		}
		if led {
			return
		}
		if time.Now().After(until) {
			panic(broken{errors.New(t.name + " got no leader")})
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// caughtUp waits until the broker that is asked shows what the controller has
// answered so far: Kafka's controller answers first. Metadata are a log, so who
// leads a topic that was made now has all of it.
func (s *scene) caughtUp() {
	s.marks++
	s.create(fmt.Sprint("mark", s.marks), 1)
}

func stringOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// stories are all of them, in the order in which they run.
func stories() []story {
	return slices.Concat(protocolStories(), produceStories(), idempotentStories(), fetchStories(), offsetStories(), topicStories(), settingStories(), nodeStories(), groupStories(), txnStories(), consumerStories(), shareStories(), streamsStories(), streamsMemberStories())
}
