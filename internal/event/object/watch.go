package object

import (
	"errors"
	"slices"
	"strings"

	"ottla/internal/event/name"
)

// watcher hears of changes of objects whose keys begin with a prefix.
type watcher struct {
	prefix string
	tell   func(News)
}

// Watch has tell called for every object whose Ref begins as the given one
// does, before Watch returns for those that are there, by key, and later from
// one goroutine for each change, in the order of the log. A begin of a kind
// alone is all of that kind. tell must be quick, and must not call Watch. The
// returned function ends it; a call may be under way when it returns.
func (s *Store) Watch(begin name.Ref, tell func(News)) func() {
	w := &watcher{prefix: begin.Prefix(), tell: tell}
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	s.watchers[w] = struct{}{}
	var there []Object
	for key, o := range s.objects {
		if strings.HasPrefix(key, w.prefix) {
			there = append(there, o)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(there, func(a, b Object) int { return strings.Compare(a.Ref.Key(), b.Ref.Key()) })
	for _, o := range there {
		tell(News{Object: o})
	}
	s.Wake()
	return func() {
		s.mu.Lock()
		delete(s.watchers, w)
		s.mu.Unlock()
	}
}

// Wake begins to mirror where somebody watches and the topic is there: it is
// called when the topic has come to be.
func (s *Store) Wake() {
	s.mu.Lock()
	wanted := len(s.watchers) > 0 && s.log == nil && !s.closed
	s.mu.Unlock()
	if !wanted {
		return
	}
	if _, err := s.start(); err != nil && !errors.Is(err, errEarly) { // it is woken again
		s.o.Logger.Warn("objects are not followed", "topic", Topic, "err", err)
	}
}

// watching are those who hear of a key. mu held.
func (s *Store) watching(key string) []*watcher {
	var out []*watcher
	for w := range s.watchers {
		if strings.HasPrefix(key, w.prefix) {
			out = append(out, w)
		}
	}
	return out
}
