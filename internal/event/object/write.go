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
// yet. ErrConflict says that it is at another, is another than
// that of v.ID, where that is said, or names a topic that is another object's by now. It
// answers when this node's mirror has it, with the object as it is
// then.
func (s *Store) Put(ctx context.Context, v Object) (Object, error) {
	return s.PutUnder(ctx, v, Object{})
}

// PutUnder is Put of what belongs to another object: ErrConflict says also that owner,
// the object of that ID, is not there any more, or is being deleted ("ending").
func (s *Store) PutUnder(ctx context.Context, v, owner Object) (Object, error) {
	if err := name.Check(v.Ref.Kind, v.Ref.Name); err != nil {
		return Object{}, err
	}
	return s.change(ctx, change{ref: v.Ref, of: v.ID, version: v.Version, spec: v.Spec, owner: owner})
}

// Delete deletes an object at a version; ErrNotFound when there is none.
func (s *Store) Delete(ctx context.Context, ref name.Ref, version int64) error {
	return s.DeleteOnce(ctx, ref, version, "")
}

// Remove is Delete of that very object, at its ID and version: not of another that has
// its name by now.
func (s *Store) Remove(ctx context.Context, o Object) error {
	_, err := s.change(ctx, change{ref: o.Ref, of: o.ID, version: o.Version})
	return err
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
	_, err := s.change(ctx, change{ref: ref, version: version, token: token})
	return err
}

// within bounds a change, and a look at what there is, where the caller has no nearer
// bound: while nobody leads the topic he has to hear of it.
const within = 30 * time.Second

// tries bounds how often a writer begins again that others kept out.
const tries = 20

// change is what is to be written: a spec, or for a nil one a tombstone, with the token
// of who asked for it.
type change struct {
	id      string // of the change itself
	ref     name.Ref
	of      string // the ID of the object; "" for any
	version int64  // that is changed
	spec    json.RawMessage
	token   string
	owner   Object // that must be there; the zero one for none
}

// change writes one.
func (s *Store) change(ctx context.Context, c change) (Object, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return Object{}, fmt.Errorf("change %s: %w", c.ref, ctx.Err())
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
	c.id = s.o.NewID()
	for try := 1; ; try++ {
		o, err := s.attempt(ctx, c)
		if err == nil || !keptOut(err) || try == tries {
			return o, err
		}
		select {
		case <-time.After(time.Duration(try) * time.Duration(5+rand.IntN(10)) * time.Millisecond):
		case <-ctx.Done():
			return Object{}, fmt.Errorf("change %s: %w", c.ref, err)
		}
	}
}

// attempt is one transaction. writing held. An object or a tombstone of this change is
// what an earlier attempt wrote whose end was not told.
func (s *Store) attempt(ctx context.Context, c change) (Object, error) {
	if err := s.begin(ctx); err != nil {
		return Object{}, err
	}
	if err := s.sync(ctx); err != nil {
		return Object{}, err
	}
	old, there := s.have(c.ref.Key())
	switch {
	case there && c.spec != nil && old.Version == c.version+1 && old.Change == c.id:
		return old, nil
	case c.spec == nil && s.removed(c.ref.Key(), c.id):
		return Object{}, nil
	}
	if err := s.check(c, old, there); err != nil {
		return Object{}, err
	}
	now := s.o.Now()
	r := &kgo.Record{Topic: Topic, Partition: 0, Key: []byte(c.ref.Key()), Timestamp: now}
	next := Object{Ref: c.ref}
	if c.spec != nil {
		next = Object{Ref: c.ref, ID: old.ID, Version: c.version + 1, Created: old.Created, Modified: now.UTC().Truncate(time.Millisecond), Spec: c.spec, Change: c.id}
		if !there {
			next.ID, next.Created = c.id, next.Modified
		}
		b, err := Marshal(next)
		if err != nil {
			return Object{}, fmt.Errorf("write %s: %w", c.ref, err)
		}
		r.Value = b
	} else {
		tombstone(r, c.id, c.token)
	}
	end, err := s.commit(ctx, r)
	if errors.Is(err, kerr.MessageTooLarge) {
		return Object{}, fmt.Errorf("%s, of %d bytes: %w", c.ref, len(r.Value), ErrTooLarge)
	}
	if err != nil {
		return Object{}, fmt.Errorf("write %s: %w", c.ref, err)
	}
	return next, s.reached(ctx, end)
}

// check tells whether a change may be made of what there is. Nobody else writes until
// this writer is kept out, and then nothing comes of what it writes.
func (s *Store) check(c change, old Object, there bool) error {
	switch {
	case !there && c.version != 0:
		return fmt.Errorf("%s: %w", c.ref, ErrNotFound)
	case there && c.of != "" && old.ID != c.of:
		return fmt.Errorf("%s is another by now: %w", c.ref, ErrConflict)
	case old.Version != c.version:
		return fmt.Errorf("%s is at version %d, not %d: %w", c.ref, old.Version, c.version, ErrConflict)
	case c.spec == nil:
		return nil
	}
	if c.owner.Ref != (name.Ref{}) {
		if o, there := s.have(c.owner.Ref.Key()); !there || o.ID != c.owner.ID || headOf(&o).Ending {
			return fmt.Errorf("%s is of %s, which is not there any more: %w", c.ref, c.owner.Ref, ErrConflict)
		}
	}
	topic := headOf(&Object{Ref: c.ref, Spec: c.spec}).holds()
	if topic == "" || there && headOf(&old).holds() == topic {
		return nil
	}
	if by, held := s.holder(topic, c.ref); held {
		return fmt.Errorf("%s cannot have the topic %s, which is that of %s: %w", c.ref, topic, by, ErrConflict)
	}
	return nil
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
