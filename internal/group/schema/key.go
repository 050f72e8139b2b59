package schema

import "fmt"

// Types of records, as the int16 that a key begins with. 9 and 18 are not
// used, 4 is not written any more.
const (
	// LegacyOffsetCommit is what brokers before 0.9 wrote; it reads like
	// OffsetCommit.
	LegacyOffsetCommit int16 = 0
	OffsetCommit       int16 = 1
	GroupMetadata      int16 = 2

	ConsumerGroupMetadata     int16 = 3
	ConsumerPartitionMetadata int16 = 4
	ConsumerMember            int16 = 5
	ConsumerTarget            int16 = 6
	ConsumerTargetMember      int16 = 7
	ConsumerCurrent           int16 = 8
	ConsumerRegex             int16 = 16

	ShareMember        int16 = 10
	ShareGroupMetadata int16 = 11
	ShareTarget        int16 = 12
	ShareTargetMember  int16 = 13
	ShareCurrent       int16 = 14
	ShareState         int16 = 15

	StreamsGroupMetadata int16 = 17
	StreamsMember        int16 = 19
	StreamsTarget        int16 = 20
	StreamsTargetMember  int16 = 21
	StreamsCurrent       int16 = 22
	StreamsTopology      int16 = 23
)

// typeNames are Kafka's names of the types.
var typeNames = map[int16]string{
	LegacyOffsetCommit: "LEGACY_OFFSET_COMMIT", OffsetCommit: "OFFSET_COMMIT", GroupMetadata: "GROUP_METADATA",
	ConsumerGroupMetadata: "CONSUMER_GROUP_METADATA", ConsumerPartitionMetadata: "CONSUMER_GROUP_PARTITION_METADATA",
	ConsumerMember: "CONSUMER_GROUP_MEMBER_METADATA", ConsumerTarget: "CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA",
	ConsumerTargetMember: "CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER", ConsumerCurrent: "CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT",
	ConsumerRegex: "CONSUMER_GROUP_REGULAR_EXPRESSION",
	ShareMember:   "SHARE_GROUP_MEMBER_METADATA", ShareGroupMetadata: "SHARE_GROUP_METADATA",
	ShareTarget: "SHARE_GROUP_TARGET_ASSIGNMENT_METADATA", ShareTargetMember: "SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER",
	ShareCurrent: "SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT", ShareState: "SHARE_GROUP_STATE_PARTITION_METADATA",
	StreamsGroupMetadata: "STREAMS_GROUP_METADATA", StreamsMember: "STREAMS_GROUP_MEMBER_METADATA",
	StreamsTarget: "STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA", StreamsTargetMember: "STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER",
	StreamsCurrent: "STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT", StreamsTopology: "STREAMS_GROUP_TOPOLOGY",
}

// TypeName is Kafka's name of a type of record, empty for one that this
// package does not read.
func TypeName(recordType int16) string { return typeNames[recordType] }

// Key is a record's key.
type Key struct {
	Type  int16
	Group string
	// Member is a member's id, or the regular expression of a ConsumerRegex;
	// empty in the types that are about a group as a whole.
	Member string
	// Topic and Partition are those of the offset types.
	Topic     string
	Partition int32
}

// form is what the key of a type consists of.
type form int8

const (
	unknownForm form = iota
	groupForm        // the group
	memberForm       // the group and a member, or a regular expression
	offsetForm       // the group, a topic, a partition
)

func formOf(recordType int16) form {
	switch recordType {
	case LegacyOffsetCommit, OffsetCommit:
		return offsetForm
	case GroupMetadata, ConsumerGroupMetadata, ConsumerPartitionMetadata, ConsumerTarget,
		ShareGroupMetadata, ShareTarget, ShareState,
		StreamsGroupMetadata, StreamsTarget, StreamsTopology:
		return groupForm
	case ConsumerMember, ConsumerTargetMember, ConsumerCurrent, ConsumerRegex,
		ShareMember, ShareTargetMember, ShareCurrent,
		StreamsMember, StreamsTargetMember, StreamsCurrent:
		return memberForm
	}
	return unknownForm
}

// IsOffset tells whether the key is one of a committed offset.
func (k Key) IsOffset() bool { return formOf(k.Type) == offsetForm }

// Known tells whether the key is of a type that this package reads.
func (k Key) Known() bool { return formOf(k.Type) != unknownForm }

// ParseKey reads a key. Of a type that this package does not read it gives the
// type alone.
func ParseKey(b []byte) (Key, error) {
	r := read(b)
	k := Key{Type: r.Int16()}
	if r.Err == nil && !k.Known() {
		return k, nil
	}
	k.Group = r.Text(false)
	switch formOf(k.Type) {
	case memberForm:
		k.Member = r.Text(false)
	case offsetForm:
		k.Topic = r.Text(false)
		k.Partition = r.Int32()
	}
	if r.Err != nil {
		return Key{}, fmt.Errorf("group record key of %d bytes: %w", len(b), r.Err)
	}
	return k, nil
}

// AppendKey writes a key of a known type.
func AppendKey(b []byte, k Key) []byte {
	b = appendText(appendInt16(b, k.Type), k.Group)
	switch formOf(k.Type) {
	case memberForm:
		b = appendText(b, k.Member)
	case offsetForm:
		b = appendInt32(appendText(b, k.Topic), k.Partition)
	}
	return b
}

// AppendOffsetKey writes the key of a committed offset.
func AppendOffsetKey(b []byte, group, topic string, partition int32) []byte {
	return AppendKey(b, Key{Type: OffsetCommit, Group: group, Topic: topic, Partition: partition})
}

// AppendGroupKey writes the key of a group's metadata.
func AppendGroupKey(b []byte, group string) []byte {
	return AppendKey(b, Key{Type: GroupMetadata, Group: group})
}
