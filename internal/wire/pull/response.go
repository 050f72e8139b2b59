package pull

import (
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/field"
)

// Row is a leader's answer for one partition.
type Row struct {
	Key
	Code     wire.Code
	High     int64 // high watermark, -1 with an error
	LogStart int64 // told with OFFSET_OUT_OF_RANGE as well, unlike to a consumer
	// Diverging: the follower's last record is not the leader's. Their last epoch
	// in common is DivergingEpoch at most, and ends at DivergingEnd there.
	Diverging      bool
	DivergingEpoch int32
	DivergingEnd   int64
	Records        []byte // whole batches, the last may be cut off; a view
}

// Response is a leader's answer. In a session it names only partitions with news.
type Response struct {
	Code      wire.Code // of the whole
	SessionID int32
	Rows      []Row
}

const minRow = 4 + 2 + 8 + 8 + 8 + 1 + 4 + 1 + 1

// AppendHead begins an answer with rows of so many topics; each topic follows with
// AppendTopic, and its rows with AppendRow, their records and AppendRowEnd, then
// AppendEnd for each topic and for the whole.
func AppendHead(b []byte, code wire.Code, sessionID int32, topics int) []byte {
	b = put32(b, 0) // throttle time
	b = put32(put16(b, int16(code)), sessionID)
	return putCount(b, topics)
}

// AppendTopic begins a topic with so many rows.
func AppendTopic(b []byte, topic uuid.UUID, rows int) []byte {
	return putCount(append(b, topic[:]...), rows)
}

// AppendRow begins a row with so many bytes of records, which follow.
func AppendRow(b []byte, r *Row, records int) []byte {
	b = put16(put32(b, r.Index), int16(r.Code))
	b = put64(put64(put64(b, r.High), -1), r.LogStart)
	b = put32(append(b, 0), -1) // no aborted transactions, no preferred replica
	return putCount(b, records)
}

// AppendRowEnd ends a row.
func AppendRowEnd(b []byte, r *Row) []byte {
	if !r.Diverging {
		return append(b, 0)
	}
	b = putTag(append(b, 1), 0, 13)
	return append(put64(put32(b, r.DivergingEpoch), r.DivergingEnd), 0)
}

// AppendEnd ends a topic, or the answer.
func AppendEnd(b []byte) []byte { return append(b, 0) }

// Runs counts the topics of rows in their order, and Run how many rows from i on
// are of one topic.
func Runs(rows []Row) int { return runs(len(rows), func(i int) uuid.UUID { return rows[i].Topic }) }

// Run is described with Runs.
func Run(rows []Row, i int) int {
	return run(len(rows), i, func(i int) uuid.UUID { return rows[i].Topic })
}

// Parse decodes an answer's body; records are views of it.
func (r *Response) Parse(body []byte) error {
	in := reader{field.Reader{Rest: body}}
	clear(r.Rows)
	r.Rows = r.Rows[:0]
	in.Int32()
	r.Code, r.SessionID = wire.Code(in.Int16()), in.Int32()
	for n := in.count(minTopic); n > 0 && in.Err == nil; n-- {
		topic := in.UUID()
		for m := in.count(minRow); m > 0 && in.Err == nil; m-- {
			r.Rows = append(r.Rows, in.row(topic))
		}
		in.tags(nil)
	}
	in.tags(nil)
	return in.end()
}

func (r *reader) row(topic uuid.UUID) Row {
	x := Row{Key: Key{topic, r.Int32()}, Code: wire.Code(r.Int16()), High: r.Int64()}
	r.Int64() // last stable offset
	x.LogStart = r.Int64()
	for n := r.count(17); n > 0 && r.Err == nil; n-- { // aborted transactions: consumers'
		r.Take(16)
		r.tags(nil)
	}
	r.Int32() // preferred replica
	x.Records = r.bytes()
	r.tags(func(tag int, b reader) {
		if tag == 0 {
			x.Diverging, x.DivergingEpoch, x.DivergingEnd = true, b.Int32(), b.Int64()
		}
	})
	return x
}
