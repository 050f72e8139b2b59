package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

// given is a record that was acquired.
type given struct {
	name  name
	at    place
	count int16
}

// acquired gives the records of a partition's answer that were acquired.
func acquired(p *kmsg.ShareFetchResponseTopicPartition) ([]given, error) {
	var out []given
	for b := p.Records; len(b) > 0; {
		h, batch, rest, err := record.Next(b)
		if err != nil {
			return nil, fmt.Errorf("a batch of partition %d: %w", p.Partition, err)
		}
		if !record.VerifyCRC(batch) {
			return nil, fmt.Errorf("the batch at offset %d of partition %d does not match its checksum", h.BaseOffset, p.Partition)
		}
		var bad error
		err = record.Walk(batch, 0, func(r *record.Record) bool {
			offset := h.BaseOffset + int64(r.OffsetDelta)
			for _, a := range p.AcquiredRecords {
				if offset >= a.FirstOffset && offset <= a.LastOffset {
					n, err := nameOf(string(r.Value))
					bad = err
					out = append(out, given{n, place{p.Partition, offset}, a.DeliveryCount})
				}
			}
			return bad == nil
		})
		if err != nil || bad != nil {
			return nil, fmt.Errorf("the batch at offset %d of partition %d: %w", h.BaseOffset, p.Partition, err)
		}
		b = rest
	}
	want := int64(0)
	for _, a := range p.AcquiredRecords { // the topic has no holes
		want += a.LastOffset - a.FirstOffset + 1
	}
	if int64(len(out)) != want {
		return nil, fmt.Errorf("%d records of partition %d were acquired, and the bytes have %d of them", want, p.Partition, len(out))
	}
	return out, nil
}

// valueOf and nameOf write and read a record's value.
func valueOf(n name) []byte { return []byte(n.key + "#" + strconv.Itoa(n.seq)) }

func nameOf(value string) (name, error) {
	key, seq, ok := strings.Cut(value, "#")
	n, err := strconv.Atoi(seq)
	if !ok || err != nil {
		return name{}, fmt.Errorf("a record says %q", value)
	}
	return name{key, n}, nil
}
