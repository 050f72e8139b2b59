package tail

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Stream gives records as they come. One goroutine uses it; Close must follow.
type Stream struct {
	s       *Service
	c       *kgo.Client
	topic   string
	at      Cursor
	waiting []*kgo.Record
	closed  bool
}

// Stream begins to read from a place on.
func (s *Service) Stream(ctx context.Context, topic string, from From) (*Stream, error) {
	c, err := s.shared()
	if err != nil {
		return nil, err
	}
	begin, _, err := s.resolve(ctx, c, topic, from)
	if err != nil {
		return nil, err
	}
	return s.open(topic, begin)
}

// A stream's fetches: small, for what is fetched and not sent yet is in memory.
const (
	streamBytes     = 1 << 20
	partitionsBytes = 256 << 10
)

func (s *Service) open(topic string, at Cursor) (*Stream, error) {
	if s.streams.Add(1) > int64(s.o.MostStreams) {
		s.streams.Add(-1)
		return nil, fmt.Errorf("%w: %d", ErrBusy, s.o.MostStreams)
	}
	offsets := map[int32]kgo.Offset{}
	for p, n := range at {
		offsets[p] = kgo.NewOffset().At(n)
	}
	c, err := s.o.Client(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MaxConcurrentFetches(1), kgo.FetchMaxBytes(streamBytes), kgo.FetchMaxPartitionBytes(partitionsBytes),
	)
	if err != nil {
		s.streams.Add(-1)
		return nil, unavailable(topic, err)
	}
	return &Stream{s: s, c: c, topic: topic, at: maps.Clone(at)}, nil
}

// Close lets go of what the stream holds.
func (st *Stream) Close() {
	if !st.closed {
		st.closed = true
		st.c.Close()
		st.s.streams.Add(-1)
	}
}

// Cursor is where the stream goes on: behind what Next gave.
func (st *Stream) Cursor() Cursor { return maps.Clone(st.at) }

// At is Cursor, for who does not keep it.
func (st *Stream) At() Cursor { return st.at }

// Buffered is how many records Next gives without waiting.
func (st *Stream) Buffered() int { return len(st.waiting) }

// Next waits for the next record. It gives nil and no error when ctx ends.
func (st *Stream) Next(ctx context.Context) (*kgo.Record, error) {
	for len(st.waiting) == 0 {
		got := st.c.PollRecords(ctx, MostRecords)
		st.waiting = got.Records()
		if len(st.waiting) > 0 {
			break
		}
		if ctx.Err() != nil {
			return nil, nil
		}
		if err := got.Err(); err != nil && !errors.Is(err, context.Canceled) {
			return nil, writeError(st.topic, err)
		}
	}
	r := st.waiting[0]
	st.waiting[0] = nil
	st.waiting = st.waiting[1:]
	st.at[r.Partition] = r.Offset + 1
	return r, nil
}
