package topics

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// CreateTopics (19), versions 2 to 7.
//
//	v4  partitions and replication factor may be -1 for the defaults
//	v5  the answer carries the topic's shape and settings (KIP-525)
//	v7  the answer carries the topic id (KIP-516)
//
// A topic named twice is refused once. The answer comes when every new
// partition serves here.
func (h *handlers) createTopics() api.API {
	return api.Row(2, 7, h.serveCreateTopics,
		"A default replication factor above the number of live brokers means that number, so that one node works with settings made for three; an explicit one is refused as in Kafka.",
		"Without default.replication.factor a topic that says no number of replicas gets as many as there are nodes, three at most, where Kafka gives it one; with three it gets min.insync.replicas=2 as its own setting, unless that was set for all topics.",
		"The answer comes when every new partition can be written and read on the answering node; Kafka answers when the metadata says so, and a client's next request may meet NOT_LEADER_OR_FOLLOWER.")
}

func (h *handlers) serveCreateTopics(ctx context.Context, _ *api.Conn, req *kmsg.CreateTopicsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	cmd := h.withDefaults()
	cmd.ValidateOnly = req.ValidateOnly
	seen := map[string]int{}
	for i := range req.Topics {
		seen[req.Topics[i].Topic]++
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		count := seen[t.Topic]
		delete(seen, t.Topic)
		switch {
		case count > 1:
			resp.Topics = append(resp.Topics, refusedTopic(t.Topic, wire.Errorf(wire.InvalidRequest, "Duplicate topic name.")))
		case count == 1:
			made, err := newTopic(t)
			if err != nil {
				resp.Topics = append(resp.Topics, refusedTopic(t.Topic, err))
				continue
			}
			cmd.Topics = append(cmd.Topics, made)
		}
	}
	if len(cmd.Topics) == 0 {
		return resp, nil
	}
	made, err := do[[]controller.CreatedTopic](ctx, h.d.Cluster, req.TimeoutMillis, cmd)
	if err != nil {
		for i := range cmd.Topics {
			resp.Topics = append(resp.Topics, refusedTopic(cmd.Topics[i].Name, err))
		}
		return resp, nil
	}
	img := h.d.Cluster.Image()
	for i := range made {
		resp.Topics = append(resp.Topics, h.createdTopic(&made[i], img))
	}
	return resp, nil
}

// withDefaults is the command with what -1 stands for; the default factor, and
// it alone, is cut to the brokers that are there.
func (h *handlers) withDefaults() controller.CreateTopics {
	return controller.WithDefaults(h.d.View, h.d.Cluster.Image())
}

// newTopic turns a request's topic into the controller's. The order of a
// manual assignment must be that of its partitions.
func newTopic(t *kmsg.CreateTopicsRequestTopic) (controller.NewTopic, error) {
	out := controller.NewTopic{Name: t.Topic, Partitions: t.NumPartitions, Replicas: t.ReplicationFactor}
	for _, c := range lastOfEach(t.Configs) {
		out.Configs = append(out.Configs, controller.ConfigEntry{Name: c.Name, Value: c.Value})
	}
	if len(t.ReplicaAssignment) == 0 {
		return out, nil
	}
	switch {
	case t.ReplicationFactor != -1:
		return out, wire.Errorf(wire.InvalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.")
	case t.NumPartitions != -1:
		return out, wire.Errorf(wire.InvalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.")
	}
	out.Assignments = make(map[int32][]int32, len(t.ReplicaAssignment))
	for _, a := range t.ReplicaAssignment {
		if _, twice := out.Assignments[a.Partition]; twice {
			return out, wire.Errorf(wire.InvalidReplicaAssignment, "Found multiple manual partition assignments for partition %d", a.Partition)
		}
		out.Assignments[a.Partition] = a.Replicas
	}
	return out, nil
}

// lastOfEach keeps the last of settings given twice, as Kafka does here.
func lastOfEach(configs []kmsg.CreateTopicsRequestTopicConfig) []kmsg.CreateTopicsRequestTopicConfig {
	last := make(map[string]int, len(configs))
	for i := range configs {
		last[configs[i].Name] = i
	}
	if len(last) == len(configs) {
		return configs
	}
	var out []kmsg.CreateTopicsRequestTopicConfig
	for i := range configs {
		if last[configs[i].Name] == i {
			out = append(out, configs[i])
		}
	}
	return out
}

func refusedTopic(name string, err error) kmsg.CreateTopicsResponseTopic {
	t := kmsg.NewCreateTopicsResponseTopic()
	t.Topic = name
	t.ErrorCode, t.ErrorMessage = int16(wire.CodeOf(err)), text(wire.CodeOf(err), wire.MessageOf(err))
	t.NumPartitions, t.ReplicationFactor = -1, -1
	t.Configs = []kmsg.CreateTopicsResponseTopicConfig{}
	return t
}

func (h *handlers) createdTopic(made *controller.CreatedTopic, img *metadata.Image) kmsg.CreateTopicsResponseTopic {
	if made.Code != wire.None {
		return refusedTopic(made.Name, wire.Errorf(made.Code, "%s", made.Message))
	}
	t := kmsg.NewCreateTopicsResponseTopic()
	t.Topic, t.TopicID = made.Name, made.ID
	t.NumPartitions, t.ReplicationFactor = made.Partitions, made.Replicas
	d := withTopic{img, made.Name, made.Configs}
	for _, def := range config.All(config.ScopeTopic) {
		v := h.d.View.Topic(d, made.Name, def.Name)
		c := kmsg.NewCreateTopicsResponseTopicConfig()
		c.Name, c.Source = def.Name, int8(v.Source)
		c.Value = shown(v)
		t.Configs = append(t.Configs, c)
	}
	slices.SortFunc(t.Configs, func(a, b kmsg.CreateTopicsResponseTopicConfig) int {
		return compareNames(a.Name, b.Name)
	})
	return t
}

// withTopic shows one topic's overrides before (or without) its being made.
type withTopic struct {
	*metadata.Image
	topic  string
	values map[string]string
}

// ConfigOf adds the settings of the topic that is about to be made.
func (w withTopic) ConfigOf(s config.Scope, name string) map[string]string {
	if s == config.ScopeTopic && name == w.topic {
		return w.values
	}
	return w.Image.ConfigOf(s, name)
}
