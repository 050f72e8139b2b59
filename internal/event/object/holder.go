package object

import (
	"context"
	"encoding/json"
	"slices"

	"ottla/internal/event/name"
)

// holders are the kinds of objects that have a topic of their own.
var holders = []name.Kind{name.Queue, name.Bus, name.SNS, name.Archive}

// head is what a Spec says of those kinds in the same words.
type head struct {
	Topic string `json:"topic"`
	// Adopted topics were there before, and stay.
	Adopted bool `json:"adopted"`
	// Making objects are none yet.
	Making bool `json:"making"`
	// Ending objects are being deleted: nothing is put under them any more.
	Ending bool `json:"ending"`
}

// headOf reads it; the zero one of other kinds.
func headOf(o *Object) (h head) {
	if !slices.Contains(holders, o.Ref.Kind) || json.Unmarshal(o.Spec, &h) != nil {
		return head{}
	}
	return h
}

// There tells whether the object is what it says: not one that is being made or deleted.
func (o *Object) There() bool {
	h := headOf(o)
	return !h.Making && !h.Ending
}

// holds is the topic that is the object's, also while it is made, and while it is
// deleted as long as the topic goes with it; "" for none.
func (h head) holds() string {
	if h.Ending && h.Adopted {
		return ""
	}
	return h.Topic
}

// HolderOf names the object whose topic a topic is, another than one; false when there
// is none.
func (s *Store) HolderOf(ctx context.Context, topic string, but name.Ref) (name.Ref, bool, error) {
	if err := s.sync(ctx); err != nil {
		return name.Ref{}, false, err
	}
	by, held := s.holder(topic, but)
	return by, held, nil
}

// holder is HolderOf of what the mirror has: of several, which earlier versions let be,
// the first by key.
func (s *Store) holder(topic string, but name.Ref) (by name.Ref, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.held[topic] {
		if o := s.objects[key]; o.Ref != but && (!held || key < by.Key()) {
			by, held = o.Ref, true
		}
	}
	return by, held
}

// hold notes whose topics are whose, as an object becomes another. mu held.
func (s *Store) hold(key string, was, is head) {
	was.Topic, is.Topic = was.holds(), is.holds()
	if was.Topic == is.Topic {
		return
	}
	if of := s.held[was.Topic]; was.Topic != "" {
		if delete(of, key); len(of) == 0 {
			delete(s.held, was.Topic)
		}
	}
	if is.Topic == "" {
		return
	}
	if s.held[is.Topic] == nil {
		s.held[is.Topic] = map[string]struct{}{}
	}
	s.held[is.Topic][key] = struct{}{}
}
