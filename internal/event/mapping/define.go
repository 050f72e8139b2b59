package mapping

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/queue"
)

// tries is how often a change is tried that others change at the same moment.
const tries = 10

// again tells whether a change is to be tried again, after a pause.
func again(ctx context.Context, err error, try int) bool {
	if !errors.Is(err, ErrConflict) || try >= tries {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(try) * time.Duration(2+rand.IntN(8)) * time.Millisecond):
		return true
	}
}

// Put makes a mapping, or changes the one of the name; it tells which. The source, the
// group and where it begins stay as they were made; where nothing is said of them they
// are.
func (s *Service) Put(ctx context.Context, ref name.Ref, spec Spec) (m Mapping, created bool, err error) {
	if err := name.Check(name.Mapping, ref.Name); err != nil {
		return Mapping{}, false, invalid("name", "%v", err)
	}
	for try := 1; ; try++ {
		m, created, err = s.put(ctx, ref, spec)
		if !again(ctx, err, try) {
			return m, created, err
		}
	}
}

func (s *Service) put(ctx context.Context, ref name.Ref, spec Spec) (Mapping, bool, error) {
	o, err := s.o.Objects.Current(ctx, ref)
	created := errors.Is(err, object.ErrNotFound)
	if err != nil && !created {
		return Mapping{}, false, objectError(ref, err)
	}
	own := spec.Group != ""
	if !created {
		old, err := mappingOf(&o)
		if err != nil {
			return Mapping{}, false, err
		}
		if err := spec.keep(&old.Spec); err != nil {
			return Mapping{}, false, err
		}
	}
	spec.fill(ref)
	if err := spec.check(); err != nil {
		return Mapping{}, false, err
	}
	m := Mapping{Ref: ref, Spec: spec}
	if err := s.usable(ctx, &m); err != nil {
		return Mapping{}, false, err
	}
	if topic, ok := m.Topic(); ok && created {
		if err := s.alone(ctx, &m, topic); err != nil {
			return Mapping{}, false, err
		}
		if err := s.begin(ctx, &m, topic, own); err != nil {
			return Mapping{}, false, err
		}
	}
	m, err = s.store(ctx, ref, o.Version, &spec)
	return m, created, err
}

// keep takes over what stays of a mapping, and refuses to change it.
func (s *Spec) keep(old *Spec) error {
	for _, f := range []struct {
		field    string
		now, was *string
	}{{"source", &s.Source, &old.Source}, {"group", &s.Group, &old.Group}, {"from", &s.From, &old.From}} {
		if *f.now != "" && *f.now != *f.was {
			return invalid(f.field, "it is %q, and stays: delete the mapping, and make another", *f.was)
		}
		*f.now = *f.was
	}
	return nil
}

func (s *Service) store(ctx context.Context, ref name.Ref, version int64, spec *Spec) (Mapping, error) {
	text, err := object.Marshal(spec)
	if err != nil {
		return Mapping{}, fmt.Errorf("write %s: %w", ref, err)
	}
	o, err := s.o.Objects.Put(ctx, object.Object{Ref: ref, Version: version, Spec: text})
	if err != nil {
		return Mapping{}, objectError(ref, err)
	}
	return mappingOf(&o)
}

// usable tells whether what a mapping names is there.
func (s *Service) usable(ctx context.Context, m *Mapping) error {
	if !s.o.Functions.Has(m.Function) {
		return invalid("function", "the file of functions of this node declares no %s: add it, and start the node anew", m.Function)
	}
	if of, ok := m.Queue(); ok {
		if err := s.there(ctx, "source", of); err != nil {
			return err
		}
	}
	if topic, ok := m.Topic(); ok && s.o.Partitions(topic) == 0 {
		return invalid("source", "there is no topic %s; make it first", topic)
	}
	if dead, ok := m.letters(); ok {
		return s.there(ctx, "dead_letters", dead)
	}
	return nil
}

func (s *Service) there(ctx context.Context, field string, of queue.Ref) error {
	_, err := s.o.Queues.Get(ctx, of)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return invalid(field, "there is no queue %s; make it first", of.Name)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// alone refuses a mapping whose group another one of its topic has: each would commit over
// the other, and skip what that has not done.
func (s *Service) alone(ctx context.Context, m *Mapping, topic string) error {
	all, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.Mapping}, "", math.MaxInt)
	if err != nil {
		return fmt.Errorf("%w: list mappings: %w", ErrUnavailable, err)
	}
	for i := range all {
		other, err := mappingOf(&all[i])
		if err != nil || other.Ref == m.Ref { // who cannot be read is not carried out
			continue
		}
		if of, ok := other.Topic(); ok && of == topic && other.Group == m.Group {
			return invalid("group", "%s takes from %s in the group %s: name another group", other.Ref, m.Source, m.Group)
		}
	}
	return nil
}

// begin commits where the group of a mapping begins. A group of the user's own that has
// offsets goes on there.
func (s *Service) begin(ctx context.Context, m *Mapping, topic string, own bool) error {
	c, err := s.o.Client()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	starts, err := startsOf(ctx, admin, topic, m.From)
	if err != nil {
		return fmt.Errorf("%w: where %s begins: %w", ErrUnavailable, m.Source, err)
	}
	has, err := admin.FetchOffsetsForTopics(ctx, m.Group, topic)
	if err == nil {
		err = has.Error()
	}
	if err != nil {
		return fmt.Errorf("%w: the group %s: %w", ErrUnavailable, m.Group, err)
	}
	var all []kadm.Offset
	starts.Each(func(o kadm.ListedOffset) {
		if at, there := has.Lookup(topic, o.Partition); own && there && at.At >= 0 {
			return
		}
		all = append(all, kadm.Offset{Topic: topic, Partition: o.Partition, At: o.Offset, LeaderEpoch: -1})
	})
	if len(all) == 0 {
		return nil
	}
	err = commitOffsets(ctx, admin, m.Group, all...)
	switch {
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.GroupIDNotFound), errors.Is(err, kerr.InconsistentGroupProtocol):
		return invalid("group", "the group %s has members: %v", m.Group, err)
	case err != nil:
		return fmt.Errorf("%w: commit where %s begins: %w", ErrUnavailable, m.Group, err)
	}
	return nil
}

func startsOf(ctx context.Context, admin *kadm.Client, topic, from string) (starts kadm.ListedOffsets, err error) {
	switch from {
	case Earliest:
		starts, err = admin.ListStartOffsets(ctx, topic)
	case Latest:
		starts, err = admin.ListCommittedOffsets(ctx, topic)
	default:
		at, perr := time.Parse(time.RFC3339Nano, from)
		if perr != nil {
			return nil, perr
		}
		starts, err = admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topic)
	}
	if err == nil {
		err = starts.Error()
	}
	return starts, err
}

// Get finds a mapping.
func (s *Service) Get(ctx context.Context, ref name.Ref) (Mapping, error) {
	if err := name.Check(name.Mapping, ref.Name); err != nil {
		return Mapping{}, invalid("name", "%v", err)
	}
	o, err := s.o.Objects.Get(ctx, ref)
	if err != nil {
		return Mapping{}, objectError(ref, err)
	}
	return mappingOf(&o)
}

// List gives mappings whose names begin with prefix.Name, by name: those after the name
// after, at most most, and the name to go on after.
func (s *Service) List(ctx context.Context, prefix name.Ref, after string, most int) (out []Mapping, next string, err error) {
	all, next, err := s.o.Objects.List(ctx, prefix, after, most)
	if err != nil {
		return nil, "", fmt.Errorf("%w: list mappings: %w", ErrUnavailable, err)
	}
	for i := range all {
		m, err := mappingOf(&all[i])
		if err != nil { // the others are there all the same
			s.o.Logger.Error("a mapping cannot be read and is not listed", "mapping", all[i].Ref.Name, "err", err)
			continue
		}
		out = append(out, m)
	}
	return out, next, nil
}

// Pause has a mapping rest, or go on where it was.
func (s *Service) Pause(ctx context.Context, ref name.Ref, paused bool) (Mapping, error) {
	return s.update(ctx, ref, func(spec *Spec) error {
		spec.Paused = paused
		return nil
	}, false)
}

// Update changes a mapping. The source, the group and where it begins stay.
func (s *Service) Update(ctx context.Context, ref name.Ref, change func(*Spec) error) (Mapping, error) {
	return s.update(ctx, ref, change, true)
}

// update changes a mapping; checked, what it names must be there.
func (s *Service) update(ctx context.Context, ref name.Ref, change func(*Spec) error, checked bool) (Mapping, error) {
	if err := name.Check(name.Mapping, ref.Name); err != nil {
		return Mapping{}, invalid("name", "%v", err)
	}
	for try := 1; ; try++ {
		o, err := s.o.Objects.Current(ctx, ref)
		if err != nil {
			return Mapping{}, objectError(ref, err)
		}
		m, err := mappingOf(&o)
		if err != nil {
			return m, err
		}
		old := m.Spec
		if err := change(&m.Spec); err != nil {
			return Mapping{}, err
		}
		if checked {
			err = m.Spec.keep(&old)
			if err == nil {
				err = m.Spec.check()
			}
			if err == nil {
				err = s.usable(ctx, &m)
			}
			if err != nil {
				return Mapping{}, err
			}
		}
		m, err = s.store(ctx, ref, o.Version, &m.Spec)
		if !again(ctx, err, try) {
			return m, err
		}
	}
}

// Delete deletes a mapping, and the offsets of a group that was made for it. What the
// function was called with is done with or lies in its source.
func (s *Service) Delete(ctx context.Context, ref name.Ref) error {
	if err := name.Check(name.Mapping, ref.Name); err != nil {
		return invalid("name", "%v", err)
	}
	for try := 1; ; try++ {
		o, err := s.o.Objects.Current(ctx, ref)
		if err != nil {
			return objectError(ref, err)
		}
		m, err := mappingOf(&o)
		if err != nil {
			return err
		}
		err = objectError(ref, s.o.Objects.Delete(ctx, ref, o.Version))
		if again(ctx, err, try) {
			continue
		}
		if err == nil && m.Group == ownGroup(ref) {
			s.forgetGroup(ctx, m.Group)
		}
		return err
	}
}

// ownGroup is the group of a mapping that names none. Groups are the cluster's: one of
// another account or region has that in its group's name.
func ownGroup(ref name.Ref) string {
	if ref.Home() {
		return "function." + ref.Name
	}
	return "function." + ref.Account + "." + ref.Region + "." + ref.Name
}

// forgetGroup deletes a group's offsets; a mapping that is made later writes them anew.
func (s *Service) forgetGroup(ctx context.Context, group string) {
	c, err := s.o.Client()
	if err == nil {
		defer c.Close()
		_, err = kadm.NewClient(c).DeleteGroup(ctx, group)
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		s.o.Logger.Warn("the group of a mapping that was deleted stays", "group", group, "err", err)
	}
}

// Standing is how a mapping does.
type Standing struct {
	Here    bool   // this node carries it out; only then it knows more
	Problem string // "" when the last call went well
	SinceMs int64  // when that began; 0 for not known
}

// Standing tells how a mapping does, as far as this node knows.
func (s *Service) Standing(ref name.Ref) Standing {
	s.mu.Lock()
	r := s.runners[ref.Key()]
	s.mu.Unlock()
	if r == nil || r.m.Paused {
		return Standing{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return Standing{true, r.problem, r.sinceMs}
}
