package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ottla/internal/event/object"
	"ottla/internal/uuid"
)

// Create makes a queue; created is false when there is one already that is the
// same. ErrExists (an *ExistsError) when there is one that is not. Numbers of
// the Spec that are 0 are 0: see DefaultSpec.
func (s *Service) Create(ctx context.Context, ref Ref, spec Spec) (q Queue, created bool, err error) {
	ref = RefOf(ref.Full())
	asked := spec.Topic != ""
	spec.Fill(ref)
	for try := 1; ; try++ {
		q, created, err := s.create(ctx, ref, spec, asked)
		if !errors.Is(err, object.ErrConflict) || try == updates { // else somebody makes it at the same moment
			return q, created, err
		}
		sleep(ctx, time.Duration(try)*pause)
	}
}

// create notes what the queue will be, makes what it needs, and notes that it is
// there. Who was killed in between has not left a queue, but whose the topic is: who
// makes the queue then knows it for his own. What was left of a queue that was
// deleted goes before.
func (s *Service) create(ctx context.Context, ref Ref, spec Spec, asked bool) (Queue, bool, error) {
	old, err := s.current(ctx, ref)
	switch {
	case err == nil && old.ending:
		if err := s.end(ctx, &old); err != nil {
			return Queue{}, false, err
		}
		old = Queue{Ref: ref}
	case err == nil && !old.making:
		return s.again(old, spec)
	case err != nil && !errors.Is(err, ErrNotFound):
		return Queue{}, false, err
	}
	if old.making && !old.Adopted && !asked { // its topic may be there
		if spec.Group == "queue."+spec.Topic {
			spec.Group = "queue." + old.Topic
		}
		spec.Topic = old.Topic
	}
	if err := s.place(ctx, ref, &spec, asked); err != nil {
		return Queue{}, false, err
	}
	left := old.making && !old.Adopted && old.Topic == spec.Topic
	spec.Adopted = spec.Adopted && !left
	if err := spec.check(ref); err != nil {
		return Queue{}, false, err
	}
	if err := s.checkDeadLetter(ctx, ref, &spec); err != nil {
		return Queue{}, false, err
	}
	old.Ref = ref
	q, err := s.put(ctx, &old, noteOf{Spec: spec, Making: true})
	if err != nil {
		return Queue{}, false, err
	}
	if err := s.alone(ctx, ref, &spec); err != nil {
		return Queue{}, false, errors.Join(err, s.o.Objects.Remove(ctx, q.object()))
	}
	made := noteOf{Spec: spec}
	if err := s.build(ctx, &made, left); err != nil {
		return Queue{}, false, err
	}
	q, err = s.put(ctx, &q, made)
	if errors.Is(err, ErrNotFound) && made.TopicID != "" {
		err = errors.Join(err, s.unmake(ctx, ref, made))
	}
	return q, err == nil, err
}

// unmake ends a queue that was deleted while it was made, before there was the topic that
// it has now. It is noted once more, as one that ends: meanwhile nobody adopts the topic.
func (s *Service) unmake(ctx context.Context, ref Ref, n noteOf) error {
	n.Ending = true
	q, err := s.put(ctx, &Queue{Ref: ref}, n)
	if errors.Is(err, object.ErrConflict) { // somebody makes it anew, and has adopted the topic
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, &q)
}

// again answers who makes a queue that is there.
func (s *Service) again(old Queue, spec Spec) (Queue, bool, error) {
	spec.Adopted, spec.Partitions = old.Adopted, old.Partitions
	if spec.Topic == old.Ref.Full().TopicName() { // it was not asked for
		spec.Topic, spec.Group = old.Topic, old.Group
	}
	if attribute := spec.differs(&old.Spec); attribute != "" {
		return Queue{}, false, fmt.Errorf("%s: %w", old.Full(), &ExistsError{attribute})
	}
	return old, false, nil
}

// checkDeadLetter checks what a Spec says of another queue.
func (s *Service) checkDeadLetter(ctx context.Context, ref Ref, spec *Spec) error {
	d := spec.DeadLetter
	if d == nil {
		return nil
	}
	d.Queue = RefOf(d.Queue.Full())
	if d.Queue == ref {
		return invalidf("the queue %s cannot be its own dead-letter queue", ref.Name)
	}
	to, err := s.Get(ctx, d.Queue)
	switch {
	case errors.Is(err, ErrNotFound):
		return invalidf("the dead-letter queue %s does not exist", d.Queue.Name)
	case err != nil:
		return err
	case to.FIFO != spec.FIFO:
		return invalidf("the dead-letter queue of a FIFO queue is a FIFO queue, that of another is none: %s", to.Name)
	case d.Queue.Account != ref.Account || d.Queue.Region != ref.Region:
		return invalidf("the dead-letter queue %s is of another account or region", d.Queue.Full())
	}
	if a := to.RedriveAllow; a != nil && (a.Permission == DenyAll || a.Permission == ByQueue && !slices.Contains(a.Sources, ref)) {
		return invalidf("the queue %s does not let %s name it as its dead-letter queue", to.Name, ref.Name)
	}
	return nil
}

// noteOf is what the object of a queue says.
type noteOf struct {
	Spec
	Making bool `json:"making,omitempty"` // it is no queue yet
	Ending bool `json:"ending,omitempty"` // it is no queue any more
	// TopicID is that of a topic that was made for the queue.
	TopicID string `json:"topic_id,omitempty"`
	// Metadata are those that have the topic: an offset of the cluster's metadata.
	Metadata int64 `json:"metadata,omitempty"`
}

// note is what the object of a queue says, otherwise perhaps in its Spec.
func (q *Queue) note(spec Spec) noteOf {
	return noteOf{Spec: spec, Making: q.making, Ending: q.ending, TopicID: idText(q.topicID), Metadata: q.metadata}
}

// idText is a topic's id as a note has it, "" for none.
func idText(id uuid.UUID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// object is that of a queue, without what it says.
func (q *Queue) object() object.Object {
	return object.Object{Ref: q.Full(), ID: q.ID, Version: q.Version}
}

// put writes the object of a queue, which is was until then.
func (s *Service) put(ctx context.Context, was *Queue, n noteOf) (Queue, error) {
	o := was.object()
	var err error
	if o.Spec, err = json.Marshal(n); err != nil {
		return Queue{}, fmt.Errorf("write %s: %w", o.Ref, err)
	}
	o, err = s.o.Objects.Put(ctx, o)
	if err != nil {
		return Queue{}, objectError(err)
	}
	return queueOf(&o)
}

// objectError sorts an error of the store.
func objectError(err error) error {
	switch {
	case errors.Is(err, object.ErrConflict):
		return err
	case errors.Is(err, object.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func queueOf(o *object.Object) (Queue, error) {
	q := Queue{Ref: RefOf(o.Ref), ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	var n noteOf
	if err := json.Unmarshal(o.Spec, &n); err != nil {
		return Queue{}, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	q.Spec, q.making, q.ending, q.metadata = n.Spec, n.Making, n.Ending, n.Metadata
	if n.TopicID != "" {
		var err error
		if q.topicID, err = uuid.Parse(n.TopicID); err != nil {
			return Queue{}, fmt.Errorf("read what %s is: its topic's id: %w", o.Ref, err)
		}
	}
	return q, nil
}

// Get finds a queue. What it gives is not to be changed.
func (s *Service) Get(ctx context.Context, ref Ref) (Queue, error) {
	o, err := s.o.Objects.Get(ctx, ref.Full())
	if err != nil {
		return Queue{}, objectError(err)
	}
	q, err := s.known.queue(&o)
	if err == nil && !q.there() { // or it was so a moment ago: another node may have told that it is made
		q, err = s.current(ctx, ref)
	}
	if err == nil && !q.there() {
		what := "made"
		if q.ending {
			what = "deleted"
		}
		return Queue{}, fmt.Errorf("%w: %s is being %s", ErrNotFound, ref.Full(), what)
	}
	return q, err
}

// there tells whether it is a queue.
func (q *Queue) there() bool { return !q.making && !q.ending }

// current finds what was written of a queue anywhere before, also while it is being
// made or deleted.
func (s *Service) current(ctx context.Context, ref Ref) (Queue, error) {
	o, err := s.o.Objects.Current(ctx, ref.Full())
	if err != nil {
		return Queue{}, objectError(err)
	}
	return s.known.queue(&o)
}

// List implements API.
func (s *Service) List(ctx context.Context, prefix Ref, after string, most int) (out []Queue, next string, err error) {
	all, next, err := s.o.Objects.List(ctx, prefix.Full(), after, most)
	if err != nil {
		return nil, "", objectError(err)
	}
	for i := range all {
		q, err := queueOf(&all[i])
		if err != nil {
			return nil, "", err
		}
		if q.there() {
			out = append(out, q)
		}
	}
	return out, next, nil
}

// SourcesOf implements API.
func (s *Service) SourcesOf(ctx context.Context, ref Ref, after string, most int) (out []Queue, next string, err error) {
	ref = RefOf(ref.Full())
	if _, err := s.Get(ctx, ref); err != nil {
		return nil, "", err
	}
	all, _, err := s.List(ctx, Ref{Account: ref.Account, Region: ref.Region}, after, 1<<30)
	for _, q := range all {
		if q.DeadLetter == nil || q.DeadLetter.Queue != ref {
			continue
		}
		if len(out) == most {
			return out, out[most-1].Name, err
		}
		out = append(out, q)
	}
	return out, "", err
}

// updates bounds how often a change begins again after another's.
const updates = 10

// Update changes what a queue is; change is called with its Spec, perhaps more
// than once. What a queue is made of, and whether it is FIFO, does not change.
func (s *Service) Update(ctx context.Context, ref Ref, change func(*Spec) error) (Queue, error) {
	for try := 1; ; try++ {
		q, err := s.update(ctx, ref, change)
		if !errors.Is(err, object.ErrConflict) || try == updates {
			return q, err
		}
	}
}

func (s *Service) update(ctx context.Context, ref Ref, change func(*Spec) error) (Queue, error) {
	old, err := s.Get(ctx, ref)
	if err != nil {
		return Queue{}, err
	}
	spec := old.clone()
	if err := change(&spec); err != nil {
		return Queue{}, err
	}
	spec.Fill(old.Ref)
	if spec.Topic != old.Topic || spec.Group != old.Group || spec.FIFO != old.FIFO {
		return Queue{}, invalidf("the topic and the group of a queue, and whether it is FIFO, do not change")
	}
	spec.Adopted, spec.Partitions = old.Adopted, old.Partitions
	if err := spec.check(old.Ref); err != nil {
		return Queue{}, err
	}
	if !equal(spec.DeadLetter, old.DeadLetter) {
		if err := s.checkDeadLetter(ctx, old.Ref, &spec); err != nil {
			return Queue{}, err
		}
	}
	if err := s.rebuild(ctx, &old.Spec, &spec); err != nil {
		return Queue{}, err
	}
	return s.put(ctx, &old, old.note(spec))
}

// clone copies a Spec so that a change of one is none of the other.
func (q *Queue) clone() Spec {
	s := q.Spec
	s.Tags, s.Extra = maps.Clone(s.Tags), maps.Clone(s.Extra)
	if s.DeadLetter != nil {
		d := *s.DeadLetter
		s.DeadLetter = &d
	}
	if s.RedriveAllow != nil {
		r := *s.RedriveAllow
		r.Sources = slices.Clone(r.Sources)
		s.RedriveAllow = &r
	}
	if s.Backoff != nil {
		b := *s.Backoff
		s.Backoff = &b
	}
	return s
}

// Delete deletes a queue, with its topic unless that was adopted; also what is left
// of one that was not made, or not deleted, to its end. One that another has made
// anew meanwhile stays.
func (s *Service) Delete(ctx context.Context, ref Ref) error {
	ref = RefOf(ref.Full())
	id := "" // of the queue that is deleted
	for try := 1; ; try++ {
		q, err := s.current(ctx, ref)
		switch gone := errors.Is(err, ErrNotFound) || err == nil && q.ID != id; {
		case id != "" && gone: // somebody else has ended it
			return nil
		case err != nil:
			return err
		}
		id = q.ID
		if !q.ending { // before anything goes: who is killed then leaves no topic that nobody knows
			n := q.note(q.Spec)
			n.Making, n.Ending = false, true
			q, err = s.put(ctx, &q, n)
		}
		if err == nil {
			err = s.end(ctx, &q)
		}
		if !errors.Is(err, object.ErrConflict) || try == updates {
			return err
		}
	}
}

// end takes away what a queue that is being deleted was made of, and then that it
// was there. Whoever ended it at the same moment has done the same; if he was done
// before, what is there is another's.
func (s *Service) end(ctx context.Context, q *Queue) error {
	if now, err := s.current(ctx, q.Ref); err != nil || now.ID != q.ID {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	}
	if err := s.demolish(ctx, q); err != nil {
		return err
	}
	err := s.o.Objects.Remove(ctx, q.object())
	if err == nil || errors.Is(err, object.ErrNotFound) {
		return nil
	}
	return objectError(err)
}

// Purge deletes all messages of a queue, those that are out or delayed too: their
// receipts are void. What is delayed for an adopted topic is not the queue's alone
// and stays.
func (s *Service) Purge(ctx context.Context, ref Ref) error {
	q, err := s.open(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.cancelDelayed(ctx, &q.Spec); err != nil {
		return err
	}
	for _, p := range q.parts() {
		if err := s.o.Leases.Reset(ctx, p); err != nil {
			return fmt.Errorf("purge %s: %w: %w", q.Full(), ErrUnavailable, err)
		}
	}
	return nil
}

// cancelDelayed takes away what is delayed for a queue's own topic.
func (s *Service) cancelDelayed(ctx context.Context, spec *Spec) error {
	if s.o.Timers == nil || spec.Adopted {
		return nil
	}
	if _, err := s.o.Timers.CancelTopic(ctx, spec.Topic); err != nil {
		return fmt.Errorf("%w: delete what is delayed for %s: %w", ErrUnavailable, spec.Topic, err)
	}
	return nil
}
