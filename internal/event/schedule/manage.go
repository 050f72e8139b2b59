package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// Create makes a schedule. ErrExists says that there is one of that name,
// ErrNotFound that there is no such group; ErrComplete, of a request that comes again
// within an hour under one MadeBy, that nothing is left to do: made anew it would run
// once more.
func (s *Service) Create(ctx context.Context, ref Ref, spec Spec) (Schedule, error) {
	if _, err := s.Get(ctx, ref); err == nil {
		return Schedule{}, fmt.Errorf("%s: %w", ref.Full(), ErrExists)
	} else if !errors.Is(err, ErrNotFound) {
		return Schedule{}, err
	}
	if done, err := s.deletedBy(ctx, ref.Full(), madeToken(spec.MadeBy)); err != nil {
		return Schedule{}, err
	} else if done {
		return Schedule{}, fmt.Errorf("%s: %w", ref.Full(), ErrComplete)
	}
	out, err := s.write(ctx, ref, nil, spec)
	if errors.Is(err, ErrConflict) {
		return Schedule{}, fmt.Errorf("%s: %w", ref.Full(), ErrExists)
	}
	return out, err
}

// madeToken is the token by which a schedule is deleted that is complete.
func madeToken(by string) string {
	if by == "" {
		return ""
	}
	return "made/" + by
}

// Update puts a spec in the place of another, whole. ErrNotFound says that there
// is no such schedule.
func (s *Service) Update(ctx context.Context, ref Ref, spec Spec) (Schedule, error) {
	return s.change(ctx, ref, func(into *Spec) { *into = spec })
}

// Put makes a schedule or puts the spec in the place of another.
func (s *Service) Put(ctx context.Context, ref Ref, spec Spec) (out Schedule, created bool, err error) {
	out, err = s.Update(ctx, ref, spec)
	if !errors.Is(err, ErrNotFound) {
		return out, false, err
	}
	out, err = s.Create(ctx, ref, spec)
	if errors.Is(err, ErrExists) { // somebody was faster
		out, err = s.Update(ctx, ref, spec)
		return out, false, err
	}
	return out, true, err
}

// Pause lets a schedule run no more, its waiting runs included, until Resume.
func (s *Service) Pause(ctx context.Context, ref Ref) (Schedule, error) {
	return s.change(ctx, ref, func(into *Spec) { into.Paused = true })
}

// Resume lets a schedule run again. What passed meanwhile was not missed.
func (s *Service) Resume(ctx context.Context, ref Ref) (Schedule, error) {
	return s.change(ctx, ref, func(into *Spec) { into.Paused = false })
}

// tries bounds how often a change begins again that met another.
const tries = 5

// change changes a schedule's spec.
func (s *Service) change(ctx context.Context, ref Ref, how func(*Spec)) (Schedule, error) {
	for try := 1; ; try++ {
		old, err := s.Get(ctx, ref)
		if err != nil {
			return Schedule{}, err
		}
		spec := old.Spec
		how(&spec)
		out, err := s.write(ctx, ref, &old, spec)
		if !errors.Is(err, ErrConflict) || try == tries {
			return out, err
		}
	}
}

// write stores a spec; old is what is there, nil for nothing.
func (s *Service) write(ctx context.Context, ref Ref, old *Schedule, spec Spec) (Schedule, error) {
	full := ref.Full()
	if err := checkName(full); err != nil {
		return Schedule{}, err
	}
	o := object.Object{Ref: full}
	var before *Spec
	if old != nil {
		o.Version, before = old.Version, &old.Spec
	}
	if err := spec.check(ref, before, s.nowMs()); err != nil {
		return Schedule{}, err
	}
	if err := s.checkThere(ctx, ref, &spec, before); err != nil {
		return Schedule{}, err
	}
	if _, err := s.Group(ctx, ref.group()); err != nil {
		return Schedule{}, err
	}
	var err error
	if o.Spec, err = object.Marshal(spec); err != nil {
		return Schedule{}, fmt.Errorf("write %s: %w", full, err)
	}
	if err := s.o.Create(ctx); err != nil {
		return Schedule{}, unavailable("make the topics of schedules", err)
	}
	o, err = s.o.Objects.Put(ctx, o)
	if err != nil {
		return Schedule{}, objectError(full, err)
	}
	return scheduleOf(o)
}

// checkName tells what is wrong with the name of an object of this package.
func checkName(r name.Ref) error { return object.CheckName(r) }

// Get reads a schedule; ErrNotFound when there is none.
func (s *Service) Get(ctx context.Context, ref Ref) (Schedule, error) {
	full := ref.Full()
	if err := checkName(full); err != nil {
		return Schedule{}, err
	}
	o, err := s.o.Objects.Get(ctx, full)
	if err != nil {
		return Schedule{}, objectError(full, err)
	}
	return scheduleOf(o)
}

// Delete deletes a schedule, with the runs of it that wait to be tried again.
func (s *Service) Delete(ctx context.Context, ref Ref) error { return s.DeleteOnce(ctx, ref, "") }

// DeleteOnce is Delete for a request that its token names: asked again, because
// its answer was lost, it deletes nothing more. "" is a request without one.
func (s *Service) DeleteOnce(ctx context.Context, ref Ref, token string) error {
	if done, err := s.deletedBy(ctx, ref.Full(), token); done || err != nil {
		return err
	}
	for try := 1; ; try++ {
		old, err := s.Get(ctx, ref)
		if err != nil {
			return err
		}
		err = objectError(ref.Full(), s.o.Objects.DeleteOnce(ctx, ref.Full(), old.Version, token))
		if !errors.Is(err, ErrConflict) || try == tries {
			return err
		}
	}
}

// deletedBy tells whether a request with this token has deleted what had this
// name.
func (s *Service) deletedBy(ctx context.Context, full name.Ref, token string) (bool, error) {
	if token == "" {
		return false, nil
	}
	if err := checkName(full); err != nil {
		return false, err
	}
	done, err := s.o.Objects.DeletedBy(ctx, full, token)
	return done, objectError(full, err)
}

// ListOptions say which schedules.
type ListOptions struct {
	Account, Region string // "" are the defaults
	Group           string // "" for all groups
	Prefix          string // that names in the group begin with; only with a Group
	After           string // go on behind this, as next was
	Most            int    // 1 to 1000
}

// List gives schedules by group and name, and where to go on, "" at the end; fewer
// than were asked for where they are large.
func (s *Service) List(ctx context.Context, o ListOptions) (out []Schedule, next string, err error) {
	if o.Most < 1 || o.Most > mostNamesAtOne {
		return nil, "", invalid("max", "%d is outside 1 to %d", o.Most, mostNamesAtOne)
	}
	begin := GroupRef{o.Account, o.Region, o.Group}.Full()
	begin.Kind, begin.Name = name.Schedule, ""
	if o.Group != "" {
		begin.Name = o.Group + "/" + o.Prefix
	} else if o.Prefix != "" {
		return nil, "", invalid("prefix", "it needs a group")
	}
	objects, next, err := s.o.Objects.List(ctx, begin, o.After, o.Most)
	if err != nil {
		return nil, "", unavailable("list schedules", err)
	}
	size := 0
	for i, o := range objects {
		if size += len(o.Spec); size > mostPage && i > 0 {
			return out, objects[i-1].Ref.Name, nil
		}
		d, err := scheduleOf(o)
		if err != nil {
			return nil, "", err
		}
		out = append(out, d)
	}
	return out, next, nil
}

// Next are the next runs of a schedule by the domain clock, at most n, without
// the window and without those that wait to be tried again; none when it is
// paused.
func (s *Service) Next(ctx context.Context, ref Ref, n int) ([]time.Time, error) {
	d, err := s.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	return d.Runs(s.o.Now(), n)
}

// Preview are the runs that a spec would have, at most n, and what is wrong with
// it. Nothing is stored.
func (s *Service) Preview(ref Ref, spec Spec, n int) ([]time.Time, error) {
	if err := spec.check(ref, nil, s.nowMs()); err != nil {
		return nil, err
	}
	return spec.Runs(s.o.Now(), n)
}
