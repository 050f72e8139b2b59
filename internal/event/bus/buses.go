package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// tries bounds how often a change begins again that met another.
const tries = 10

// again tells whether a change is to be begun again, after a while.
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

// Create makes a bus. ErrExists says that there is one of that name.
func (s *Service) Create(ctx context.Context, ref Ref, spec Spec) (Bus, error) {
	for try := 1; ; try++ {
		b, err := s.create(ctx, ref.Filled(), spec)
		if !again(ctx, err, try) {
			return b, err
		}
	}
}

// create notes what the bus will be, makes its topic, and notes that it is there.
// Who was killed in between has not left a bus, but whose the topic is: who makes the
// bus then knows it for his own.
func (s *Service) create(ctx context.Context, ref Ref, spec Spec) (Bus, error) {
	if err := spec.check(ref); err != nil {
		return Bus{}, err
	}
	old, err := s.noted(ctx, ref)
	switch {
	case err == nil && !old.making:
		return Bus{}, fmt.Errorf("%s: %w", ref.Full(), ErrExists)
	case err != nil && !errors.Is(err, ErrNotFound):
		return Bus{}, err
	}
	if err := s.place(ctx, ref, &spec); err != nil {
		return Bus{}, err
	}
	left := old.making && !old.Adopted && old.Topic == spec.Topic
	spec.Adopted = spec.Adopted && !left
	making, err := s.put(ctx, ref, old.Version, &spec, true)
	if err != nil {
		return Bus{}, err
	}
	if err := s.build(ctx, &spec, left); err != nil {
		return Bus{}, err
	}
	b, err := s.put(ctx, ref, making.Version, &spec, false)
	s.sources.flush()
	return b, err
}

// put writes the object.
func (s *Service) put(ctx context.Context, ref Ref, version int64, spec *Spec, making bool) (Bus, error) {
	text, err := json.Marshal(noteOfBus{*spec, making})
	if err != nil {
		return Bus{}, fmt.Errorf("write %s: %w", ref.Full(), err)
	}
	o, err := s.o.Objects.Put(ctx, object.Object{Ref: ref.Full(), Version: version, Spec: text})
	if err != nil {
		return Bus{}, objectError(ref.Full(), err)
	}
	return busOf(&o)
}

// Get finds a bus; ErrNotFound when there is none. The default bus is always there.
func (s *Service) Get(ctx context.Context, ref Ref) (Bus, error) {
	ref = ref.Filled()
	if err := checkName(ref.Full()); err != nil {
		return Bus{}, err
	}
	b, err := s.noted(ctx, ref)
	if err == nil && b.making { // or it was so a moment ago: another node may have told that it is made
		var o object.Object
		if o, err = s.o.Objects.Current(ctx, ref.Full()); err == nil {
			b, err = busOf(&o)
		} else {
			err = objectError(ref.Full(), err)
		}
	}
	if err == nil && b.making {
		err = fmt.Errorf("%s is being made: %w", ref.Full(), ErrNotFound)
	}
	if ref.Name == Default && errors.Is(err, ErrNotFound) {
		return unused(ref), nil
	}
	return b, err
}

// unused is the default bus before it is used.
func unused(ref Ref) Bus {
	return Bus{Ref: ref, Spec: Spec{Topic: ref.Full().TopicName(), Partitions: 1, RetentionMs: DefaultRetentionMs}}
}

// noted is Get also of a bus that is being made.
func (s *Service) noted(ctx context.Context, ref Ref) (Bus, error) {
	o, err := s.o.Objects.Get(ctx, ref.Full())
	if err != nil {
		return Bus{}, objectError(ref.Full(), err)
	}
	return busOf(&o)
}

// used is Get, and makes the default bus.
func (s *Service) used(ctx context.Context, ref Ref) (Bus, error) {
	for try := 1; ; try++ {
		b, err := s.Get(ctx, ref)
		if err != nil || b.Version > 0 {
			return b, err
		}
		b, err = s.create(ctx, b.Ref, Spec{})
		switch {
		case errors.Is(err, ErrExists) && try < tries: // somebody was faster
		case !again(ctx, err, try):
			return b, err
		}
	}
}

// List gives the buses whose names begin with prefix.Name, by name, after the one
// named after; next is to go on after, "" at the end.
func (s *Service) List(ctx context.Context, prefix Ref, after string, most int) (out []Bus, next string, err error) {
	begin := prefix.Full()
	begin.Name = prefix.Name
	all, next, err := s.o.Objects.List(ctx, begin, after, most)
	if err != nil {
		return nil, "", unavailable("list buses", err)
	}
	theDefault := false
	for i := range all {
		b, err := busOf(&all[i])
		if err != nil {
			return nil, "", err
		}
		theDefault = theDefault || b.Name == Default
		if !b.making || b.Name == Default {
			out = append(out, b)
		}
	}
	if !theDefault && strings.HasPrefix(Default, prefix.Name) && after < Default && (next == "" || next > Default) {
		out = insert(out, unused(Ref{prefix.Account, prefix.Region, Default}.Filled()))
	}
	return out, next, nil
}

// insert puts a bus where its name belongs.
func insert(all []Bus, b Bus) []Bus {
	at := 0
	for at < len(all) && all[at].Name < b.Name {
		at++
	}
	return append(all[:at:at], append([]Bus{b}, all[at:]...)...)
}

// Update changes what a bus is; change is called with its Spec, perhaps more than
// once. Its topic does not change.
func (s *Service) Update(ctx context.Context, ref Ref, change func(*Spec) error) (Bus, error) {
	for try := 1; ; try++ {
		b, err := s.update(ctx, ref, change)
		if !again(ctx, err, try) {
			return b, err
		}
	}
}

func (s *Service) update(ctx context.Context, ref Ref, change func(*Spec) error) (Bus, error) {
	old, err := s.used(ctx, ref)
	if err != nil {
		return Bus{}, err
	}
	spec := old.Spec
	spec.Tags, spec.Extra = maps.Clone(spec.Tags), maps.Clone(spec.Extra)
	if err := change(&spec); err != nil {
		return Bus{}, err
	}
	spec.Adopted = old.Adopted
	if spec.Topic != old.Topic || spec.Partitions != old.Partitions {
		return Bus{}, invalid("topic", "the topic of a bus and its partitions do not change")
	}
	if err := spec.check(old.Ref); err != nil {
		return Bus{}, err
	}
	b, err := s.put(ctx, old.Ref, old.Version, &spec, false)
	if err == nil && spec.RetentionMs != old.RetentionMs {
		err = s.retain(ctx, b)
	}
	s.sources.flush()
	return b, err
}

// Delete deletes a bus, with its topic unless that was adopted; its replays end. One
// that has rules or archives is ErrInUse, unless force deletes these with it. The
// default bus stays.
func (s *Service) Delete(ctx context.Context, ref Ref, force bool) error {
	ref = ref.Filled()
	if ref.Name == Default {
		return invalid("name", "the default bus is always there")
	}
	b, err := s.noted(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.clear(ctx, b, force); err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := objectError(ref.Full(), s.o.Objects.Delete(ctx, ref.Full(), b.Version))
		if !again(ctx, err, try) {
			if err == nil {
				err = s.demolish(ctx, &b.Spec)
			}
			s.sources.flush()
			return err
		}
		if b, err = s.noted(ctx, ref); err != nil {
			return err
		}
	}
}

// clear deletes what belongs to a bus, or says that there is something.
func (s *Service) clear(ctx context.Context, b Bus, force bool) error {
	rules, _, err := s.Rules(ctx, b.Ref, "", "", 1<<30)
	if err != nil {
		return err
	}
	archives, err := s.archivesOf(ctx, b.Full())
	if err != nil {
		return err
	}
	if !force && len(rules)+len(archives) > 0 {
		return fmt.Errorf("%s has %d rules and %d archives: %w", b.Full(), len(rules), len(archives), ErrInUse)
	}
	for _, a := range archives {
		if err := s.DeleteArchive(ctx, a.NamedRef); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	for _, r := range rules {
		if err := s.deleteRule(ctx, r.RuleRef, true, true); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return s.endReplays(ctx, func(r *Replay) bool { return r.Bus.Full() == b.Full() })
}

// Ends are the ends of the partitions of a bus's topic.
func (s *Service) ends(ctx context.Context, b Bus) ([]int64, error) {
	ends, err := s.offsets(ctx, b.Topic, -1)
	if err != nil {
		return nil, unavailable("find the end of "+b.Full().String(), err)
	}
	return ends, nil
}

// queueOf reads a queue's name or ARN; a name is of the account and region of at.
func queueOf(field, text string, at name.Ref) (name.Ref, error) {
	text = strings.TrimPrefix(text, "queue:")
	if !strings.HasPrefix(text, "arn:") {
		r := name.Ref{Kind: name.Queue, Account: at.Account, Region: at.Region, Name: text}
		if err := name.Check(name.Queue, text); err != nil {
			return r, because(field, err)
		}
		return r, nil
	}
	r, err := name.ParseARN(text)
	if err != nil {
		return r, because(field, err)
	}
	if r.Kind != name.Queue {
		return r, invalid(field, "%s is no queue's ARN", text)
	}
	return r, nil
}
