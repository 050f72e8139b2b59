package schema

// The values of streams groups (KIP-1071). The target's epoch (type 20) is a
// TargetValue.

// StreamsGroupValue is a streams group as a whole (type 17).
type StreamsGroupValue struct {
	Epoch int32
	Hash  int64 // of the topics that the group reads
	// Validated is the epoch of the topology whose topics were all found as it
	// needs them; -1 for none (tag 0).
	Validated int32
	// Settings are those that the last assignment was made with (tag 1).
	Settings []StreamsPair
}

// StreamsPair is a setting of a topic or a tag of a client.
type StreamsPair struct{ Key, Value string }

// StreamsEndpoint is where an instance answers queries.
type StreamsEndpoint struct {
	Host string
	Port uint16
}

// StreamsMemberValue is what a member said of itself (type 19).
type StreamsMemberValue struct {
	InstanceID, RackID   *string
	ClientID, ClientHost string
	RebalanceMs          int32
	TopologyEpoch        int32
	ProcessID            string
	Endpoint             *StreamsEndpoint
	Tags                 []StreamsPair
}

// StreamsTasks are tasks of a subtopology.
type StreamsTasks struct {
	Subtopology string
	Partitions  []int32
	// Epochs tell since which epoch a member has each (tag 0; active tasks of
	// type 22 alone); nil where that is not said.
	Epochs []int32
}

// StreamsAssignment is what a member shall have (type 21), by role.
type StreamsAssignment struct{ Active, Standby, Warmup []StreamsTasks }

// StreamsCurrentValue is what a member has (type 22).
type StreamsCurrentValue struct {
	Epoch, Previous int32
	// State is 1 stable, 2 unrevoked tasks, 3 unreleased tasks.
	State              int8
	Assigned, Revoking StreamsAssignment
}

// StreamsTopologyValue is what a group's application does (type 23).
type StreamsTopologyValue struct {
	Epoch         int32
	Subtopologies []Subtopology
}

// Subtopology is a part of a topology whose tasks have one partition of every
// topic that it reads.
type Subtopology struct {
	ID                   string
	Sources, SourceRegex []string
	Changelogs           []StreamsTopic
	Sinks                []string // repartition topics that it writes
	Repartitions         []StreamsTopic
	Copartitions         []Copartition
}

// StreamsTopic is an internal topic of an application. Partitions and Replicas
// are 0 where nobody says them.
type StreamsTopic struct {
	Name       string
	Partitions int32
	Replicas   int16
	Configs    []StreamsPair
}

// Copartition names topics of a subtopology that must have as many partitions
// as each other, by their places in its lists.
type Copartition struct{ Sources, SourceRegex, Repartitions []int16 }

// AppendStreamsGroup writes version 0.
func AppendStreamsGroup(b []byte, v StreamsGroupValue) []byte {
	b = appendInt64(appendInt32(appendInt16(b, 0), v.Epoch), v.Hash)
	tags := 0
	if v.Validated != -1 {
		tags++
	}
	if v.Settings != nil {
		tags++
	}
	b = append(b, byte(tags))
	if v.Validated != -1 {
		b = appendInt32(append(b, 0, 4), v.Validated)
	}
	if v.Settings != nil {
		field := appendPairs(nil, v.Settings)
		b = append(appendUvarint(append(b, 1), len(field)), field...)
	}
	return b
}

// ParseStreamsGroup reads a StreamsGroupValue.
func ParseStreamsGroup(b []byte) (v StreamsGroupValue, err error) {
	const what = "streams group metadata"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch, v.Hash, v.Validated = r.Int32(), r.Int64(), -1
	var inner error
	err = r.done(what, len(b), func(tag int, field []byte) {
		in := read(field)
		switch {
		case tag == 0:
			v.Validated = in.Int32()
		case tag == 1 && len(field) > 0 && field[0] != 0:
			v.Settings = in.pairs()
		}
		if inner == nil {
			inner = in.Err
		}
	})
	if err == nil {
		err = inner
	}
	return v, err
}

// AppendStreamsMember writes version 0.
func AppendStreamsMember(b []byte, v StreamsMemberValue) []byte {
	b = appendMaybeShort(appendMaybeShort(appendInt16(b, 0), v.InstanceID), v.RackID)
	b = appendShort(appendShort(b, v.ClientID), v.ClientHost)
	b = appendShort(appendInt32(appendInt32(b, v.RebalanceMs), v.TopologyEpoch), v.ProcessID)
	if v.Endpoint == nil {
		b = append(b, 0xff)
	} else {
		b = appendShort(append(b, 1), v.Endpoint.Host)
		b = append(appendInt16(b, int16(v.Endpoint.Port)), 0)
	}
	return append(appendPairs(b, v.Tags), 0)
}

// ParseStreamsMember reads a StreamsMemberValue.
func ParseStreamsMember(b []byte) (v StreamsMemberValue, err error) {
	const what = "streams group member"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.InstanceID, v.RackID = r.MaybeText(true), r.MaybeText(true)
	v.ClientID, v.ClientHost = r.Text(true), r.Text(true)
	v.RebalanceMs, v.TopologyEpoch, v.ProcessID = r.Int32(), r.Int32(), r.Text(true)
	if there := r.Take(1); there != nil && int8(there[0]) >= 0 {
		v.Endpoint = &StreamsEndpoint{Host: r.Text(true), Port: uint16(r.Int16())}
		r.Tags(nil)
	}
	v.Tags = r.pairs()
	return v, r.done(what, len(b), nil)
}

// AppendStreamsTarget writes what a member shall have, version 0.
func AppendStreamsTarget(b []byte, v StreamsAssignment) []byte {
	return append(appendAssignment(appendInt16(b, 0), v), 0)
}

// ParseStreamsTarget reads what a member shall have.
func ParseStreamsTarget(b []byte) (v StreamsAssignment, err error) {
	const what = "target assignment of a streams member"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v = r.assignment()
	return v, r.done(what, len(b), nil)
}

// AppendStreamsCurrent writes version 0.
func AppendStreamsCurrent(b []byte, v StreamsCurrentValue) []byte {
	b = appendInt32(appendInt32(appendInt16(b, 0), v.Epoch), v.Previous)
	b = append(b, byte(v.State))
	return append(appendAssignment(appendAssignment(b, v.Assigned), v.Revoking), 0)
}

// ParseStreamsCurrent reads a StreamsCurrentValue.
func ParseStreamsCurrent(b []byte) (v StreamsCurrentValue, err error) {
	const what = "current assignment of a streams member"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch, v.Previous = r.Int32(), r.Int32()
	if s := r.Take(1); s != nil {
		v.State = int8(s[0])
	}
	v.Assigned, v.Revoking = r.assignment(), r.assignment()
	return v, r.done(what, len(b), nil)
}
