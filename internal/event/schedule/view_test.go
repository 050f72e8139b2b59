package schedule

import (
	"encoding/json"
	"log/slog"
	"testing"

	"ottla/internal/event/object"
	"ottla/internal/event/schedule/course"
)

// A definition that this node cannot read, as one of a later release, is not taken for
// one that was deleted: what has happened to it is kept.
func TestADefinitionThatCannotBeReadIsNotForgotten(t *testing.T) {
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler), Partitions: func(string) int { return 0 }}, view: newView(), runners: map[int32]*runner{}}
	ref := Ref{Name: "later"}.Full()
	s.news(object.News{Object: object.Object{Ref: ref, ID: "x", Version: 1, Spec: json.RawMessage(`{"expression":{"every":"day"}}`)}})
	r := newRunner(&Service{o: s.o, view: s.view, ctx: t.Context()}, 0, 1)
	r.states = map[string]course.State{ref.Key(): {ID: "x", LastMs: now}}
	if p := r.plan(ref.Key(), nil, now); p != nil {
		t.Errorf("its state becomes %+v, changed %v", p.state, p.changed)
	}
	s.news(object.News{Object: object.Object{Ref: ref}, Deleted: true})
	if p := r.plan(ref.Key(), nil, now); p == nil || !p.changed {
		t.Errorf("once it is deleted: %+v", p)
	}
}
