package controller

import (
	"maps"
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// CreateTopics; the reply is []CreatedTopic, one per topic, in order.
type CreateTopics struct {
	Topics       []NewTopic
	ValidateOnly bool
	// DefaultPartitions and DefaultReplicas stand for -1 (num.partitions,
	// default.replication.factor as the asking broker sees them). A factor of 0
	// follows from the number of nodes, and with SafeInsync the topic's
	// min.insync.replicas from that: see WithDefaults.
	DefaultPartitions int32
	DefaultReplicas   int16
	SafeInsync        bool
	// CapReplicas makes a default factor above the number of live brokers mean
	// that number (auto-created and internal topics); an explicit one is
	// refused all the same.
	CapReplicas bool
}

// NewTopic is a topic to make.
type NewTopic struct {
	Name        string
	Partitions  int32             // -1 default
	Replicas    int16             // -1 default
	Assignments map[int32][]int32 // replicas by partition, or nil
	Configs     []ConfigEntry
}

// ConfigEntry is a setting; a nil value is null.
type ConfigEntry struct {
	Name  string
	Value *string
}

// CreatedTopic is the outcome for one topic; all but the name is zero where it
// was refused.
type CreatedTopic struct {
	Result
	Name       string
	ID         uuid.UUID
	Partitions int32
	Replicas   int16
	Configs    map[string]string // the overrides it was made with
}

func (c *Controller) createTopics(cmd CreateTopics) ([]metadata.Record, any, error) {
	if err := cmd.checkSize(); err != nil {
		return nil, nil, err
	}
	s := topicStep{
		Controller: c, cmd: &cmd, place: c.placer(), homes: homes{c: c}, inStep: collisions{},
		count: make(map[string]int, len(cmd.Topics)),
	}
	for i := range cmd.Topics {
		s.count[cmd.Topics[i].Name]++
	}
	reply := make([]CreatedTopic, 0, len(cmd.Topics))
	for i := range cmd.Topics {
		made, err := s.create(&cmd.Topics[i])
		if err != nil {
			made = CreatedTopic{}
		}
		made.Name, made.Result = cmd.Topics[i].Name, resultOf(err)
		reply = append(reply, made)
	}
	if cmd.ValidateOnly {
		return nil, reply, nil
	}
	return s.records, reply, nil
}

// checkSize refuses a command that would make more partitions than one step
// may write. Topics that are refused for themselves count too, as in Kafka.
func (cmd *CreateTopics) checkSize() error {
	total := int64(0)
	for i := range cmd.Topics {
		t := &cmd.Topics[i]
		switch {
		case len(t.Assignments) > 0:
			total += int64(len(t.Assignments))
		case t.Partitions == -1:
			total += int64(cmd.DefaultPartitions)
		case t.Partitions > 0:
			total += int64(t.Partitions)
		}
		if total > maxPartitionsPerStep {
			return wire.Errorf(wire.PolicyViolation, "Excessively large number of partitions per request.")
		}
	}
	return nil
}

// topicStep is one CreateTopics being decided.
type topicStep struct {
	*Controller
	cmd     *CreateTopics
	place   *placer
	homes   homes
	count   map[string]int // how often the command names each topic
	inStep  collisions     // names made so far in this command
	records []metadata.Record
}

// create decides one topic and adds its records: TOPIC, its CONFIGs, its
// PARTITIONs, in Kafka's order.
func (s *topicStep) create(t *NewTopic) (CreatedTopic, error) {
	if err := s.checkName(t.Name); err != nil {
		return CreatedTopic{}, err
	}
	values, err := newTopicConfigs(t.Configs)
	if err != nil {
		return CreatedTopic{}, err
	}
	assignment, err := s.assign(t)
	if err != nil {
		return CreatedTopic{}, err
	}
	s.safe(t, values, len(assignment[0]))
	made := CreatedTopic{
		ID: s.options.NewID(), Partitions: int32(len(assignment)),
		Replicas: int16(len(assignment[0])), Configs: values,
	}
	s.inStep.add(t.Name)
	s.records = slices.Grow(s.records, 1+len(values)+len(assignment))
	s.records = append(s.records, &metadata.TopicRecord{Name: t.Name, ID: made.ID})
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		s.records = append(s.records, &metadata.ConfigRecord{
			ResourceType: metadata.ResourceTopic, ResourceName: t.Name, Name: name, Value: &value,
		})
	}
	for index, replicas := range assignment {
		s.records = append(s.records, s.newPartition(&s.homes, made.ID, int32(index), replicas))
	}
	return made, nil
}

// checkName applies the rules of names: form, reserved, twice in the command,
// taken, collision as a metric.
func (s *topicStep) checkName(name string) error {
	switch {
	case s.count[name] > 1:
		return wire.Errorf(wire.InvalidRequest, "Duplicate topic name.")
	case name == reservedTopic:
		return wire.Errorf(wire.InvalidRequest, "Creation of internal topic %s is prohibited.", reservedTopic)
	}
	if err := CheckTopicName(name); err != nil {
		return err
	}
	if s.image().TopicByName(name) != nil {
		return wire.Errorf(wire.TopicAlreadyExists, "Topic '%s' already exists.", name)
	}
	for _, taken := range []collisions{s.names, s.inStep} {
		if other := taken.with(name); other != "" {
			return wire.Errorf(wire.InvalidTopic, "Topic '%s' collides with existing topic: %s", name, other)
		}
	}
	return nil
}

// assign gives the replicas of each partition, by hand or by placement.
func (s *topicStep) assign(t *NewTopic) ([][]int32, error) {
	if len(t.Assignments) > 0 {
		return s.assignByHand(t)
	}
	partitions, replicas := t.Partitions, t.Replicas
	switch {
	case replicas < -1 || replicas == 0:
		return nil, wire.Errorf(wire.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
	case partitions < -1 || partitions == 0:
		return nil, wire.Errorf(wire.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.")
	}
	if partitions == -1 {
		partitions = s.cmd.DefaultPartitions
	}
	if replicas == -1 && s.cmd.DefaultReplicas == 0 {
		replicas = s.place.factor()
	} else if replicas == -1 {
		replicas = s.cmd.DefaultReplicas
		if live := s.place.live; s.cmd.CapReplicas && int(replicas) > live && live > 0 {
			replicas = int16(live)
		}
	}
	return s.place.partitions(int(partitions), int(replicas))
}

// newPartition is the record of a partition that begins with these replicas:
// those on live brokers are in sync, the first of them leads.
func (c *Controller) newPartition(h *homes, topic uuid.UUID, index int32, replicas []int32) *metadata.PartitionRecord {
	r := &metadata.PartitionRecord{
		Partition: index, TopicID: topic, Replicas: replicas, Leader: metadata.NoLeader,
		Directories: make([]uuid.UUID, len(replicas)),
	}
	for i, id := range replicas {
		b := c.image().Broker(id)
		if b == nil {
			continue
		}
		r.Directories[i] = h.choose(b)
		if b.Live() {
			r.ISR = append(r.ISR, id)
		}
	}
	if len(r.ISR) > 0 {
		r.Leader = r.ISR[0]
	}
	return r
}
