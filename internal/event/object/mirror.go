package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
)

// errClosed is what those hear who wait when the store is closed.
var errClosed = errors.New("the node stops")

// errEarly is what those hear who ask a node that does not serve yet.
var errEarly = errors.New("the node does not serve yet")

// start begins to mirror, if the topic is there; false when there is none.
func (s *Store) start() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false, errClosed
	case s.client != nil:
		return true, nil
	case s.o.Serves != nil && !s.o.Serves():
		return false, errEarly
	case !s.made && !s.o.Exists():
		return false, nil
	}
	c, err := s.o.Client(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{Topic: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
	)
	if err != nil {
		return false, fmt.Errorf("mirror %s: %w", Topic, err)
	}
	s.client = c
	s.working.Go(func() { s.mirror(c) })
	return true, nil
}

// errorPause is how long the mirror rests after an error of the client, which
// has waited itself before it told of one.
const errorPause = 100 * time.Millisecond

// mirror applies the log until the store is closed.
func (s *Store) mirror(c *kgo.Client) {
	for {
		got := c.PollFetches(s.ctx)
		if s.ctx.Err() != nil || got.IsClientClosed() {
			return
		}
		got.EachError(func(_ string, _ int32, err error) {
			s.o.Logger.Warn("objects are not followed at the moment; it is tried again", "topic", Topic, "err", err)
		})
		if got.Empty() && got.Err() != nil {
			select {
			case <-s.ctx.Done():
			case <-time.After(errorPause):
			}
		}
		s.take(got)
	}
}

// take applies what was fetched.
func (s *Store) take(got kgo.Fetches) {
	s.telling.Lock()
	defer s.telling.Unlock()
	end := int64(-1)
	got.EachRecord(func(r *kgo.Record) {
		end = r.Offset + 1
		if r.Attrs.IsControl() {
			return
		}
		c, ok := s.read(r)
		if !ok {
			return
		}
		for _, w := range s.apply(r, c) {
			w.tell(c)
		}
	})
	if end < 0 {
		return
	}
	s.mu.Lock()
	s.at = end
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
}

// read makes a change of a record; what cannot be read is told of and passed
// over.
func (s *Store) read(r *kgo.Record) (News, bool) {
	ref, err := name.ParseKey(string(r.Key))
	if err == nil && r.Value == nil {
		old, ok := s.have(string(r.Key))
		return News{Object: old, Deleted: true}, ok
	}
	var o Object
	if err == nil {
		err = json.Unmarshal(r.Value, &o)
	}
	if err != nil {
		s.o.Logger.Warn("a record is no object and is passed over", "topic", Topic, "offset", r.Offset, "err", err)
		return News{}, false
	}
	o.Ref = ref
	return News{Object: o}, true
}

// apply takes a change over and tells who is to hear of it.
func (s *Store) apply(r *kgo.Record, c News) []*watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(r.Key)
	_, had := s.objects[key]
	if c.Deleted {
		delete(s.objects, key)
	} else {
		s.objects[key] = c.Object
	}
	if had == c.Deleted {
		s.keys = nil
	}
	return s.watching(key)
}

// sync returns when the mirror has everything that was written before.
func (s *Store) sync(ctx context.Context) error {
	there, err := s.start()
	if err != nil || !there {
		return err
	}
	s.mu.Lock()
	c := s.client
	s.mu.Unlock()
	ends, err := kadm.NewClient(c).ListCommittedOffsets(ctx, Topic)
	if err == nil {
		err = ends.Error()
	}
	end, ok := ends.Lookup(Topic, 0)
	if err == nil && !ok {
		err = errors.New("nobody tells where it ends")
	}
	if err != nil {
		return fmt.Errorf("read %s to its end: %w", Topic, err)
	}
	return s.reached(ctx, end.Offset)
}

// reached returns when the mirror has everything below an offset.
func (s *Store) reached(ctx context.Context, end int64) error {
	for {
		s.mu.Lock()
		at, moved, closed := s.at, s.moved, s.closed
		s.mu.Unlock()
		switch {
		case at >= end:
			return nil
		case closed:
			return errClosed
		}
		select {
		case <-moved:
		case <-s.ctx.Done():
			return errClosed
		case <-ctx.Done():
			return fmt.Errorf("wait for objects up to offset %d of %s, at %d now: %w", end, Topic, at, ctx.Err())
		}
	}
}
