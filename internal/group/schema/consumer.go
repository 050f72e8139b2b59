package schema

import (
	"encoding/binary"
	"fmt"
)

// ConsumerGroupValue is a consumer group as a whole (type 3).
type ConsumerGroupValue struct {
	Epoch int32
	// Hash is of the topics that the group reads, as they were when the epoch
	// last rose (tag 0, KIP-1101); 0 when unknown.
	Hash int64
}

// ConsumerMemberValue is what a member of a consumer group said (type 5).
type ConsumerMemberValue struct {
	InstanceID, RackID   *string
	ClientID, ClientHost string
	Topics               []string
	Regex                *string
	RebalanceMs          int32
	Assignor             *string
	// Classic is set for a member that speaks the classic protocol (tag 0).
	Classic *ClassicMember
}

// ClassicMember is what a classic member of a consumer group said in its join.
type ClassicMember struct {
	SessionMs int32
	Protocols []ClassicProtocol
}

// ClassicProtocol is a way to assign that a classic member knows.
type ClassicProtocol struct {
	Name     string
	Metadata []byte
}

// TargetValue is the epoch of a target assignment (types 6 and 12).
type TargetValue struct {
	Epoch int32
	// AtMs is when it was made, in milliseconds since 1970, 0 when unknown
	// (tag 0, KIP-1263).
	AtMs int64
}

// CurrentValue is what a member has (type 8).
type CurrentValue struct {
	Epoch, Previous int32
	// State is 0 stable, 1 unrevoked partitions, 2 unreleased partitions.
	State              int8
	Assigned, Revoking []TopicPartitions
}

// RegexValue is what a regular expression stands for (type 16).
type RegexValue struct {
	Topics []string
	// Version is the offset of the metadata that it was resolved with.
	Version int64
	AtMs    int64
}

// version0 opens a value whose only version is 0.
func version0(b []byte, what string) (*reader, error) {
	r := read(b)
	if version := r.Int16(); r.Err == nil && version != 0 {
		return nil, fmt.Errorf("%s of version %d, only 0 is known", what, version)
	}
	return r, nil
}

// done ends a value: the tags that it may have, and the error if there was one.
func (r *reader) done(what string, size int, visit func(tag int, b []byte)) error {
	r.Tags(visit)
	if r.Err != nil {
		return fmt.Errorf("%s in %d bytes: %w", what, size, r.Err)
	}
	return nil
}

// int64Of reads a tagged number, 0 when its size is wrong.
func int64Of(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// appendTag0 ends a value with an optional number in tag 0.
func appendTag0(b []byte, v int64) []byte {
	if v == 0 {
		return append(b, 0)
	}
	return appendInt64(append(b, 1, 0, 8), v)
}

// ParseConsumerGroup reads a ConsumerGroupValue.
func ParseConsumerGroup(b []byte) (v ConsumerGroupValue, err error) {
	const what = "consumer group metadata"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch = r.Int32()
	err = r.done(what, len(b), func(tag int, field []byte) {
		if tag == 0 {
			v.Hash = int64Of(field)
		}
	})
	return v, err
}

// AppendConsumerGroup writes a ConsumerGroupValue.
func AppendConsumerGroup(b []byte, v ConsumerGroupValue) []byte {
	return appendTag0(appendInt32(appendInt16(b, 0), v.Epoch), v.Hash)
}

// ParseConsumerMember reads a ConsumerMemberValue.
func ParseConsumerMember(b []byte) (v ConsumerMemberValue, err error) {
	const what = "consumer group member"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.InstanceID, v.RackID = r.MaybeText(true), r.MaybeText(true)
	v.ClientID, v.ClientHost = r.Text(true), r.Text(true)
	v.Topics = r.texts()
	v.Regex = r.MaybeText(true)
	v.RebalanceMs = r.Int32()
	v.Assignor = r.MaybeText(true)
	var inner error
	err = r.done(what, len(b), func(tag int, field []byte) {
		if tag == 0 && len(field) > 0 && field[0] != 0 {
			v.Classic, inner = parseClassic(field[1:])
		}
	})
	if err == nil {
		err = inner
	}
	return v, err
}

// parseClassic reads a tagged ClassicMember behind the byte that says that it
// is there.
func parseClassic(b []byte) (*ClassicMember, error) {
	r := read(b)
	v := &ClassicMember{SessionMs: r.Int32()}
	if n := r.Count(true, 3); n > 0 {
		v.Protocols = make([]ClassicProtocol, 0, n)
		for range n {
			v.Protocols = append(v.Protocols, ClassicProtocol{Name: r.Text(true), Metadata: r.Bytes(true)})
			r.Tags(nil)
		}
	}
	if err := r.done("classic member metadata", len(b), nil); err != nil {
		return nil, err
	}
	return v, nil
}

// AppendConsumerMember writes a ConsumerMemberValue.
func AppendConsumerMember(b []byte, v ConsumerMemberValue) []byte {
	b = appendInt16(b, 0)
	b = appendMaybeShort(appendMaybeShort(b, v.InstanceID), v.RackID)
	b = appendShort(appendShort(b, v.ClientID), v.ClientHost)
	b = appendTexts(b, v.Topics)
	b = appendMaybeShort(b, v.Regex)
	b = appendInt32(b, v.RebalanceMs)
	b = appendMaybeShort(b, v.Assignor)
	if v.Classic == nil {
		return append(b, 1, 0, 1, 0) // said to be null: Kafka takes a tag that is not there for an empty one
	}
	field := appendInt32([]byte{1}, v.Classic.SessionMs)
	field = appendUvarint(field, len(v.Classic.Protocols)+1)
	for i := range v.Classic.Protocols {
		p := &v.Classic.Protocols[i]
		field = appendShort(field, p.Name)
		field = append(appendUvarint(field, len(p.Metadata)+1), p.Metadata...)
		field = append(field, 0)
	}
	field = append(field, 0)
	return append(appendUvarint(append(b, 1, 0), len(field)), field...)
}

// ParseTarget reads a TargetValue.
func ParseTarget(b []byte) (v TargetValue, err error) {
	const what = "target assignment"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch = r.Int32()
	err = r.done(what, len(b), func(tag int, field []byte) {
		if tag == 0 {
			v.AtMs = int64Of(field)
		}
	})
	return v, err
}

// AppendTarget writes a TargetValue.
func AppendTarget(b []byte, v TargetValue) []byte {
	return appendTag0(appendInt32(appendInt16(b, 0), v.Epoch), v.AtMs)
}

// ParseTargetMember reads what a member shall have (types 7 and 13).
func ParseTargetMember(b []byte) ([]TopicPartitions, error) {
	const what = "target assignment of a member"
	r, err := version0(b, what)
	if err != nil {
		return nil, err
	}
	parts := r.parts()
	if err := r.done(what, len(b), nil); err != nil {
		return nil, err
	}
	return parts, nil
}

// AppendTargetMember writes what a member shall have.
func AppendTargetMember(b []byte, parts []TopicPartitions) []byte {
	return append(appendParts(appendInt16(b, 0), parts), 0)
}

// ParseCurrent reads a CurrentValue.
func ParseCurrent(b []byte) (v CurrentValue, err error) {
	const what = "current assignment of a member"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch, v.Previous = r.Int32(), r.Int32()
	if s := r.Take(1); s != nil {
		v.State = int8(s[0])
	}
	v.Assigned, v.Revoking = r.parts(), r.parts()
	return v, r.done(what, len(b), nil)
}

// AppendCurrent writes a CurrentValue.
func AppendCurrent(b []byte, v CurrentValue) []byte {
	b = appendInt32(appendInt32(appendInt16(b, 0), v.Epoch), v.Previous)
	b = append(b, byte(v.State))
	return append(appendParts(appendParts(b, v.Assigned), v.Revoking), 0)
}

// ParseRegex reads a RegexValue.
func ParseRegex(b []byte) (v RegexValue, err error) {
	const what = "resolved regular expression"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Topics = r.texts()
	v.Version, v.AtMs = r.Int64(), r.Int64()
	return v, r.done(what, len(b), nil)
}

// AppendRegex writes a RegexValue.
func AppendRegex(b []byte, v RegexValue) []byte {
	b = appendTexts(appendInt16(b, 0), v.Topics)
	return append(appendInt64(appendInt64(b, v.Version), v.AtMs), 0)
}
