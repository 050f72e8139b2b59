package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/gateway/rest"
	"ottla/internal/kafka/queues"
	"ottla/internal/uuid"
	"ottla/test/realfault"
)

// restTime bounds how long the queues may take to come to rest.
const restTime = 3 * time.Minute

// rest waits until nothing is left in a queue and its dead letters, and all that
// senders were told of has come.
func (s *scene) rest(ctx context.Context, l *ledger) error {
	began := time.Now()
	for quiet := 0; ; {
		left, err := s.left(ctx, l)
		if quiet++; err != nil || left != "" {
			quiet = 0
		}
		if quiet == 3 {
			return nil
		}
		if time.Since(began) > restTime {
			return fmt.Errorf("%s is not at rest after %v: %w", l.queue, restTime, errors.Join(err, errors.New(left)))
		}
		if err := realfault.Pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
}

// left tells what there is left of a queue.
func (s *scene) left(ctx context.Context, l *ledger) (string, error) {
	if n := l.unseen(); n > 0 {
		return fmt.Sprintf("%d messages that were sent have come to nobody", n), nil
	}
	for _, queue := range []string{l.queue, deadOf(l.queue)} {
		var q rest.Queue
		if err := s.d.ask(ctx, http.MethodGet, "/q/"+queue, nil, &q); err != nil {
			return "", err
		}
		if c := q.Counts; c.Waiting+c.InFlight+c.Delayed > 0 {
			return fmt.Sprintf("%s has %+v", queue, *c), nil
		}
	}
	under, failed, err := moving(ctx, s.d, deadOf(l.queue))
	switch {
	case err != nil:
		return "", err
	case len(failed) > 0:
		return "", fmt.Errorf("a move out of %s failed: %v", deadOf(l.queue), failed)
	case under > 0:
		return "a move is under way", nil
	}
	return "", nil
}

// readLog reads the messages in a queue's topic, all that are committed.
func readLog(ctx context.Context, addrs []string, topic string, id uuid.UUID) ([]stored, error) {
	cl, err := clientOf(addrs, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err := errors.Join(err, ends.Error()); err != nil {
		return nil, fmt.Errorf("look where %s ends: %w", topic, err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var out []stored
	var bad error
	for len(left) > 0 && bad == nil {
		f := cl.PollFetches(ctx)
		if err := f.Err0(); err != nil {
			return nil, fmt.Errorf("read %s, of which partitions %v are left: %w", topic, left, err)
		}
		f.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			s, err := storedOf(r, id)
			bad = errors.Join(bad, err)
			out = append(out, s)
		})
	}
	return out, bad
}

// storedOf is a record as a message.
func storedOf(r *kgo.Record, topic uuid.UUID) (stored, error) {
	s := stored{id: queues.MessageID(topic, r.Partition, r.Offset), partition: r.Partition}
	for _, h := range r.Headers {
		switch h.Key {
		case queues.HeaderID:
			s.id = string(h.Value)
		case queues.HeaderDedup:
			s.dedup = string(h.Value)
		}
	}
	var err error
	s.name, err = nameOf(string(r.Value))
	return s, err
}
