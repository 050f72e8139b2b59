package schema

import (
	"encoding/binary"
	"fmt"
)

// Entry is a timer without its payload, as a snapshot has it.
type Entry struct {
	Ref
	DueMs  int64
	Spread int32
	Size   int32
}

// entrySize is what an Entry takes.
const entrySize = refSize + 8 + 4 + 4

// AppendIndex writes a part of an index: entries of one topic.
func AppendIndex(b []byte, topic string, entries []Entry) []byte {
	b = appendCount(appendText(appendInt16(b, 0), topic), len(entries))
	for i := range entries {
		e := &entries[i]
		b = binary.BigEndian.AppendUint64(append(b, e.Hash[:]...), uint64(e.Offset))
		b = appendInt32(appendInt32(appendInt64(b, e.DueMs), e.Spread), e.Size)
	}
	return append(b, 0)
}

// ParseIndex reads one and gives each entry to fn once all of it is known to be
// whole.
func ParseIndex(b []byte, fn func(topic string, e Entry)) error {
	r, err := value(b)
	if err != nil {
		return fmt.Errorf("index record of %d bytes: %w", len(b), err)
	}
	topic := r.Text(true)
	n := r.Count(true, entrySize)
	rows := reader{r.Reader}
	r.Take(n * entrySize)
	if err := r.end("index", len(b)); err != nil {
		return err
	}
	for range n {
		var e Entry
		copy(e.Hash[:], rows.Take(16))
		e.Offset, e.DueMs, e.Spread, e.Size = rows.Int64(), rows.Int64(), rows.Int32(), rows.Int32()
		fn(topic, e)
	}
	return nil
}
