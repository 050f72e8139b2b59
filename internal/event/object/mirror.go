package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
	"ottla/internal/event/name"
)

// errClosed is what those hear who wait when the store is closed.
var errClosed = errors.New("the node stops")

// errEarly is what those hear who ask a node that does not serve yet.
var errEarly = errors.New("the node does not serve yet")

// errDoubt is what those hear who ask a node that is cut off for all that it knows: the
// others may have made and deleted what it does not hear of.
var errDoubt = errors.New("this node has not heard from the others for so long that they may have gone on without it: ask another one")

// start begins to mirror, if the topic is there; false when there is none.
func (s *Store) start() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false, errClosed
	case s.log != nil:
		return true, nil
	case s.o.Serves != nil && !s.o.Serves():
		return false, errEarly
	case !s.made && !s.o.Exists():
		return false, nil
	}
	log, err := follow.Open(follow.Options{Client: s.o.Client, Topic: Topic, Wait: idleFetch})
	if err != nil {
		return false, fmt.Errorf("mirror %s: %w", Topic, err)
	}
	s.log = log
	s.working.Go(func() { s.mirror(log) })
	return true, nil
}

const (
	// idleFetch is how long a fetch of the mirror waits that brings nothing.
	idleFetch = 5 * time.Second
	// doubtFor is how long those wait who ask a node that may be cut off, and doubtPause
	// how long until it is looked again.
	doubtFor   = 5 * time.Second
	doubtPause = 50 * time.Millisecond
	// errorPause is how long the mirror rests after an error, which was waited for
	// before it was told of.
	errorPause = 100 * time.Millisecond
)

// mirror applies the log until the store is closed.
func (s *Store) mirror(log *follow.Partition) {
	for {
		got, err := log.Next(s.ctx)
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			s.o.Logger.Warn("objects are not followed at the moment; it is tried again", "topic", Topic, "err", err)
			select {
			case <-s.ctx.Done():
			case <-time.After(errorPause):
			}
		}
		s.take(got, log.At())
	}
}

// take applies what was read up to an offset.
func (s *Store) take(got []*kgo.Record, end int64) {
	s.telling.Lock()
	defer s.telling.Unlock()
	for _, r := range got {
		c, ok := s.read(r)
		if !ok {
			continue
		}
		for _, w := range s.apply(r, c) {
			w.tell(c)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == end {
		return
	}
	s.at = end
	close(s.moved)
	s.moved = make(chan struct{})
}

// read makes a change of a record; what cannot be read is told of and passed
// over.
func (s *Store) read(r *kgo.Record) (News, bool) {
	ref, err := name.ParseKey(string(r.Key))
	if err == nil && r.Value == nil {
		s.forget(r)
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

// forget remembers a deletion, also of what this mirror never saw.
func (s *Store) forget(tombstone *kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone.add(removalOf(tombstone))
}

// apply takes a change over and tells who is to hear of it.
func (s *Store) apply(r *kgo.Record, c News) []*watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(r.Key)
	old, had := s.objects[key]
	var is head
	if c.Deleted {
		delete(s.objects, key)
	} else {
		s.objects[key] = c.Object
		is = headOf(&c.Object)
	}
	s.hold(key, headOf(&old), is)
	if had == c.Deleted {
		s.keys = nil
	}
	return s.watching(key)
}

// sync returns when the mirror has everything that was written before. A node that leads
// the topic for all that it knows reads to an end that may be of long ago: what it has
// counts only while nobody can have taken its place.
func (s *Store) sync(ctx context.Context) error {
	for begun := time.Now(); ; {
		err := s.toEnd(ctx)
		switch {
		case err != nil, s.o.Trusted == nil, s.o.Trusted():
			return err
		case time.Since(begun) > doubtFor:
			return errDoubt
		}
		select {
		case <-time.After(doubtPause):
		case <-s.ctx.Done():
			return errClosed
		case <-ctx.Done():
			return errDoubt
		}
	}
}

// toEnd returns when the mirror is where its topic ends for all that is known here.
func (s *Store) toEnd(ctx context.Context) error {
	there, err := s.start()
	if err != nil || !there {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s.mu.Lock()
	log := s.log
	s.mu.Unlock()
	end, err := log.End(ctx)
	if err != nil {
		return fmt.Errorf("read %s to its end: %w", Topic, err)
	}
	return s.reached(ctx, end)
}

// reached returns when the mirror has everything below an offset.
func (s *Store) reached(ctx context.Context, end int64) error {
	for {
		s.mu.Lock()
		at, moved, closed := s.at, s.moved, s.closed
		s.caught = s.caught || at >= end
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
