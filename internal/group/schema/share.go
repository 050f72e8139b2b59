package schema

import "ottla/internal/uuid"

// The values of share groups (KIP-932); targets (types 12 and 13) are those of
// consumer groups.

// ShareMemberValue is what a member said of itself (type 10).
type ShareMemberValue struct {
	RackID               *string
	ClientID, ClientHost string
	Topics               []string
}

// AppendShareMember writes version 0.
func AppendShareMember(b []byte, v ShareMemberValue) []byte {
	b = appendMaybeShort(appendInt16(b, 0), v.RackID)
	b = appendShort(appendShort(b, v.ClientID), v.ClientHost)
	return append(appendTexts(b, v.Topics), 0)
}

// ParseShareMember reads a ShareMemberValue.
func ParseShareMember(b []byte) (v ShareMemberValue, err error) {
	const what = "share group member"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.RackID, v.ClientID, v.ClientHost = r.MaybeText(true), r.Text(true), r.Text(true)
	v.Topics = r.texts()
	return v, r.done(what, len(b), nil)
}

// ShareGroupValue is a share group as a whole (type 11).
type ShareGroupValue struct {
	Epoch int32
	Hash  int64 // of the topics that the group reads
}

// AppendShareGroup writes version 0.
func AppendShareGroup(b []byte, v ShareGroupValue) []byte {
	return append(appendInt64(appendInt32(appendInt16(b, 0), v.Epoch), v.Hash), 0)
}

// ParseShareGroup reads a ShareGroupValue.
func ParseShareGroup(b []byte) (v ShareGroupValue, err error) {
	const what = "share group metadata"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch, v.Hash = r.Int32(), r.Int64()
	return v, r.done(what, len(b), nil)
}

// ShareCurrentValue is what a member has (type 14).
type ShareCurrentValue struct {
	Epoch, Previous int32
	State           int8 // 0: stable
	Assigned        []TopicPartitions
}

// AppendShareCurrent writes version 0.
func AppendShareCurrent(b []byte, v ShareCurrentValue) []byte {
	b = appendInt32(appendInt32(appendInt16(b, 0), v.Epoch), v.Previous)
	return append(appendParts(append(b, byte(v.State)), v.Assigned), 0)
}

// ParseShareCurrent reads a ShareCurrentValue.
func ParseShareCurrent(b []byte) (v ShareCurrentValue, err error) {
	const what = "share group member assignment"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch, v.Previous = r.Int32(), r.Int32()
	if s := r.Take(1); s != nil {
		v.State = int8(s[0])
	}
	v.Assigned = r.parts()
	return v, r.done(what, len(b), nil)
}

// ShareStateValue tells of which partitions a share group has states (type 15).
type ShareStateValue struct {
	Initializing, Initialized []ShareTopic
	Deleting                  []ShareTopic // without partitions
}

// ShareTopic is a topic of a ShareStateValue.
type ShareTopic struct {
	ID         uuid.UUID
	Name       string
	Partitions []int32
}

// leastShareTopic is how many bytes a ShareTopic takes at least.
const leastShareTopic = 16 + 2

// AppendShareState writes version 0.
func AppendShareState(b []byte, v ShareStateValue) []byte {
	b = appendInt16(b, 0)
	for _, list := range [][]ShareTopic{v.Initializing, v.Initialized} {
		b = appendUvarint(b, len(list)+1)
		for i := range list {
			b = appendShort(append(b, list[i].ID[:]...), list[i].Name)
			b = append(appendInt32s(b, list[i].Partitions), 0)
		}
	}
	b = appendUvarint(b, len(v.Deleting)+1)
	for i := range v.Deleting {
		b = append(appendShort(append(b, v.Deleting[i].ID[:]...), v.Deleting[i].Name), 0)
	}
	return append(b, 0)
}

// ParseShareState reads a ShareStateValue.
func ParseShareState(b []byte) (v ShareStateValue, err error) {
	const what = "share group states"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Initializing, v.Initialized, v.Deleting = r.shareTopics(true), r.shareTopics(true), r.shareTopics(false)
	return v, r.done(what, len(b), nil)
}

func (r *reader) shareTopics(partitions bool) []ShareTopic {
	n := r.Count(true, leastShareTopic)
	if n == 0 {
		return nil
	}
	out := make([]ShareTopic, 0, n)
	for range n {
		var t ShareTopic
		copy(t.ID[:], r.Take(len(t.ID)))
		t.Name = r.Text(true)
		if partitions {
			t.Partitions = r.int32s()
		}
		r.Tags(nil)
		out = append(out, t)
	}
	return out
}
