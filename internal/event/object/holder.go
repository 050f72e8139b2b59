package object

import (
	"context"
	"encoding/json"

	"ottla/internal/event/name"
)

// holders are the kinds of objects that have a topic of their own: it is the field
// "topic" of their Spec.
var holders = []name.Kind{name.Queue, name.Bus, name.SNS, name.Archive}

// HolderOf names the object whose topic a topic is; false when it is nobody's, or of
// one that is only being made ("making").
func (s *Store) HolderOf(ctx context.Context, topic string) (name.Ref, bool, error) {
	for _, kind := range holders {
		all, _, err := s.List(ctx, name.Ref{Kind: kind}, "", 1<<30)
		if err != nil {
			return name.Ref{}, false, err
		}
		for i := range all {
			var spec struct {
				Topic  string `json:"topic"`
				Making bool   `json:"making"`
			}
			if json.Unmarshal(all[i].Spec, &spec) == nil && !spec.Making && spec.Topic == topic {
				return all[i].Ref, true, nil
			}
		}
	}
	return name.Ref{}, false, nil
}
