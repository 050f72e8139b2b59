package shares

import (
	"encoding/binary"

	"ottla/internal/kafka/api"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// row is a partition of the answer.
type row struct {
	topic uuid.UUID
	index int32
	ack   error
	part  *fetchPart // nil when it was only acknowledged
}

// rows are what the answer tells: partitions with records, with an error, and
// with the end of acknowledgements; those of one topic stand together.
func (a *fetchAnswer) rows() [][]row {
	type spot struct {
		topic uuid.UUID
		index int32
	}
	var topics [][]row
	at, in := map[uuid.UUID]int{}, map[spot]int{}
	find := func(topic uuid.UUID, index int32) *row {
		i, ok := at[topic]
		if !ok {
			i = len(topics)
			at[topic] = i
			topics = append(topics, nil)
		}
		k, ok := in[spot{topic, index}]
		if !ok {
			k = len(topics[i])
			in[spot{topic, index}] = k
			topics[i] = append(topics[i], row{topic: topic, index: index})
		}
		return &topics[i][k]
	}
	for i := range a.acks {
		p := &a.acks[i]
		find(p.topic, p.index).ack = p.err
	}
	for _, list := range [][]fetchPart{a.parts, a.strange} {
		for i := range list {
			if p := &list[i]; p.saw && (p.err != nil || p.given.Records > 0) {
				find(p.key.TopicID, p.key.Partition).part = p
			}
		}
	}
	return topics
}

// write appends the frame: fields in memory, records as slices. All versions
// are flexible.
func (a *fetchAnswer) write(out *api.Out) error {
	out.Reserve(512)
	start, files := len(out.Buf), out.FileBytes
	b := wire.BeginFrame(out.Buf)
	b = wire.AppendResponseHeader(b, &a.head)
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	b = appendError(b, a.problem)
	b = binary.BigEndian.AppendUint32(b, uint32(a.lockMs))
	var topics [][]row
	if a.problem == nil {
		topics = a.rows()
	}
	out.Buf = appendCount(b, len(topics))
	var nodes leaders
	for _, rows := range topics {
		out.Reserve(64)
		out.Buf = append(out.Buf, rows[0].topic[:]...)
		out.Buf = appendCount(out.Buf, len(rows))
		for i := range rows {
			a.writeRow(out, &rows[i], &nodes)
		}
		out.Buf = append(out.Buf, 0)
	}
	out.Reserve(64 + 300*len(nodes))
	out.Buf = nodes.append(out.Buf, a.conn)
	out.Buf = append(out.Buf, 0)
	wire.EndFrame(out.Buf, start, out.FileBytes-files)
	return nil
}

// writeRow appends a partition, and notes its leader if that is told.
func (a *fetchAnswer) writeRow(out *api.Out, r *row, nodes *leaders) {
	var err error
	size, acquired := 0, 0
	if r.part != nil {
		err = r.part.err
		size, acquired = r.part.given.Slice.Len, len(r.part.given.Acquired)
	}
	out.Reserve(1024 + 32*acquired)
	b := binary.BigEndian.AppendUint32(out.Buf, uint32(r.index))
	b = appendError(b, err)
	b = appendError(b, r.ack)
	leader, epoch := a.f.leaderHint(nodes, r.topic, r.index, err, r.ack)
	b = binary.BigEndian.AppendUint32(b, uint32(leader))
	b = binary.BigEndian.AppendUint32(b, uint32(epoch))
	b = append(b, 0)
	mark := len(b)
	out.Buf = appendCount(b, size)
	if size > 0 {
		slice := r.part.given.Slice
		r.part.given.Slice.Len = 0 // out has it now
		if bad := out.Add(slice); bad != nil {
			a.f.d.Logger.Error("records of a share group could not be read", "group", a.key.group, "partition", r.index, "err", bad)
			r.part.part.Leave(a.key.member)
			out.Buf = appendCount(out.Buf[:mark], 0)
			acquired = 0
		}
	}
	out.Reserve(64 + 32*acquired)
	out.Buf = appendCount(out.Buf, acquired)
	for i := range acquired {
		g := r.part.given.Acquired[i]
		out.Buf = binary.BigEndian.AppendUint64(out.Buf, uint64(g.First))
		out.Buf = binary.BigEndian.AppendUint64(out.Buf, uint64(g.Last))
		out.Buf = binary.BigEndian.AppendUint16(out.Buf, uint16(g.Count))
		out.Buf = append(out.Buf, 0)
	}
	out.Buf = append(out.Buf, 0)
}

func appendCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

// maxMessage bounds the text of an error.
const maxMessage = 300

// appendError appends a code and its message, null without an error.
func appendError(b []byte, err error) []byte {
	if err == nil {
		return append(b, 0, 0, 0)
	}
	text := wire.MessageOf(err)
	text = text[:min(len(text), maxMessage)]
	b = binary.BigEndian.AppendUint16(b, uint16(codeOf(err)))
	return append(appendCount(b, len(text)), text...)
}
