package metadata

import "ottla/internal/uuid"

// TopicRecord brings a topic into being; its partitions follow.
type TopicRecord struct {
	Name string
	ID   uuid.UUID

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *TopicRecord) RecordType() int16 { return TypeTopic }
func (r *TopicRecord) version() int16    { return 0 }

func (r *TopicRecord) appendBody(dst []byte) []byte {
	dst = appendString(dst, r.Name)
	dst = append(dst, r.ID[:]...)
	return appendTags(dst, r.unknown)
}

func parseTopic(r *reader, _ int16) Record {
	return &TopicRecord{Name: r.string(), ID: r.uuid(), unknown: r.tags(nil)}
}

// PartitionRecord states a partition whole: a new one, or one of a snapshot.
type PartitionRecord struct {
	Partition int32
	TopicID   uuid.UUID
	Replicas  []int32 // by preference
	ISR       []int32
	Removing  []int32
	Adding    []int32
	Leader    int32 // -1 none
	// LeaderRecoveryState is 1 while a leader elected uncleanly recovers.
	LeaderRecoveryState int8
	LeaderEpoch         int32
	PartitionEpoch      int32
	Directories         []uuid.UUID // one per replica; from version 1 (KIP-858)
	ELR                 []int32     // nil is null; from version 2 (KIP-966)
	LastELR             []int32     // likewise

	below   below
	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *PartitionRecord) RecordType() int16 { return TypePartition }
func (r *PartitionRecord) version() int16    { return newestPartition - int16(r.below) }

func (r *PartitionRecord) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, r.Partition)
	dst = append(dst, r.TopicID[:]...)
	dst = appendInt32s(dst, r.Replicas)
	dst = appendInt32s(dst, r.ISR)
	dst = appendInt32s(dst, r.Removing)
	dst = appendInt32s(dst, r.Adding)
	dst = appendInt32(dst, r.Leader)
	dst = appendInt32(dst, r.LeaderEpoch)
	dst = appendInt32(dst, r.PartitionEpoch)
	if r.version() >= 1 {
		dst = appendUUIDs(dst, r.Directories)
	}
	var t tagWriter
	if r.LeaderRecoveryState != 0 {
		t.add(0, []byte{byte(r.LeaderRecoveryState)})
	}
	if r.version() >= 2 {
		t.addInt32s(1, r.ELR)
		t.addInt32s(2, r.LastELR)
	}
	return t.end(dst, r.unknown)
}

func parsePartition(r *reader, v int16) Record {
	p := &PartitionRecord{
		Partition: r.int32(), TopicID: r.uuid(),
		Replicas: r.int32s(), ISR: r.int32s(), Removing: r.int32s(), Adding: r.int32s(),
		Leader: r.int32(), LeaderEpoch: r.int32(), PartitionEpoch: r.int32(),
		below: below(newestPartition - v),
	}
	if v >= 1 {
		p.Directories = r.uuids()
	}
	p.unknown = r.tags(func(tag uint32, value *reader) bool {
		switch {
		case tag == 0:
			p.LeaderRecoveryState = value.int8()
		case tag == 1 && v >= 2:
			p.ELR = value.nullableInt32s()
		case tag == 2 && v >= 2:
			p.LastELR = value.nullableInt32s()
		default:
			return false
		}
		return true
	})
	return p
}

// LeaderUnchanged in a PartitionChangeRecord keeps leader and leader epoch;
// any other value, the same leader too, raises the leader epoch by one.
const LeaderUnchanged int32 = -2

// NoLeader is the leader of a partition that has none.
const NoLeader int32 = -1

// RecoveryUnchanged keeps a partition's leader recovery state.
const RecoveryUnchanged int8 = -1

// PartitionChangeRecord changes a partition: nil lists, LeaderUnchanged and
// RecoveryUnchanged leave things as they are. Each one raises the partition
// epoch by one. Make them with ChangePartition, whose fields all say unchanged.
type PartitionChangeRecord struct {
	Partition           int32
	TopicID             uuid.UUID
	ISR                 []int32
	Leader              int32
	Replicas            []int32
	Removing            []int32
	Adding              []int32
	LeaderRecoveryState int8
	Directories         []uuid.UUID // from version 1 (KIP-858)
	ELR                 []int32     // from version 2 (KIP-966)
	LastELR             []int32     // likewise

	below   below
	unknown unknownTags
}

// ChangePartition begins a change that changes nothing yet.
func ChangePartition(topicID uuid.UUID, partition int32) *PartitionChangeRecord {
	return &PartitionChangeRecord{
		Partition: partition, TopicID: topicID,
		Leader: LeaderUnchanged, LeaderRecoveryState: RecoveryUnchanged,
	}
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *PartitionChangeRecord) RecordType() int16 { return TypePartitionChange }
func (r *PartitionChangeRecord) version() int16    { return newestPartitionChange - int16(r.below) }

func (r *PartitionChangeRecord) appendBody(dst []byte) []byte {
	dst = appendInt32(dst, r.Partition)
	dst = append(dst, r.TopicID[:]...)
	var t tagWriter
	t.addInt32s(0, r.ISR)
	if r.Leader != LeaderUnchanged {
		t.add(1, appendInt32(nil, r.Leader))
	}
	t.addInt32s(2, r.Replicas)
	t.addInt32s(3, r.Removing)
	t.addInt32s(4, r.Adding)
	if r.LeaderRecoveryState != RecoveryUnchanged {
		t.add(5, []byte{byte(r.LeaderRecoveryState)})
	}
	if r.version() >= 2 {
		t.addInt32s(6, r.ELR)
		t.addInt32s(7, r.LastELR)
	}
	if r.version() >= 1 {
		t.addUUIDs(8, r.Directories)
	}
	return t.end(dst, r.unknown)
}

func parsePartitionChange(r *reader, v int16) Record {
	p := ChangePartition(uuid.UUID{}, r.int32())
	p.TopicID = r.uuid()
	p.below = below(newestPartitionChange - v)
	p.unknown = r.tags(func(tag uint32, value *reader) bool { return p.parseTag(tag, value, v) })
	return p
}

func (r *PartitionChangeRecord) parseTag(tag uint32, value *reader, v int16) bool {
	switch {
	case tag == 0:
		r.ISR = value.nullableInt32s()
	case tag == 1:
		r.Leader = value.int32()
	case tag == 2:
		r.Replicas = value.nullableInt32s()
	case tag == 3:
		r.Removing = value.nullableInt32s()
	case tag == 4:
		r.Adding = value.nullableInt32s()
	case tag == 5:
		r.LeaderRecoveryState = value.int8()
	case tag == 6 && v >= 2:
		r.ELR = value.nullableInt32s()
	case tag == 7 && v >= 2:
		r.LastELR = value.nullableInt32s()
	case tag == 8 && v >= 1:
		r.Directories = value.nullableUUIDs()
	default:
		return false
	}
	return true
}

// RemoveTopicRecord ends a topic with its partitions and its configs.
type RemoveTopicRecord struct {
	TopicID uuid.UUID

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *RemoveTopicRecord) RecordType() int16 { return TypeRemoveTopic }
func (r *RemoveTopicRecord) version() int16    { return 0 }

func (r *RemoveTopicRecord) appendBody(dst []byte) []byte {
	return appendTags(append(dst, r.TopicID[:]...), r.unknown)
}

func parseRemoveTopic(r *reader, _ int16) Record {
	return &RemoveTopicRecord{TopicID: r.uuid(), unknown: r.tags(nil)}
}

// ClearELRRecord forgets the eligible leader replicas of a topic, or of all
// topics when the name is empty (KIP-966).
type ClearELRRecord struct {
	Topic string

	unknown unknownTags
}

// RecordType is the number of the record's kind in Kafka's metadata log.
func (r *ClearELRRecord) RecordType() int16 { return TypeClearELR }
func (r *ClearELRRecord) version() int16    { return 0 }

func (r *ClearELRRecord) appendBody(dst []byte) []byte {
	return appendTags(appendString(dst, r.Topic), r.unknown)
}

func parseClearELR(r *reader, _ int16) Record {
	return &ClearELRRecord{Topic: r.string(), unknown: r.tags(nil)}
}
