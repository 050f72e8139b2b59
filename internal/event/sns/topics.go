package sns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/event/material"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/uuid"
)

const (
	// updates bounds how often a change begins again after another's, pause is how
	// long it rests before.
	updates = 10
	pause   = 10 * time.Millisecond
	// all is every object there is.
	all = 1 << 30
)

// noteOf is what the object of a topic says.
type noteOf struct {
	TopicSpec
	Making bool `json:"making,omitempty"` // it is no topic yet
	Ending bool `json:"ending,omitempty"` // it is no topic any more
	// TopicID is that of a topic of Kafka's that was made for it.
	TopicID string `json:"topic_id,omitempty"`
}

// idText is the id of a topic of Kafka's as a note has it, "" for none.
func idText(id uuid.UUID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// again does something anew while others change the same.
func again(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !errors.Is(err, object.ErrConflict) || try == updates {
			return err
		}
		rest(ctx, try)
	}
}

// rest waits before a try after the first.
func rest(ctx context.Context, try int) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(try) * pause):
	}
}

// Create makes a topic, or gives the one that there is: its attributes and tags that
// are said must be the same then.
func (s *Service) Create(ctx context.Context, ref name.Ref, spec TopicSpec) (t Topic, err error) {
	spec = spec.clone()
	spec.drop()
	if err := spec.check(ref); err != nil {
		return Topic{}, err
	}
	err = again(ctx, func() error {
		t, err = s.create(ctx, ref, spec)
		return err
	})
	return t, err
}

// drop forgets attributes that are empty.
func (t *TopicSpec) drop() {
	maps.DeleteFunc(t.Attributes, func(_, v string) bool { return v == "" })
}

// create notes what the topic will be, makes what it needs, and notes that it is
// there. Who was killed in between has not left a topic, but whose Kafka's topic is.
// What was left of a topic that was deleted goes before.
func (s *Service) create(ctx context.Context, ref name.Ref, spec TopicSpec) (Topic, error) {
	old, err := s.noted(ctx, ref)
	switch {
	case err == nil && old.ending:
		if err := s.end(ctx, &old); err != nil {
			return Topic{}, err
		}
		old = Topic{Ref: ref}
	case err == nil && !old.making:
		return old, old.same(&spec)
	case errors.Is(err, ErrNotFound):
		old = Topic{Ref: ref}
	case err != nil:
		return Topic{}, err
	}
	if err := s.place(ctx, &old, &spec); err != nil {
		return Topic{}, err
	}
	left := old.making && !old.Adopted && old.Topic == spec.Topic
	spec.Adopted = spec.Adopted && !left
	making, err := s.put(ctx, &old, noteOf{TopicSpec: spec, Making: true})
	if err != nil {
		return Topic{}, err
	}
	made, err := s.build(ctx, spec, left)
	if errors.Is(err, ErrInvalid) { // it will never be
		return Topic{}, errors.Join(err, s.o.Objects.Remove(ctx, making.object()))
	}
	if err != nil {
		return Topic{}, err
	}
	t, err := s.put(ctx, &making, made)
	if errors.Is(err, ErrNotFound) && made.TopicID != "" {
		err = errors.Join(err, s.unmake(ctx, ref, made))
	}
	return t, err
}

// unmake ends a topic that was deleted while it was made, before there was Kafka's topic
// that it has now. It is noted once more, as one that ends: meanwhile nobody adopts that.
func (s *Service) unmake(ctx context.Context, ref name.Ref, n noteOf) error {
	n.Ending = true
	t, err := s.put(ctx, &Topic{Ref: ref}, n)
	if errors.Is(err, object.ErrConflict) { // somebody makes it anew, and has adopted Kafka's topic
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, &t)
}

// there tells whether it is a topic.
func (t *Topic) there() bool { return !t.making && !t.ending }

// object is that of a topic, without what it says.
func (t *Topic) object() object.Object {
	return object.Object{Ref: t.Ref, ID: t.ID, Version: t.Version}
}

// same tells in what a topic differs from one that is to be made.
func (t *Topic) same(spec *TopicSpec) error {
	for _, a := range slices.Sorted(maps.Keys(spec.Attributes)) {
		if v := spec.Attributes[a]; v != t.Attributes[a] && (v != "false" || t.Attributes[a] != "") {
			return invalidf("Attributes", "the topic exists with different attributes: %s is another", a)
		}
	}
	if len(spec.Tags) > 0 && !maps.Equal(spec.Tags, t.Tags) {
		return invalidf("Tags", "the topic exists with different tags")
	}
	return nil
}

// place finds Kafka's topic of a topic, which is old until now: that of its name, or of a
// longer one where another object has that. One that is there is adopted. The note
// claims it.
func (s *Service) place(ctx context.Context, old *Topic, spec *TopicSpec) error {
	spec.Topic = old.Ref.TopicName()
	if old.making && !old.Adopted { // its topic may be there
		spec.Topic = old.Topic
	}
	for {
		by, held, err := s.o.Objects.HolderOf(ctx, spec.Topic, old.Ref)
		if err != nil {
			return objectError(err)
		}
		if !held && !strings.HasPrefix(spec.Topic, "__") { // which nodes keep for themselves
			break
		}
		if spec.Topic == old.Ref.LongTopicName() {
			return invalidf("Name", "its topic of Kafka's would be %s, which is that of %s", spec.Topic, by)
		}
		spec.Topic = old.Ref.LongTopicName()
	}
	if err := name.Check(name.Topic, spec.Topic); err != nil {
		return invalidf("Name", "its topic of Kafka's: %v", err)
	}
	c, err := s.kafka()
	if err != nil {
		return err
	}
	switch spec.Adopted, err = material.Exists(ctx, c, spec.Topic); {
	case errors.Is(err, kerr.InvalidTopicException): // too long, or one differs in . and _ alone
		return invalidf("Name", "its topic of Kafka's: %v", err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// put writes the object of a topic, which is was until then.
func (s *Service) put(ctx context.Context, was *Topic, n noteOf) (Topic, error) {
	o := was.object()
	var err error
	if o.Spec, err = json.Marshal(n); err != nil {
		return Topic{}, fmt.Errorf("write %s: %w", o.Ref, err)
	}
	if o, err = s.o.Objects.Put(ctx, o); err != nil {
		return Topic{}, objectError(err)
	}
	return readTopic(&o)
}

// readTopic reads the object of a topic.
func readTopic(o *object.Object) (Topic, error) {
	var n noteOf
	if err := json.Unmarshal(o.Spec, &n); err != nil {
		return Topic{}, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	t := Topic{Ref: o.Ref, ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified, TopicSpec: n.TopicSpec, making: n.Making, ending: n.Ending}
	if n.TopicID != "" {
		var err error
		if t.topicID, err = uuid.Parse(n.TopicID); err != nil {
			return Topic{}, fmt.Errorf("read what %s is: the id of its topic: %w", o.Ref, err)
		}
	}
	return t, nil
}

// current finds what was written of a topic anywhere before, also while it is being made
// or deleted.
func (s *Service) current(ctx context.Context, ref name.Ref) (Topic, error) {
	o, err := s.o.Objects.Current(ctx, ref)
	if err != nil {
		return Topic{}, objectError(err)
	}
	return readTopic(&o)
}

// noted finds a topic, also one that is being made or deleted.
func (s *Service) noted(ctx context.Context, ref name.Ref) (Topic, error) {
	o, err := s.o.Objects.Get(ctx, ref)
	if err != nil {
		return Topic{}, objectError(err)
	}
	return readTopic(&o)
}

// Get finds a topic. What it gives is not to be changed.
func (s *Service) Get(ctx context.Context, ref name.Ref) (Topic, error) {
	t, err := s.noted(ctx, ref)
	if err == nil && !t.there() { // or it was so a moment ago
		t, err = s.current(ctx, ref)
	}
	if err == nil && !t.there() {
		what := "made"
		if t.ending {
			what = "deleted"
		}
		return Topic{}, fmt.Errorf("%w: %s is being %s", ErrNotFound, ref, what)
	}
	return t, err
}

// List gives the topics of a place whose names begin with begin.Name, by name, after
// one of them; next is to go on after, "" at the end.
func (s *Service) List(ctx context.Context, begin name.Ref, after string, most int) (out []Topic, next string, err error) {
	found, next, err := s.o.Objects.List(ctx, begin, after, most)
	if err != nil {
		return nil, "", objectError(err)
	}
	for i := range found {
		t, err := readTopic(&found[i])
		if err != nil {
			return nil, "", err
		}
		if t.there() {
			out = append(out, t)
		}
	}
	return out, next, nil
}

// Update changes what a topic is; change is called with its Spec, perhaps more than
// once. Whether it is FIFO does not change.
func (s *Service) Update(ctx context.Context, ref name.Ref, change func(*TopicSpec) error) (t Topic, err error) {
	err = again(ctx, func() error {
		old, err := s.Get(ctx, ref)
		if err != nil {
			return err
		}
		spec := old.clone()
		if err := change(&spec); err != nil {
			return err
		}
		spec.drop()
		if spec.FIFO() != old.FIFO() {
			return invalidf(FifoTopic, "whether a topic is FIFO does not change")
		}
		spec.Topic, spec.Adopted, spec.Partitions = old.Topic, old.Adopted, old.Partitions
		if err := spec.check(ref); err != nil {
			return err
		}
		t, err = s.put(ctx, &old, noteOf{TopicSpec: spec, TopicID: idText(old.topicID)})
		return err
	})
	return t, err
}

// Delete deletes a topic with its subscriptions, and Kafka's topic unless that was
// adopted. Who is killed in between does it again, or whoever makes it anew; one that
// another has made anew meanwhile stays.
func (s *Service) Delete(ctx context.Context, ref name.Ref) error {
	id := "" // of the topic that is deleted
	return again(ctx, func() error {
		t, err := s.current(ctx, ref)
		switch gone := errors.Is(err, ErrNotFound) || err == nil && t.ID != id; {
		case id != "" && gone: // somebody else has ended it
			return nil
		case err != nil:
			return err
		}
		id = t.ID
		if !t.ending { // nobody subscribes any more then
			if t, err = s.put(ctx, &t, noteOf{TopicSpec: t.TopicSpec, Ending: true, TopicID: idText(t.topicID)}); err != nil {
				return err
			}
		}
		return s.end(ctx, &t)
	})
}

// end takes away what belongs to a topic that is being deleted, Kafka's topic, and then
// that it was there. Whoever ended it at the same moment has done the same; if he was
// done before, what is there is another's.
func (s *Service) end(ctx context.Context, t *Topic) error {
	if now, err := s.current(ctx, t.Ref); err != nil || now.ID != t.ID {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	}
	subs, _, err := s.o.Objects.List(ctx, subscriptionsOf(t.Ref), "", all)
	if err != nil {
		return objectError(err)
	}
	for i := range subs {
		if err := objectError(s.o.Objects.Remove(ctx, subs[i])); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if err := s.demolish(ctx, t); err != nil {
		return err
	}
	err = objectError(s.o.Objects.Remove(ctx, t.object()))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
