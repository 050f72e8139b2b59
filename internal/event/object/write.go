package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/name"
)

// txnID is the transactional id that all writers share, so that one keeps the
// others out.
const txnID = "ottla-objects"

// Put writes an object whose version is v.Version: 0 for one that is not there
// yet. ErrConflict says that it is at another. It answers when this node's
// mirror has it, with the object as it is then.
func (s *Store) Put(ctx context.Context, v Object) (Object, error) {
	if err := name.Check(v.Ref.Kind, v.Ref.Name); err != nil {
		return Object{}, err
	}
	return s.change(ctx, v.Ref, v.Version, v.Spec, "")
}

// Delete deletes an object at a version; ErrNotFound when there is none.
func (s *Store) Delete(ctx context.Context, ref name.Ref, version int64) error {
	return s.DeleteOnce(ctx, ref, version, "")
}

// DeleteOnce is Delete for a request that its token names; DeletedBy knows it
// for an hour then, however the name is used meanwhile.
func (s *Store) DeleteOnce(ctx context.Context, ref name.Ref, version int64, token string) error {
	switch {
	case version <= 0:
		return fmt.Errorf("delete %s: version %d is no version of an object", ref, version)
	case len(token) > mostToken:
		return fmt.Errorf("delete %s: the token has %d bytes; %d are possible", ref, len(token), mostToken)
	}
	_, err := s.change(ctx, ref, version, nil, token)
	return err
}

// within bounds a change, and a look at what there is, where the caller has no nearer
// bound: while nobody leads the topic he has to hear of it.
const within = 30 * time.Second

// tries bounds how often a writer begins again that others kept out.
const tries = 20

// change writes a spec, or for a nil one a tombstone, with the token of who asked
// for it.
func (s *Store) change(ctx context.Context, ref name.Ref, version int64, spec json.RawMessage, token string) (Object, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return Object{}, fmt.Errorf("change %s: %w", ref, ctx.Err())
	case <-s.ctx.Done():
		return Object{}, errClosed
	}
	if !s.o.Exists() {
		if err := s.o.Create(ctx); err != nil {
			return Object{}, fmt.Errorf("make the topic %s: %w", Topic, err)
		}
		s.mu.Lock()
		s.made = true
		s.mu.Unlock()
	}
	id := s.o.NewID()
	for try := 1; ; try++ {
		o, err := s.attempt(ctx, ref, version, spec, id, token)
		if err == nil || !keptOut(err) || try == tries {
			return o, err
		}
		select {
		case <-time.After(time.Duration(try) * time.Duration(5+rand.IntN(10)) * time.Millisecond):
		case <-ctx.Done():
			return Object{}, fmt.Errorf("change %s: %w", ref, err)
		}
	}
}

// attempt is one transaction. writing held. An object or a tombstone of this id is
// what an earlier attempt wrote whose end was not told.
func (s *Store) attempt(ctx context.Context, ref name.Ref, version int64, spec json.RawMessage, id, token string) (Object, error) {
	if err := s.begin(ctx); err != nil {
		return Object{}, err
	}
	if err := s.sync(ctx); err != nil {
		return Object{}, err
	}
	old, there := s.have(ref.Key())
	switch {
	case there && spec != nil && old.Version == version+1 && old.Change == id:
		return old, nil
	case spec == nil && s.removed(ref.Key(), id):
		return Object{}, nil
	case !there && version != 0:
		return Object{}, fmt.Errorf("%s: %w", ref, ErrNotFound)
	case old.Version != version:
		return Object{}, fmt.Errorf("%s is at version %d, not %d: %w", ref, old.Version, version, ErrConflict)
	}
	now := s.o.Now()
	r := &kgo.Record{Topic: Topic, Partition: 0, Key: []byte(ref.Key()), Timestamp: now}
	next := Object{Ref: ref}
	if spec != nil {
		next = Object{Ref: ref, ID: old.ID, Version: version + 1, Created: old.Created, Modified: now.UTC().Truncate(time.Millisecond), Spec: spec, Change: id}
		if !there {
			next.ID, next.Created = id, next.Modified
		}
		b, err := Marshal(next)
		if err != nil {
			return Object{}, fmt.Errorf("write %s: %w", ref, err)
		}
		r.Value = b
	} else {
		tombstone(r, id, token)
	}
	end, err := s.commit(ctx, r)
	if errors.Is(err, kerr.MessageTooLarge) {
		return Object{}, fmt.Errorf("%s, of %d bytes: %w", ref, len(r.Value), ErrTooLarge)
	}
	if err != nil {
		return Object{}, fmt.Errorf("write %s: %w", ref, err)
	}
	return next, s.reached(ctx, end)
}

// begin makes sure that this writer is the only one.
func (s *Store) begin(ctx context.Context) error {
	if s.writer != nil {
		return nil
	}
	c, err := s.o.Client(kgo.TransactionalID(txnID), kgo.TransactionTimeout(10*time.Second),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(Topic), kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(MostBytes))
	if err != nil {
		return fmt.Errorf("write to %s: %w", Topic, err)
	}
	if _, _, err := c.ProducerID(ctx); err != nil { // keeps the others out
		c.Close()
		return fmt.Errorf("begin to write to %s: %w", Topic, err)
	}
	s.writer = c
	return nil
}

// commit writes one record in a transaction and tells where the log is read to
// when the mirror has it. After an error the next attempt begins with another
// client.
func (s *Store) commit(ctx context.Context, r *kgo.Record) (end int64, err error) {
	c := s.writer
	defer func() {
		if err != nil {
			s.writer = nil
			c.Close()
		}
	}()
	if err := c.BeginTransaction(); err != nil {
		return 0, err
	}
	if err := c.ProduceSync(ctx, r).FirstErr(); err != nil {
		return 0, err // whoever begins next aborts it
	}
	if err := commit.Commit(ctx, c, r); err != nil {
		return 0, err
	}
	return r.Offset + 1, nil
}

// keptOut tells whether another writer came in between, or the outcome is not
// known: it is looked at, and tried again.
func keptOut(err error) bool {
	for _, k := range []error{
		kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidProducerIDMapping, kerr.InvalidTxnState, kerr.ConcurrentTransactions,
		kerr.TransactionAbortable, kerr.UnknownProducerID, kerr.OutOfOrderSequenceNumber, kerr.NotCoordinator, kerr.CoordinatorNotAvailable,
		kerr.CoordinatorLoadInProgress,
	} {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}
