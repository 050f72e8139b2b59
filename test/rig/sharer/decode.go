package sharer

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

// Place is where a record lies.
type Place struct {
	Partition int32
	Offset    int64
}

// Record is a record that was acquired.
type Record struct {
	Place
	Count   int16 // deliveries, this one included
	Key     []byte
	Value   []byte
	Headers []record.RecordHeader
}

// Header is the value of a record's header, nil without one.
func (r *Record) Header(key string) []byte {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value
		}
	}
	return nil
}

// acquired gives the records of a partition's answer that were acquired. Every
// acquired offset must have one: what is asked for here has no holes.
func acquired(p *kmsg.ShareFetchResponseTopicPartition) ([]Record, error) {
	var out []Record
	for b := p.Records; len(b) > 0; {
		h, batch, rest, err := record.Next(b)
		if err != nil {
			return nil, fmt.Errorf("a batch of partition %d: %w", p.Partition, err)
		}
		if b = rest; h.Control() {
			continue
		}
		if !record.VerifyCRC(batch) {
			return nil, fmt.Errorf("the batch at offset %d of partition %d does not match its checksum", h.BaseOffset, p.Partition)
		}
		err = record.Walk(batch, 0, func(r *record.Record) bool {
			offset := h.BaseOffset + int64(r.OffsetDelta)
			for _, a := range p.AcquiredRecords {
				if offset >= a.FirstOffset && offset <= a.LastOffset {
					out = append(out, copied(r, Place{p.Partition, offset}, a.DeliveryCount))
				}
			}
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("the batch at offset %d of partition %d: %w", h.BaseOffset, p.Partition, err)
		}
	}
	want := int64(0)
	for _, a := range p.AcquiredRecords {
		want += a.LastOffset - a.FirstOffset + 1
	}
	if int64(len(out)) != want {
		return nil, fmt.Errorf("%d records of partition %d were acquired, and the bytes have %d of them", want, p.Partition, len(out))
	}
	return out, nil
}

// copied is a record that outlives its batch.
func copied(r *record.Record, at Place, count int16) Record {
	out := Record{Place: at, Count: count, Key: slices.Clone(r.Key), Value: slices.Clone(r.Value)}
	for i := range r.Headers {
		out.Headers = append(out.Headers, record.RecordHeader{Key: r.Headers[i].Key, Value: slices.Clone(r.Headers[i].Value)})
	}
	return out
}
