package schema

import (
	"fmt"

	"ottla/internal/record"
)

// Timer is the value of a timer's record.
type Timer struct {
	DueMs     int64
	Topic     string
	Partition int32 // -1: by key
	RecordKey []byte
	Value     []byte
	Headers   []record.RecordHeader
}

// leastHeader is what a header takes at least.
const leastHeader = 2

// AppendTimer writes a timer's value.
func AppendTimer(b []byte, t *Timer) []byte {
	b = appendInt64(appendInt16(b, 0), t.DueMs)
	b = appendInt32(appendText(b, t.Topic), t.Partition)
	b = appendMaybe(appendMaybe(b, t.RecordKey), t.Value)
	b = appendCount(b, len(t.Headers))
	for i := range t.Headers {
		b = appendMaybe(appendText(b, t.Headers[i].Key), t.Headers[i].Value)
	}
	return append(b, 0)
}

// ParseTimer reads a timer's value; RecordKey, Value and the values of headers
// are borrowed from b.
func ParseTimer(b []byte) (Timer, error) {
	r, err := value(b)
	if err != nil {
		return Timer{}, fmt.Errorf("timer record of %d bytes: %w", len(b), err)
	}
	t := Timer{DueMs: r.Int64(), Topic: r.Text(true), Partition: r.Int32(), RecordKey: r.maybe(), Value: r.maybe()}
	if n := r.Count(true, leastHeader); n > 0 {
		t.Headers = make([]record.RecordHeader, 0, n)
		for range n {
			t.Headers = append(t.Headers, record.RecordHeader{Key: r.Text(true), Value: r.maybe()})
		}
	}
	if err := r.end("timer", len(b)); err != nil {
		return Timer{}, err
	}
	return t, nil
}

// recordOverhead is about what a record takes beside its contents.
const recordOverhead = 24

// headerOverhead is about what a header does.
const headerOverhead = 6

// Size is about what the record takes that the timer writes, and never less.
func (t *Timer) Size() int {
	n := recordOverhead + len(t.RecordKey) + len(t.Value)
	for i := range t.Headers {
		n += headerOverhead + len(t.Headers[i].Key) + len(t.Headers[i].Value)
	}
	return n
}
