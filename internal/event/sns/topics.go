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

	"ottla/internal/event/name"
	"ottla/internal/event/object"
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
func (s *Service) create(ctx context.Context, ref name.Ref, spec TopicSpec) (Topic, error) {
	old, err := s.noted(ctx, ref)
	switch {
	case err == nil && !old.making:
		return old, old.same(&spec)
	case err != nil && !errors.Is(err, ErrNotFound):
		return Topic{}, err
	}
	if spec.Topic, err = s.place(ctx, ref); err != nil {
		return Topic{}, err
	}
	left := old.making && !old.Adopted && old.Topic == spec.Topic
	spec.Adopted = s.o.Exists(spec.Topic) && !left
	making, err := s.put(ctx, ref, old.Version, noteOf{spec, true})
	if err != nil {
		return Topic{}, err
	}
	if err := s.build(ctx, &spec, left); err != nil {
		return Topic{}, err
	}
	return s.put(ctx, ref, making.Version, noteOf{spec, false})
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

// place finds the name of Kafka's topic: that of the topic, or a longer one where
// another object has that.
func (s *Service) place(ctx context.Context, ref name.Ref) (string, error) {
	topic := ref.TopicName()
	by, held, err := s.o.Objects.HolderOf(ctx, topic)
	if err != nil {
		return "", objectError(err)
	}
	if held && by != ref || strings.HasPrefix(topic, "__") { // which nodes keep for themselves
		topic = ref.LongTopicName()
	}
	if err := name.Check(name.Topic, topic); err != nil {
		return "", invalidf("Name", "its topic of Kafka's: %v", err)
	}
	return topic, nil
}

// put writes the object of a topic.
func (s *Service) put(ctx context.Context, ref name.Ref, version int64, n noteOf) (Topic, error) {
	b, err := json.Marshal(n)
	if err != nil {
		return Topic{}, fmt.Errorf("write %s: %w", ref, err)
	}
	o, err := s.o.Objects.Put(ctx, object.Object{Ref: ref, Version: version, Spec: b})
	if err != nil {
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
	return Topic{Ref: o.Ref, ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified, TopicSpec: n.TopicSpec, making: n.Making}, nil
}

// noted finds a topic, also one that is being made.
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
	if err == nil && t.making { // or it was so a moment ago
		var o object.Object
		if o, err = s.o.Objects.Current(ctx, ref); err != nil {
			return Topic{}, objectError(err)
		}
		t, err = readTopic(&o)
	}
	if err == nil && t.making {
		return Topic{}, fmt.Errorf("%w: %s is being made", ErrNotFound, ref)
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
		if !t.making {
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
		t, err = s.put(ctx, ref, old.Version, noteOf{spec, false})
		return err
	})
	return t, err
}

// Delete deletes a topic with its subscriptions, and Kafka's topic unless that was
// adopted. Who is killed in between does it again.
func (s *Service) Delete(ctx context.Context, ref name.Ref) error {
	return again(ctx, func() error {
		t, err := s.noted(ctx, ref)
		if err != nil {
			return err
		}
		subs, _, err := s.o.Objects.List(ctx, subscriptionsOf(ref), "", all)
		if err != nil {
			return objectError(err)
		}
		for i := range subs {
			if err := objectError(s.o.Objects.Delete(ctx, subs[i].Ref, subs[i].Version)); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		if err := s.demolish(ctx, &t.TopicSpec); err != nil {
			return err
		}
		return objectError(s.o.Objects.Delete(ctx, ref, t.Version))
	})
}
