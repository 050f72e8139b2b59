package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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
// bus then knows it for his own. What was left of a bus that was deleted goes before.
func (s *Service) create(ctx context.Context, ref Ref, spec Spec) (Bus, error) {
	if err := spec.check(ref); err != nil {
		return Bus{}, err
	}
	if err := s.checkLetters(ctx, spec.DeadLetters, ref.Full()); err != nil {
		return Bus{}, err
	}
	old, err := s.noted(ctx, ref)
	switch {
	case err == nil && old.ending:
		err := s.finish(ctx, &old, false)
		if errors.Is(err, ErrInUse) { // it stays
			return Bus{}, fmt.Errorf("%s: %w", ref.Full(), ErrExists)
		}
		if err != nil {
			return Bus{}, err
		}
		old = Bus{Ref: ref}
	case err == nil && !old.making:
		return Bus{}, fmt.Errorf("%s: %w", ref.Full(), ErrExists)
	case errors.Is(err, ErrNotFound):
		old = Bus{Ref: ref}
	case err != nil:
		return Bus{}, err
	}
	asked := spec
	if err := s.place(ctx, &old, &spec); err != nil {
		return Bus{}, err
	}
	left := old.making && !old.Adopted && old.Topic == spec.Topic
	if left {
		spec.Adopted, spec.Partitions = false, max(asked.Partitions, 1)
	}
	if !spec.Adopted && spec.RetentionMs == 0 {
		spec.RetentionMs = DefaultRetentionMs
	}
	making, err := s.put(ctx, &old, noteOfBus{spec, stage{Making: true}})
	if err != nil {
		return Bus{}, err
	}
	n, err := s.build(ctx, spec, left)
	if errors.Is(err, ErrInvalid) { // it will never be
		return Bus{}, errors.Join(err, s.o.Objects.Remove(ctx, making.object()))
	}
	if err != nil {
		return Bus{}, err
	}
	if n.Adopted { // perhaps only now: it keeps events as long as it did, unless it was asked otherwise
		n.RetentionMs = asked.RetentionMs
	}
	b, err := s.put(ctx, &making, n)
	if errors.Is(err, ErrNotFound) && n.TopicID != "" {
		err = errors.Join(err, s.unmake(ctx, ref, n))
	}
	s.sources.flush()
	return b, err
}

// unmake ends a bus that was deleted while it was made, before there was the topic that it
// has now. It is noted once more, as one that ends: meanwhile nobody adopts the topic.
func (s *Service) unmake(ctx context.Context, ref Ref, n noteOfBus) error {
	n.Ending, n.Clearing = true, true
	b, err := s.put(ctx, &Bus{Ref: ref}, n)
	if errors.Is(err, ErrConflict) { // somebody makes it anew, and has adopted the topic
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, &b)
}

// object is that of a bus, without what it says.
func (b *Bus) object() object.Object {
	return object.Object{Ref: b.Full(), ID: b.ID, Version: b.Version}
}

// note is what the object of a bus that is there says, otherwise perhaps in its Spec.
func (b *Bus) note(spec Spec) noteOfBus {
	return noteOfBus{spec, stage{TopicID: idText(b.topicID)}}
}

// there tells whether it is a bus.
func (b *Bus) there() bool { return !b.making && !b.ending }

// put writes the object of a bus, which is was until then.
func (s *Service) put(ctx context.Context, was *Bus, n noteOfBus) (Bus, error) {
	o := was.object()
	var err error
	if o.Spec, err = json.Marshal(n); err != nil {
		return Bus{}, fmt.Errorf("write %s: %w", o.Ref, err)
	}
	if o, err = s.o.Objects.Put(ctx, o); err != nil {
		return Bus{}, objectError(was.Full(), err)
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
	if err == nil && !b.there() { // or it was so a moment ago: another node may have told that it is made
		b, err = s.current(ctx, ref)
	}
	if err == nil && !b.there() {
		what := "made"
		if b.ending {
			what = "deleted"
		}
		err = fmt.Errorf("%s is being %s: %w", ref.Full(), what, ErrNotFound)
	}
	if ref.Name == Default && errors.Is(err, ErrNotFound) {
		return fresh(ref), nil
	}
	return b, err
}

// fresh is the default bus before it is used.
func fresh(ref Ref) Bus {
	return Bus{Ref: ref, Spec: Spec{Topic: ref.Full().TopicName(), Partitions: 1, RetentionMs: DefaultRetentionMs}}
}

// current finds what was written of a bus anywhere before, also while it is being made
// or deleted.
func (s *Service) current(ctx context.Context, ref Ref) (Bus, error) {
	o, err := s.o.Objects.Current(ctx, ref.Full())
	if err != nil {
		return Bus{}, objectError(ref.Full(), err)
	}
	return busOf(&o)
}

// noted is Get also of a bus that is being made or deleted.
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
		if b.there() || b.Name == Default {
			out = append(out, b)
		}
	}
	if !theDefault && strings.HasPrefix(Default, prefix.Name) && after < Default && (next == "" || next > Default) {
		out = insert(out, fresh(Ref{prefix.Account, prefix.Region, Default}.Filled()))
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
	if spec.DeadLetters != old.DeadLetters {
		if err := s.checkLetters(ctx, spec.DeadLetters, old.Full()); err != nil {
			return Bus{}, err
		}
	}
	b, err := s.put(ctx, &old, old.note(spec))
	if err == nil && spec.RetentionMs != old.RetentionMs {
		err = s.retain(ctx, b)
	}
	s.sources.flush()
	return b, err
}

// Delete deletes a bus, with its topic unless that was adopted; its replays end. One
// that has rules or archives is ErrInUse, unless force deletes these with it. The
// default bus stays, and one that another has made anew meanwhile.
func (s *Service) Delete(ctx context.Context, ref Ref, force bool) error {
	ref = ref.Filled()
	if ref.Name == Default {
		return invalid("name", "the default bus is always there")
	}
	id := "" // of the bus that is deleted
	for try := 1; ; try++ {
		b, err := s.current(ctx, ref)
		switch gone := errors.Is(err, ErrNotFound) || err == nil && b.ID != id; {
		case id != "" && gone: // somebody else has ended it
			return nil
		case err != nil:
			return err
		}
		id = b.ID
		err = s.delete(ctx, b, force)
		if !again(ctx, err, try) {
			s.sources.flush()
			return err
		}
	}
}

// delete notes that a bus ends, after which nothing is put under it any more, and ends it.
func (s *Service) delete(ctx context.Context, b Bus, force bool) error {
	if !b.ending {
		if err := s.unused(ctx, b, force); err != nil {
			return err
		}
		// While there is a bus it is known how far its replays are.
		if err := s.endReplays(ctx, func(r *Replay) bool { return r.Bus.Full() == b.Full() }); err != nil {
			return err
		}
		n := b.note(b.Spec)
		n.Ending, n.Clearing = true, force
		var err error
		if b, err = s.put(ctx, &b, n); err != nil {
			return err
		}
		s.sources.flush()
	}
	return s.finish(ctx, &b, force)
}

// finish ends a bus that somebody has noted to end: who notes it may be killed, and others
// come by at the same moment. It is ErrInUse, and stays, where something was put under it
// before that was noted; what goes with it has not begun to go by then.
func (s *Service) finish(ctx context.Context, b *Bus, force bool) error {
	if !b.clearing {
		err := s.unused(ctx, *b, force)
		if errors.Is(err, ErrInUse) {
			if _, back := s.put(ctx, b, b.note(b.Spec)); back != nil {
				return back // whoever asks again takes it back, unless another ends it
			}
			s.sources.flush()
		}
		if err != nil {
			return err
		}
	}
	return s.end(ctx, b)
}

// unused tells whether nothing belongs to a bus, for a Delete without force.
func (s *Service) unused(ctx context.Context, b Bus, force bool) error {
	if force {
		return nil
	}
	rules, _, err := s.Rules(ctx, b.Ref, "", "", 1<<30)
	if err != nil {
		return err
	}
	archives, err := s.archivesOf(ctx, b.Full())
	if err != nil {
		return err
	}
	archives = slices.DeleteFunc(archives, func(a Archive) bool { return !a.there() })
	if len(rules)+len(archives) > 0 {
		return fmt.Errorf("%s has %d rules and %d archives: %w", b.Full(), len(rules), len(archives), ErrInUse)
	}
	return nil
}

// end takes away what belongs to a bus that is being deleted, its topic, and then that it
// was there. Whoever ended it at the same moment has done the same; if he was done
// before, what is there is another's.
func (s *Service) end(ctx context.Context, b *Bus) error {
	if now, err := s.current(ctx, b.Ref); err != nil || now.ID != b.ID {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	}
	if !b.clearing { // or somebody takes back that it ends
		n := b.note(b.Spec)
		n.Ending, n.Clearing = true, true
		now, err := s.put(ctx, b, n)
		if errors.Is(err, ErrNotFound) { // another has ended it
			return nil
		}
		if err != nil {
			return err
		}
		*b = now
	}
	if err := s.clear(ctx, b); err != nil {
		return err
	}
	if !b.Adopted {
		if err := s.deleteTopic(ctx, b.Topic, b.topicID); err != nil {
			return err
		}
	}
	err := objectError(b.Full(), s.o.Objects.Remove(ctx, b.object()))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// clear deletes what belongs to a bus.
func (s *Service) clear(ctx context.Context, b *Bus) error {
	archives, err := s.archivesOf(ctx, b.Full())
	if err != nil {
		return err
	}
	for _, a := range archives {
		if err := s.DeleteArchive(ctx, a.NamedRef); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	rules, _, err := s.Rules(ctx, b.Ref, "", "", 1<<30)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if err := s.deleteRule(ctx, r.RuleRef, true, true); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return s.endReplays(ctx, func(r *Replay) bool { return r.Bus.Full() == b.Full() })
}

// ends are the ends of the partitions of a bus's topic.
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
