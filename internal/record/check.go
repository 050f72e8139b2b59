package record

import (
	"fmt"
	"math"
)

// maxNamedRecords bounds how many bad records an Error names. A batch of a
// megabyte holds up to 150,000 records, and a client learns no more from the
// last than from the first.
const maxNamedRecords = 256

// check judges the records of one batch as they come by. It is the part of
// validation that plain and compressed batches share.
type check struct {
	requireKeys   bool
	limit         int   // how many bytes a compressed batch may open to
	base          int64 // base timestamp
	count         int32 // records the header promises
	seen          int32
	maxMs         int64 // largest timestamp so far; -1 when all lie below, as in Kafka
	judgeTime     bool
	claimed       bool // the producer set log append time where only the leader may
	lowMs, highMs int64
	named         []RecordError
	kind          Kind
}

func (c *check) start(h *Header, r *Rules) {
	*c = check{requireKeys: r.RequireKeys, limit: r.MaxDecompressed, base: h.BaseTimestamp, count: h.Count, maxMs: -1,
		judgeTime: !r.AppendTime, claimed: r.AppendTime && h.LogAppendTime()}
	if c.judgeTime {
		c.lowMs = r.NowMs - max(r.BeforeMaxMs, 0) // NowMs is not negative: no overflow
		c.highMs = r.NowMs + max(r.AfterMaxMs, 0)
		if c.highMs < r.NowMs {
			c.highMs = math.MaxInt64
		}
	}
}

// run judges every record that lies whole in b and answers how many bytes
// those took. A record that b cuts off is left for the next call.
func (c *check) run(b []byte) (int, error) {
	var l layout
	i := 0
	for i < len(b) {
		if f := l.parse(b, i); f != sound {
			if f == short {
				return i, nil
			}
			return i, invalid("record %d of the batch %s", c.seen, f)
		}
		if err := c.record(l.timestampDelta, l.offsetDelta, l.keyLen >= 0); err != nil {
			return i, err
		}
		i = l.end
	}
	return i, nil
}

// record judges one record by what matters of it.
func (c *check) record(timestampDelta int64, offsetDelta int32, hasKey bool) error {
	if c.seen >= c.count {
		return invalid("the batch holds more records than the %d its header counts", c.count)
	}
	if offsetDelta != c.seen {
		return invalid("record %d of the batch has offset delta %d; deltas count up from 0", c.seen, offsetDelta)
	}
	timestamp := c.base + timestampDelta
	if timestamp > c.maxMs {
		c.maxMs = timestamp
	}
	if c.requireKeys && !hasKey {
		c.name(KindInvalid, "the topic is compacted and cannot accept a record without a key")
	} else if c.judgeTime && timestamp != -1 && (timestamp < c.lowMs || timestamp > c.highMs) {
		c.name(KindTimestamp, fmt.Sprintf("timestamp %d is outside of [%d, %d]", timestamp, c.lowMs, c.highMs))
	} else if c.claimed {
		c.name(KindTimestamp, "the batch claims log append time, which only the leader sets")
	}
	c.seen++
	return nil
}

// name notes a bad record. One bad timestamp makes the whole batch answer
// INVALID_TIMESTAMP, as in Kafka.
func (c *check) name(kind Kind, reason string) {
	if c.kind != KindTimestamp {
		c.kind = kind
	}
	if len(c.named) < maxNamedRecords {
		c.named = append(c.named, RecordError{Index: c.seen, Reason: reason})
	}
}

// finish is called after the last record.
func (c *check) finish() error {
	if c.seen != c.count {
		return invalid("the batch holds %d records and its header counts %d", c.seen, c.count)
	}
	switch c.kind {
	case 0:
		return nil
	case KindTimestamp:
		return &Error{Kind: c.kind, Records: c.named, Reason: "records have timestamps that the topic does not accept" +
			" (message.timestamp.before.max.ms, message.timestamp.after.max.ms)"}
	default:
		return &Error{Kind: c.kind, Records: c.named, Reason: "records without a key cannot be stored in a compacted topic"}
	}
}
