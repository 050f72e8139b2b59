package metadata

import "ottla/internal/uuid"

// Delta is what one step changed. Lists are in the order in which the records
// first touched the things; what was made and undone in one step is not in it.
type Delta struct {
	Created  []*Topic       // new topics
	Deleted  []*Topic       // removed topics (their last state before the step)
	Changed  []*Partition   // partitions added to, or changed in, topics that stay
	Configs  []ConfigChange // resources whose overrides changed
	Brokers  []int32
	Features bool
}

// ConfigChange names a resource whose overrides changed.
type ConfigChange struct {
	Type int8
	Name string
}

// AsDelta lists the whole image as if one step had made it: what the first
// reader of an image recovered from disk acts on.
func (i *Image) AsDelta() *Delta {
	d := &Delta{Features: i.features.len > 0}
	for t := range i.Topics() {
		d.Created = append(d.Created, t)
	}
	for r := range i.configs.all() {
		d.Configs = append(d.Configs, ConfigChange(r))
	}
	for b := range i.Brokers() {
		d.Brokers = append(d.Brokers, b.ID)
	}
	return d
}

// changes notes what a draft touches. The methods do nothing on nil, the notes
// of a draft whose changes nobody asks for.
type changes struct {
	topics     touched[uuid.UUID] // created or deleted
	partitions touched[partitionKey]
	configs    touched[ConfigChange]
	brokers    touched[int32]
	features   bool
}

type partitionKey struct {
	topic uuid.UUID
	index int32
}

// touched is a set in order of first touch; the map is only asked, never
// walked.
type touched[K comparable] struct {
	list []K
	has  map[K]struct{}
}

func (t *touched[K]) add(k K) {
	if _, ok := t.has[k]; ok {
		return
	}
	if t.has == nil {
		t.has = make(map[K]struct{})
	}
	t.has[k] = struct{}{}
	t.list = append(t.list, k)
}

func (c *changes) topic(id uuid.UUID) {
	if c != nil {
		c.topics.add(id)
	}
}

func (c *changes) partition(topic uuid.UUID, index int32) {
	if c == nil {
		return
	}
	if _, ok := c.topics.has[topic]; !ok { // those of a new topic are in it
		c.partitions.add(partitionKey{topic, index})
	}
}

func (c *changes) config(t int8, name string) {
	if c != nil {
		c.configs.add(ConfigChange{t, name})
	}
}

func (c *changes) broker(id int32) {
	if c != nil {
		c.brokers.add(id)
	}
}

func (c *changes) feature() {
	if c != nil {
		c.features = true
	}
}

// delta resolves the notes against the images before and after.
func (c *changes) delta(before, after *Image) *Delta {
	d := &Delta{Configs: c.configs.list, Brokers: c.brokers.list, Features: c.features}
	for _, id := range c.topics.list {
		was, is := before.TopicByID(id), after.TopicByID(id)
		if was == nil && is != nil {
			d.Created = append(d.Created, is)
		}
		if was != nil && is == nil {
			d.Deleted = append(d.Deleted, was)
		}
	}
	for _, k := range c.partitions.list {
		if t := after.TopicByID(k.topic); t != nil {
			d.Changed = append(d.Changed, t.Partitions[k.index])
		}
	}
	return d
}
