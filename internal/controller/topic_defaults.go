package controller

import (
	"ottla/internal/config"
)

// What a topic gets that is made without a number of replicas where
// default.replication.factor is nobody's word: as many as there are nodes, three at
// most. With three, two must have a record before it is acknowledged, unless
// min.insync.replicas was set; that is the topic's own setting then, so that it can
// be seen and stays when nodes come or go.
const (
	mostReplicas = 3
	safeInsync   = "2"
)

// WithDefaults is CreateTopics with what -1 stands for as a broker's settings have
// it. A factor that was set is cut to the brokers that are there.
func WithDefaults(v *config.View, d config.Dynamic, topics ...NewTopic) CreateTopics {
	return CreateTopics{
		Topics: topics, DefaultPartitions: int32(v.Int(d, "num.partitions")), CapReplicas: true,
		DefaultReplicas: v.Factor(d), SafeInsync: !v.MinInsyncSet(d),
	}
}

// factor is what a default of 0 means.
func (p *placer) factor() int16 { return int16(max(1, min(len(p.ring), mostReplicas))) }

// safe adds min.insync.replicas where it follows from the factor.
func (s *topicStep) safe(t *NewTopic, values map[string]string, factor int) {
	byItself := t.Replicas == -1 && len(t.Assignments) == 0 && s.cmd.DefaultReplicas == 0
	if _, set := values[minInsync]; byItself && s.cmd.SafeInsync && !set && factor >= mostReplicas {
		values[minInsync] = safeInsync
	}
}
