package broker

import (
	"strconv"

	"ottla/internal/config"
	"ottla/internal/metadata"
	"ottla/internal/partition"
)

// Names of the broker settings that the broker itself heeds.
const (
	retentionInterval = "log.retention.check.interval.ms"
	producerExpiry    = "producer.id.expiration.ms"
)

// settings are the overrides in an image, as config asks for them.
type settings struct{ img *metadata.Image }

// ConfigOf implements config.Dynamic.
func (s settings) ConfigOf(scope config.Scope, name string) map[string]string {
	switch scope {
	case config.ScopeTopic:
		return s.img.Config(metadata.ResourceTopic, name)
	case config.ScopeBroker:
		return s.img.Config(metadata.ResourceBroker, name)
	case config.ScopeGroup:
		return s.img.Config(metadata.ResourceGroup, name)
	case config.ScopeClientMetrics:
		return s.img.Config(metadata.ResourceClientMetrics, name)
	}
	return nil
}

// configOf resolves what a topic's partitions heed.
func (b *Broker) configOf(img *metadata.Image, name string) partition.Config {
	s := settings{img}
	t := b.o.View.TopicConfig(s, name)
	return partitionConfig(&t, internalTopics[name], b.o.View.Duration(s, producerExpiry))
}

// reconfigure brings changed settings to the partitions they hold for: a
// topic's own, or, when a broker default moved, those of all topics.
func (b *Broker) reconfigure(img *metadata.Image, changes []metadata.ConfigChange) {
	all := false
	for _, c := range changes {
		switch {
		case c.Type == metadata.ResourceBroker && (c.Name == "" || c.Name == strconv.Itoa(int(b.o.NodeID))):
			all = true
		case c.Type == metadata.ResourceTopic && !all:
			b.configure(img, b.table.byName([]byte(c.Name)))
		}
	}
	if all {
		for t := range b.table.topics() {
			b.configure(img, t)
		}
	}
}

func (b *Broker) configure(img *metadata.Image, t *topic) {
	if t == nil {
		return
	}
	c := b.configOf(img, t.name)
	for _, h := range t.parts {
		if h != nil {
			h.configure(c)
		}
	}
}
