package schema

// AppendStreamsTopology writes version 0.
func AppendStreamsTopology(b []byte, v StreamsTopologyValue) []byte {
	b = appendInt32(appendInt16(b, 0), v.Epoch)
	b = appendUvarint(b, len(v.Subtopologies)+1)
	for i := range v.Subtopologies {
		s := &v.Subtopologies[i]
		b = appendTexts(appendTexts(appendShort(b, s.ID), s.Sources), s.SourceRegex)
		b = appendTexts(appendStreamsTopics(b, s.Changelogs), s.Sinks)
		b = appendStreamsTopics(b, s.Repartitions)
		b = appendUvarint(b, len(s.Copartitions)+1)
		for _, c := range s.Copartitions {
			b = append(appendInt16s(appendInt16s(appendInt16s(b, c.Sources), c.SourceRegex), c.Repartitions), 0)
		}
		b = append(b, 0)
	}
	return append(b, 0)
}

// The least bytes that parts of a topology take.
const (
	leastSubtopology  = 8
	leastStreamsTopic = 9
	leastCopartition  = 4
	leastPair         = 3
	leastTasks        = 3
)

// ParseStreamsTopology reads a StreamsTopologyValue.
func ParseStreamsTopology(b []byte) (v StreamsTopologyValue, err error) {
	const what = "streams topology"
	r, err := version0(b, what)
	if err != nil {
		return v, err
	}
	v.Epoch = r.Int32()
	for n := r.Count(true, leastSubtopology); n > 0 && r.Err == nil; n-- {
		s := Subtopology{ID: r.Text(true), Sources: r.texts(), SourceRegex: r.texts()}
		s.Changelogs, s.Sinks, s.Repartitions = r.streamsTopics(), r.texts(), r.streamsTopics()
		for m := r.Count(true, leastCopartition); m > 0 && r.Err == nil; m-- {
			s.Copartitions = append(s.Copartitions, Copartition{Sources: r.int16s(), SourceRegex: r.int16s(), Repartitions: r.int16s()})
			r.Tags(nil)
		}
		r.Tags(nil)
		v.Subtopologies = append(v.Subtopologies, s)
	}
	return v, r.done(what, len(b), nil)
}

func appendStreamsTopics(b []byte, list []StreamsTopic) []byte {
	b = appendUvarint(b, len(list)+1)
	for i := range list {
		t := &list[i]
		b = appendInt16(appendInt32(appendShort(b, t.Name), t.Partitions), t.Replicas)
		b = append(appendPairs(b, t.Configs), 0)
	}
	return b
}

func (r *reader) streamsTopics() []StreamsTopic {
	var out []StreamsTopic
	for n := r.Count(true, leastStreamsTopic); n > 0 && r.Err == nil; n-- {
		out = append(out, StreamsTopic{Name: r.Text(true), Partitions: r.Int32(), Replicas: r.Int16(), Configs: r.pairs()})
		r.Tags(nil)
	}
	return out
}

func appendPairs(b []byte, list []StreamsPair) []byte {
	b = appendUvarint(b, len(list)+1)
	for _, p := range list {
		b = append(appendShort(appendShort(b, p.Key), p.Value), 0)
	}
	return b
}

func (r *reader) pairs() []StreamsPair {
	var out []StreamsPair
	for n := r.Count(true, leastPair); n > 0 && r.Err == nil; n-- {
		out = append(out, StreamsPair{Key: r.Text(true), Value: r.Text(true)})
		r.Tags(nil)
	}
	return out
}

func appendInt16s(b []byte, list []int16) []byte {
	b = appendUvarint(b, len(list)+1)
	for _, v := range list {
		b = appendInt16(b, v)
	}
	return b
}

func (r *reader) int16s() []int16 {
	var out []int16
	for n := r.Count(true, 2); n > 0 && r.Err == nil; n-- {
		out = append(out, r.Int16())
	}
	return out
}

func appendAssignment(b []byte, v StreamsAssignment) []byte {
	for _, list := range [][]StreamsTasks{v.Active, v.Standby, v.Warmup} {
		b = appendUvarint(b, len(list)+1)
		for i := range list {
			b = appendInt32s(appendShort(b, list[i].Subtopology), list[i].Partitions)
			if list[i].Epochs == nil {
				b = append(b, 0)
				continue
			}
			field := appendInt32s(nil, list[i].Epochs)
			b = append(appendUvarint(append(b, 1, epochsTag), len(field)), field...)
		}
	}
	return b
}

func (r *reader) assignment() (v StreamsAssignment) {
	v.Active, v.Standby, v.Warmup = r.streamsTasks(), r.streamsTasks(), r.streamsTasks()
	return v
}

func (r *reader) streamsTasks() []StreamsTasks {
	var out []StreamsTasks
	for n := r.Count(true, leastTasks); n > 0 && r.Err == nil; n-- {
		t := StreamsTasks{Subtopology: r.Text(true), Partitions: r.int32s()}
		r.Tags(func(tag int, b []byte) {
			if tag == epochsTag && len(b) > 0 && b[0] != 0 {
				t.Epochs = read(b).int32s()
			}
		})
		if len(t.Epochs) != len(t.Partitions) {
			t.Epochs = nil
		}
		out = append(out, t)
	}
	return out
}
