package data

import (
	"encoding/binary"

	"ottla/internal/kafka/api"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// finish settles what the answer says of the session and of each partition.
func (a *fetchAnswer) finish() {
	a.family.sessions.leave(a)
	if a.problem != wire.None {
		a.drop()
		a.parts = a.parts[:0]
		a.family.m.code(a.problem)
	}
}

// write appends the frame: fields in memory, records as slices. The length in
// front counts both.
func (a *fetchAnswer) write(out *api.Out) error {
	v, flex := a.head.Version, a.head.Version >= 12
	out.Reserve(64 + len(a.names))
	start, files := len(out.Buf), out.FileBytes
	b := wire.BeginFrame(out.Buf)
	b = wire.AppendResponseHeader(b, &a.head)
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	if v >= 7 {
		b = binary.BigEndian.AppendUint16(b, uint16(a.problem))
		b = binary.BigEndian.AppendUint32(b, uint32(a.sessionID))
	}
	b = appendCount(b, a.groups(), flex)
	out.Buf = b
	var hints hints
	for i := 0; i < len(a.parts); {
		if a.parts[i].skip {
			i++
			continue
		}
		next, n := a.group(i)
		a.writeTopic(out, i, n)
		for ; i < next; i++ {
			if !a.parts[i].skip {
				a.writePart(out, &a.parts[i], &hints)
			}
		}
		if flex {
			out.Buf = append(out.Buf, 0)
		}
	}
	if flex {
		out.Reserve(16 + hints.n*300)
		out.Buf = hints.appendTag(out.Buf, 0, a.conn)
	}
	wire.EndFrame(out.Buf, start, out.FileBytes-files)
	return nil
}

// group finds the run of partitions of one topic that begins at i: where it
// ends and how many of it are answered.
func (a *fetchAnswer) group(i int) (next, n int) {
	topic := a.parts[i].topic
	for next = i; next < len(a.parts) && a.parts[next].topic == topic; next++ {
		if !a.parts[next].skip {
			n++
		}
	}
	return next, n
}

// groups counts the topics of the answer.
func (a *fetchAnswer) groups() int {
	n := 0
	for i := 0; i < len(a.parts); {
		next, m := a.group(i)
		if m > 0 {
			n++
		}
		i = next
	}
	return n
}

// writeTopic begins a topic of n partitions, the first of them at i.
func (a *fetchAnswer) writeTopic(out *api.Out, i, n int) {
	t := &a.topics[a.parts[i].topic]
	flex := a.head.Version >= 12
	out.Reserve(32 + int(t.nameLen))
	if a.head.Version >= 13 {
		out.Buf = append(out.Buf, t.id[:]...)
	} else {
		out.Buf = appendText(out.Buf, a.name(t), flex)
	}
	out.Buf = appendCount(out.Buf, n, flex)
}

// writePart appends a partition with its records. When they cannot be read
// after all, it answers the disk's error instead.
func (a *fetchAnswer) writePart(out *api.Out, p *fetchPart, h *hints) {
	for {
		out.Reserve(128 + 16*len(p.got.Aborted))
		before := len(out.Buf)
		a.writeFields(out, p)
		size := p.got.Slice.Len
		if size > 0 {
			slice := p.got.Slice
			p.got.Slice.Len = 0 // out has it now
			if err := out.Add(slice); err != nil {
				a.family.o.Logger.Error("records could not be read", "partition", p.index, "offset", p.offset, "err", err)
				out.Buf = out.Buf[:before]
				a.fail(p, wire.KafkaStorageError)
				continue
			}
			a.family.m.fetched.Add(size)
		}
		break
	}
	a.family.m.code(p.code)
	if a.head.Version >= 12 {
		out.Reserve(64)
		out.Buf = a.appendPartTags(out.Buf, p, h)
	}
}

// writeFields appends what stands before a partition's records, the length of
// the records included.
func (a *fetchAnswer) writeFields(out *api.Out, p *fetchPart) {
	v, flex := a.head.Version, a.head.Version >= 12
	b := binary.BigEndian.AppendUint32(out.Buf, uint32(p.index))
	b = binary.BigEndian.AppendUint16(b, uint16(p.code))
	b = binary.BigEndian.AppendUint64(b, uint64(p.got.HighWatermark))
	b = binary.BigEndian.AppendUint64(b, uint64(p.got.LastStable))
	if v >= 5 {
		b = binary.BigEndian.AppendUint64(b, uint64(p.got.LogStart))
	}
	switch {
	case p.nowhere():
		b = appendCount(b, 0, flex)
	case a.isolation == partition.ReadUncommitted || p.code != wire.None:
		b = appendNullCount(b, flex) // null: nobody asked; empty: there are none
	default:
		b = appendCount(b, len(p.got.Aborted), flex)
		for i := range p.got.Aborted {
			b = binary.BigEndian.AppendUint64(b, uint64(p.got.Aborted[i].ProducerID))
			b = binary.BigEndian.AppendUint64(b, uint64(p.got.Aborted[i].FirstOffset))
			if flex {
				b = append(b, 0)
			}
		}
	}
	if v >= 11 {
		b = binary.BigEndian.AppendUint32(b, uint32(p.preferred)) // preferred read replica
	}
	out.Buf = appendCount(b, p.got.Slice.Len, flex)
}

// nowhere tells that the partition was refused before any replica was asked:
// such rows have an empty list of aborted transactions in Kafka, those of
// replicas that refuse have null.
func (p *fetchPart) nowhere() bool {
	switch p.code {
	case wire.UnknownTopicOrPartition, wire.UnknownTopicID, wire.TopicAuthorizationFailed, wire.InvalidRequest:
		return true
	}
	return false
}

// appendNullCount appends the count of a null array.
func appendNullCount(b []byte, flex bool) []byte {
	if flex {
		return append(b, 0)
	}
	return append(b, 0xff, 0xff, 0xff, 0xff)
}

// appendPartTags appends a partition's tagged fields.
func (a *fetchAnswer) appendPartTags(b []byte, p *fetchPart, h *hints) []byte {
	if p.got.Diverging {
		b = append(b, 1, 0, 13) // one field, tag 0, its size
		b = binary.BigEndian.AppendUint32(b, uint32(p.got.DivergingEpoch))
		b = binary.BigEndian.AppendUint64(b, uint64(p.got.DivergingEnd))
		return append(b, 0)
	}
	if a.head.Version >= 16 && (p.code == wire.NotLeaderOrFollower || p.code == wire.FencedLeaderEpoch) {
		t := &a.topics[p.topic]
		if leader, epoch := a.family.leaderOf(t.id, a.name(t), p.index); leader >= 0 && !a.lapsed { // else it is an old story
			h.add(leader)
			b = append(b, 1)
			return appendLeader(b, 1, leader, epoch)
		}
	}
	return append(b, 0)
}
