package feed

import (
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/pull"
)

// write appends the frame: fields in memory, records as slices. The length in
// front counts both.
func (a *answer) write(out *api.Out) {
	out.Reserve(64)
	start, files := len(out.Buf), out.FileBytes
	b := wire.BeginFrame(out.Buf)
	b = wire.AppendResponseHeader(b, &a.head)
	out.Buf = pull.AppendHead(b, a.code, a.sessionID, pull.Runs(a.rows))
	for i := 0; i < len(a.rows); {
		n := pull.Run(a.rows, i)
		out.Reserve(32)
		out.Buf = pull.AppendTopic(out.Buf, a.rows[i].Topic, n)
		for ; n > 0; n-- {
			a.writeRow(out, i)
			i++
		}
		out.Buf = pull.AppendEnd(out.Buf)
	}
	out.Reserve(1)
	out.Buf = pull.AppendEnd(out.Buf)
	wire.EndFrame(out.Buf, start, out.FileBytes-files)
}

// writeRow appends a partition with its records. When they cannot be read after
// all it answers the disk's error instead.
func (a *answer) writeRow(out *api.Out, i int) {
	row, records := &a.rows[i], a.slices[i]
	out.Reserve(128)
	before := len(out.Buf)
	out.Buf = pull.AppendRow(out.Buf, row, records.Len)
	if records.Len > 0 {
		a.slices[i].Len = 0 // out has it now
		if err := out.Add(records); err != nil {
			a.feeder.o.Logger.Error("records could not be read for a replica", "partition", row.Index, "err", err)
			row.Code, row.High = wire.KafkaStorageError, -1
			out.Buf = pull.AppendRow(out.Buf[:before], row, 0)
		} else {
			a.feeder.o.Fed.Add(records.Len)
		}
	}
	out.Reserve(32)
	out.Buf = pull.AppendRowEnd(out.Buf, row)
}
