package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func topicStories() []story {
	return []story{
		{"create topics/every version", createEveryVersion},
		{"create topics/errors", createErrors},
		{"create topics/defaults", createDefaults},
		{"delete topics/every version", deleteEveryVersion},
		{"create partitions/every version", createPartitions},
		{"elect leaders/every version", electLeaders},
	}
}

// createOf asks for one topic with change's shape.
func createOf(version int16, name string, change func(*kmsg.CreateTopicsRequestTopic)) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(version)
	req.TimeoutMillis = 10000
	row := kmsg.NewCreateTopicsRequestTopic()
	row.Topic, row.NumPartitions, row.ReplicationFactor = name, 1, 1
	if change != nil {
		change(&row)
	}
	req.Topics = append(req.Topics, row)
	return req
}

func createEveryVersion(s *scene) {
	base := s.create("t", 1).name
	for v := int16(0); v <= 8; v++ {
		name := fmt.Sprintf("%s-v%d", base, v)
		dry := createOf(v, name, nil)
		dry.ValidateOnly = true
		s.send(fmt.Sprintf("validate only v%d", v), dry)
		s.send(fmt.Sprintf("create v%d", v), createOf(v, name, nil))
		s.send(fmt.Sprintf("again v%d", v), createOf(v, name, nil))
	}
}

func withConfig(name string, value *string) func(*kmsg.CreateTopicsRequestTopic) {
	return func(r *kmsg.CreateTopicsRequestTopic) {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, value
		r.Configs = append(r.Configs, c)
	}
}

func withReplicas(partition int32, replicas ...int32) func(*kmsg.CreateTopicsRequestTopic) {
	return func(r *kmsg.CreateTopicsRequestTopic) {
		r.NumPartitions, r.ReplicationFactor = -1, -1
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = partition, replicas
		r.ReplicaAssignment = append(r.ReplicaAssignment, a)
	}
}

func createErrors(s *scene) {
	base := s.create("t.a", 1).name
	for _, v := range []int16{2, 5, 7} {
		for i, name := range []string{"", ".", "..", "not a name!", strings.Repeat("x", 249), strings.Repeat("x", 250), strings.ReplaceAll(base, ".", "_"), "__consumer_offsets_x"} {
			req := createOf(v, name, nil)
			req.ValidateOnly = true
			s.send(fmt.Sprintf("name %d v%d", i, v), req)
		}
		for i, change := range []func(*kmsg.CreateTopicsRequestTopic){
			func(r *kmsg.CreateTopicsRequestTopic) { r.NumPartitions = 0 },
			func(r *kmsg.CreateTopicsRequestTopic) { r.NumPartitions = -2 },
			func(r *kmsg.CreateTopicsRequestTopic) { r.ReplicationFactor = 0 },
			func(r *kmsg.CreateTopicsRequestTopic) { r.ReplicationFactor = 3 },
			func(r *kmsg.CreateTopicsRequestTopic) { r.ReplicationFactor = -2 },
			withConfig("no.such.config", kmsg.StringPtr("1")),
			withConfig("retention.ms", kmsg.StringPtr("soon")),
			withConfig("retention.ms", kmsg.StringPtr("-2")),
			withConfig("retention.ms", nil),
			withConfig("cleanup.policy", kmsg.StringPtr("burn")),
			withConfig("compression.type", kmsg.StringPtr("rar")),
			withConfig("min.insync.replicas", kmsg.StringPtr("0")),
			withConfig("segment.bytes", kmsg.StringPtr("1")),
			withConfig("message.timestamp.type", kmsg.StringPtr("Now")),
			withConfig("preallocate", kmsg.StringPtr("perhaps")),
			withReplicas(0, 1), withReplicas(0), withReplicas(0, 7), withReplicas(0, 1, 1), withReplicas(1, 1),
			func(r *kmsg.CreateTopicsRequestTopic) { withReplicas(0, 1)(r); r.NumPartitions = 1 },
		} {
			req := createOf(v, fmt.Sprintf("%s-e%d", base, i), change)
			req.ValidateOnly = true
			s.send(fmt.Sprintf("error %d v%d", i, v), req)
		}
		twice := createOf(v, base+"-twice", nil)
		twice.Topics = append(twice.Topics, twice.Topics[0])
		s.send(fmt.Sprintf("twice v%d", v), twice)
		none := createOf(v, base, nil)
		none.Topics = nil
		s.send(fmt.Sprintf("no topics v%d", v), none)
	}
}

func createDefaults(s *scene) {
	base := s.create("t", 1).name
	for _, v := range []int16{4, 7} {
		req := createOf(v, fmt.Sprintf("%s-v%d", base, v), func(r *kmsg.CreateTopicsRequestTopic) {
			r.NumPartitions, r.ReplicationFactor = -1, -1
			withConfig("retention.ms", kmsg.StringPtr("1000"))(r)
			withConfig("cleanup.policy", kmsg.StringPtr("compact,delete"))(r)
		})
		s.send(fmt.Sprintf("defaults v%d", v), req)
	}
}

// deleteTopic deletes a topic, outside the transcript, and waits until the
// broker does not know it any more.
func (s *scene) deleteTopic(t topic) {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.SetVersion(5)
	req.TopicNames, req.TimeoutMillis = []string{t.name}, 10000
	s.must("delete "+t.name, req)
	until := time.Now().Add(patience)
	for {
		resp := s.must("see that "+t.name+" is gone", listOf(t, 7, -1, nil)).(*kmsg.ListOffsetsResponse)
		if resp.Topics[0].Partitions[0].ErrorCode == 3 {
			return
		}
		if time.Now().After(until) {
			panic(broken{fmt.Errorf("%s is still there", t.name)})
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func deleteEveryVersion(s *scene) {
	for v := int16(0); v <= 7; v++ {
		t := s.create(fmt.Sprintf("t%d", v), 1)
		req := kmsg.NewPtrDeleteTopicsRequest()
		req.SetVersion(v)
		req.TimeoutMillis = 10000
		req.TopicNames = []string{t.name, t.name + "-gone"}
		for _, name := range req.TopicNames {
			row := kmsg.NewDeleteTopicsRequestTopic()
			row.Topic = kmsg.StringPtr(name)
			req.Topics = append(req.Topics, row)
		}
		s.send(fmt.Sprintf("by name v%d", v), req)
		if v < 6 {
			continue
		}
		other := s.create(fmt.Sprintf("o%d", v), 1)
		for _, c := range []struct {
			label string
			id    [16]byte
			name  *string
		}{{"unknown id", [16]byte{7}, nil}, {"id and name", other.id, &other.name}, {"neither", [16]byte{}, nil}, {"by id", other.id, nil}} {
			req := kmsg.NewPtrDeleteTopicsRequest()
			req.SetVersion(v)
			req.TimeoutMillis = 10000
			row := kmsg.NewDeleteTopicsRequestTopic()
			row.TopicID, row.Topic = c.id, c.name
			req.Topics = append(req.Topics, row)
			s.send(fmt.Sprintf("%s v%d", c.label, v), req)
		}
	}
}

func createPartitions(s *scene) {
	for v := int16(0); v <= 4; v++ {
		t := s.create(fmt.Sprintf("t%d", v), 2)
		for _, c := range []struct {
			label    string
			name     string
			count    int32
			replicas [][]int32
			dry      bool
		}{
			{"dry", t.name, 4, nil, true}, {"fewer", t.name, 1, nil, false}, {"the same", t.name, 2, nil, false},
			{"none", t.name, 0, nil, false}, {"negative", t.name, -1, nil, false}, {"unknown topic", t.name + "-gone", 3, nil, false},
			{"assigned", t.name, 3, [][]int32{{1}}, true}, {"assigned too few", t.name, 4, [][]int32{{1}}, true},
			{"assigned to a stranger", t.name, 3, [][]int32{{9}}, true}, {"too many", t.name, 20000, nil, true}, {"more", t.name, 4, nil, false},
		} {
			req := kmsg.NewPtrCreatePartitionsRequest()
			req.SetVersion(v)
			req.TimeoutMillis, req.ValidateOnly = 10000, c.dry
			row := kmsg.NewCreatePartitionsRequestTopic()
			row.Topic, row.Count = c.name, c.count
			for _, r := range c.replicas {
				a := kmsg.NewCreatePartitionsRequestTopicAssignment()
				a.Replicas = r
				row.Assignment = append(row.Assignment, a)
			}
			req.Topics = append(req.Topics, row)
			s.send(fmt.Sprintf("%s v%d", c.label, v), req)
		}
	}
}

func electLeaders(s *scene) {
	t := s.create("t", 1)
	for v := int16(0); v <= 3; v++ {
		for _, kind := range []int8{0, 1, 2} {
			req := kmsg.NewPtrElectLeadersRequest()
			req.SetVersion(v)
			req.ElectionType, req.TimeoutMillis = kind, 5000
			row := kmsg.NewElectLeadersRequestTopic()
			row.Topic, row.Partitions = t.name, []int32{0, 5}
			req.Topics = append(req.Topics, row)
			s.send(fmt.Sprintf("type %d v%d", kind, v), req)
		}
	}
}
