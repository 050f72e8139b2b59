package lookback

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/follow"
	stored "ottla/internal/event/place"
)

// window says which events of a topic are looked at: the last ones of each partition,
// none of which was put before SinceMs.
type window struct {
	last    int
	sinceMs int64
}

// place is where an event lies.
type place struct {
	topic     string
	partition int32
	offset    int64
	putMs     int64
}

// scan gives the events of a window in the order of each partition. An event belongs to
// each.
func (s *Service) scan(ctx context.Context, topic string, w window, each func(at place, e *envelope.Event)) error {
	return s.records(ctx, topic, w, func(at place, r *kgo.Record) { each(at, stored.Event(r)) })
}

// records is scan of records as they lie there.
func (s *Service) records(ctx context.Context, topic string, w window, each func(at place, r *kgo.Record)) error {
	partitions := s.o.Partitions(topic)
	if topic == "" || partitions == 0 {
		return nil // a bus that was not used yet
	}
	c, err := s.o.Client(kgo.MetadataMinAge(10 * time.Millisecond))
	if err != nil {
		return unavailable("read "+topic, err)
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	starts, err := admin.ListOffsetsAfterMilli(ctx, max(w.sinceMs, 0), topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return unavailable("find the events of "+topic, err)
	}
	for p := range int32(partitions) {
		start, _ := starts.Lookup(topic, p)
		log, err := follow.Open(follow.Options{Client: s.o.Client, Shared: c, Topic: topic, Partition: p, From: start.Offset})
		if err == nil {
			err = readOn(ctx, log, place{topic: topic, partition: p}, w.last, each)
			log.Close()
		}
		if err != nil {
			return unavailable(fmt.Sprintf("read %s-%d", topic, p), err)
		}
	}
	return nil
}

// readOn reads a partition up to its end as it is now, the last events of it alone.
func readOn(ctx context.Context, log *follow.Partition, at place, last int, each func(at place, r *kgo.Record)) error {
	end, err := log.End(ctx)
	if err != nil {
		return err
	}
	log.GoTo(max(log.At(), end-int64(last)))
	for log.At() < end {
		got, err := log.Next(ctx)
		if err != nil {
			return err
		}
		for _, r := range got {
			if r.Offset >= end {
				return nil
			}
			at.offset, at.putMs = r.Offset, r.Timestamp.UnixMilli()
			each(at, r)
		}
	}
	return nil
}
