package cluster

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// topics fills in the answer's topics: all, those asked for by id, or by name.
func (a *metadataAnswer) topics(names []string) {
	switch {
	case a.all():
		for t := range a.img.Topics() {
			a.add(a.topic(t))
		}
	case a.byID():
		for i := range a.req.Topics {
			if id := uuid.UUID(a.req.Topics[i].TopicID); !id.IsZero() {
				a.addByID(id)
			}
		}
	default:
		for _, name := range names {
			a.addByName(name)
		}
	}
}

func (a *metadataAnswer) add(t kmsg.MetadataResponseTopic) {
	t.AuthorizedOperations = api.OperationsUnset
	if a.req.IncludeTopicAuthorizedOperations {
		t.AuthorizedOperations = api.AllTopicOperations
	}
	a.resp.Topics = append(a.resp.Topics, t)
}

func (a *metadataAnswer) addByID(id uuid.UUID) {
	if t := a.img.TopicByID(id); t != nil {
		a.add(a.topic(t))
		return
	}
	t := kmsg.NewMetadataResponseTopic()
	t.TopicID, t.ErrorCode = id, int16(wire.UnknownTopicID)
	a.add(t)
}

func (a *metadataAnswer) addByName(name string) {
	if t := a.img.TopicByName(name); t != nil {
		a.add(a.topic(t))
		return
	}
	t := kmsg.NewMetadataResponseTopic()
	t.Topic, t.IsInternal = kmsg.StringPtr(name), metadata.IsInternal(name)
	code := a.refused[name]
	switch {
	case controller.CheckTopicName(name) != nil:
		code = wire.InvalidTopic
	case code == wire.None && a.h.d.Trusted != nil && !a.h.d.Trusted():
		// It may have been made since; producers give up on unknown topics after a
		// few answers, and on this never.
		code = wire.LeaderNotAvailable
	case code == wire.None:
		code = wire.UnknownTopicOrPartition
	}
	t.ErrorCode = int16(code)
	a.add(t)
}

func (a *metadataAnswer) topic(t *metadata.Topic) kmsg.MetadataResponseTopic {
	r := kmsg.NewMetadataResponseTopic()
	r.Topic, r.TopicID, r.IsInternal = kmsg.StringPtr(t.Name), t.ID, metadata.IsInternal(t.Name)
	r.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, len(t.Partitions))
	for _, p := range t.Partitions {
		r.Partitions = append(r.Partitions, a.partition(p))
	}
	return r
}

func (a *metadataAnswer) partition(p *metadata.Partition) kmsg.MetadataResponseTopicPartition {
	r := kmsg.NewMetadataResponseTopicPartition()
	r.Partition, r.Leader, r.LeaderEpoch = p.Index, p.Leader, p.LeaderEpoch
	r.Replicas, r.ISR = p.Replicas, p.ISR
	for _, id := range p.Replicas {
		if !a.alive(id) {
			r.OfflineReplicas = append(r.OfflineReplicas, id)
		}
	}
	if !a.alive(p.Leader) {
		r.ErrorCode, r.Leader = int16(wire.LeaderNotAvailable), metadata.NoLeader
	}
	if a.req.Version == 0 && len(r.OfflineReplicas) > 0 {
		// v0 has no place for offline replicas: it names the live ones only,
		// and says so where the leader is well.
		r.Replicas, r.ISR = a.onlyAlive(p.Replicas), a.onlyAlive(p.ISR)
		if r.ErrorCode == 0 {
			r.ErrorCode = int16(wire.ReplicaNotAvailable)
		}
	}
	return r
}

func (a *metadataAnswer) alive(id int32) bool {
	b := a.img.Broker(id)
	return b != nil && !b.Fenced
}

func (a *metadataAnswer) onlyAlive(ids []int32) []int32 {
	var out []int32
	for _, id := range ids {
		if a.alive(id) {
			out = append(out, id)
		}
	}
	return out
}
