package queue

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/share"
)

// written are messages of one Send to a FIFO queue that are in the log, by
// partition.
type written struct {
	of     map[int32][]lead.Written
	places map[int32][]int // in what Send answers
}

// note notes one of them.
func (w *written) note(q *opened, place int, r *kgo.Record) {
	if w.of == nil {
		w.of, w.places = map[int32][]lead.Written{}, map[int32][]int{}
	}
	var scope []byte
	if q.DedupScope == ScopeGroup {
		scope = r.Key
	}
	w.of[r.Partition] = append(w.of[r.Partition], lead.Written{
		Offset: r.Offset, AtMs: r.Timestamp.UnixMilli(), ID: share.DedupOf(scope, dedupOf(r)),
	})
	w.places[r.Partition] = append(w.places[r.Partition], place)
}

// dedupOf is a record's deduplication id.
func dedupOf(r *kgo.Record) []byte {
	for i := range r.Headers {
		if r.Headers[i].Key == queues.HeaderDedup {
			return r.Headers[i].Value
		}
	}
	return nil
}

// nameRepeats gives messages that repeat others, and are dropped therefore, the id
// and the sequence number of what they repeat. That they are sent is certain
// before: what cannot be told leaves them their own.
func (s *Service) nameRepeats(ctx context.Context, q *opened, w *written, out []Sent) {
	for partition, of := range w.of {
		firsts, err := s.o.Leases.Firsts(ctx, q.part(int(partition)), of)
		if err != nil {
			s.o.Logger.Debug("whether messages repeat others is not told", "queue", q.Name, "partition", partition, "err", err)
			continue
		}
		for k, f := range firsts {
			if f.Offset == of[k].Offset {
				continue
			}
			x := &out[w.places[partition][k]]
			if x.ID, x.Sequence = f.Name, sequence(f.Offset); x.ID == "" {
				x.ID = queues.MessageID(q.topic.ID, partition, f.Offset)
			}
		}
	}
}
