package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// CreateDestination makes an API destination.
func (s *Service) CreateDestination(ctx context.Context, ref name.Ref, spec DestinationSpec) (Destination, error) {
	if err := name.Check(name.Destination, ref.Name); err != nil {
		return Destination{}, invalidf("%w", err)
	}
	d, err := s.putDestination(ctx, object.Object{Ref: ref}, spec)
	if errors.Is(err, ErrConflict) {
		err = fmt.Errorf("%s: %w", ref, ErrExists)
	}
	return d, err
}

// UpdateDestination changes one.
func (s *Service) UpdateDestination(ctx context.Context, ref name.Ref, change func(*DestinationSpec) error) (Destination, error) {
	for try := 1; ; try++ {
		o, d, err := s.currentDestination(ctx, ref)
		if err != nil {
			return Destination{}, err
		}
		if err := change(&d.DestinationSpec); err != nil {
			return Destination{}, err
		}
		out, err := s.putDestination(ctx, o, d.DestinationSpec)
		if !errors.Is(err, ErrConflict) || try == updates {
			return out, err
		}
	}
}

// DeleteDestination takes one away. One that targets call is ErrInUse, unless force: what
// waits for them is dropped then. One that another has made anew meanwhile stays.
func (s *Service) DeleteDestination(ctx context.Context, ref name.Ref, force bool) error {
	id := "" // of the destination that is deleted
	for try := 1; ; try++ {
		o, _, err := s.currentDestination(ctx, ref)
		switch gone := errors.Is(err, ErrNotFound) || err == nil && o.ID != id; {
		case id != "" && gone: // somebody else has deleted it
			return nil
		case err != nil:
			return err
		}
		if err := s.unused(ctx, ref, force, s.o.Callers); err != nil {
			return err
		}
		id = o.ID
		err = objectError(ref, s.o.Objects.Remove(ctx, o))
		if !errors.Is(err, ErrConflict) || try == updates {
			return err
		}
	}
}

// DescribeDestination tells of one.
func (s *Service) DescribeDestination(ctx context.Context, ref name.Ref) (Destination, error) {
	_, d, err := s.currentDestination(ctx, ref)
	if err != nil {
		return Destination{}, err
	}
	return *d, nil
}

// ListDestinations is List, of destinations; those of a connection alone, where that
// has a name.
func (s *Service) ListDestinations(ctx context.Context, begin, of name.Ref, after string, most int) ([]Destination, string, error) {
	begin.Kind = name.Destination
	var out []Destination
	for {
		objects, next, err := s.o.Objects.List(ctx, begin, after, most)
		if err != nil {
			return nil, "", objectError(begin, err)
		}
		for _, o := range objects {
			d, err := destinationOf(o)
			if err != nil {
				return nil, "", fmt.Errorf("%s cannot be read: %w", o.Ref, err)
			}
			if of.Name != "" && d.Connection != of {
				continue
			}
			d.State = s.stateOf(d)
			if out = append(out, *d); len(out) == most {
				if next == "" && o.Ref == objects[len(objects)-1].Ref {
					return out, "", nil
				}
				return out, d.Ref.Name, nil
			}
		}
		if next == "" {
			return out, "", nil
		}
		after = next
	}
}

func (s *Service) currentDestination(ctx context.Context, ref name.Ref) (object.Object, *Destination, error) {
	o, err := s.o.Objects.Current(ctx, ref)
	if err != nil {
		return o, nil, objectError(ref, err)
	}
	d, err := destinationOf(o)
	if err != nil {
		return o, nil, fmt.Errorf("%s cannot be read: %w", ref, err)
	}
	d.State = s.stateOf(d)
	return o, d, nil
}

func (s *Service) putDestination(ctx context.Context, o object.Object, spec DestinationSpec) (Destination, error) {
	if err := spec.check(); err != nil {
		return Destination{}, err
	}
	if _, _, err := s.current(ctx, spec.Connection); err != nil {
		return Destination{}, err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return Destination{}, fmt.Errorf("write %s: %w", o.Ref, err)
	}
	o.Spec = text
	made, err := s.o.Objects.Put(ctx, o)
	if err != nil {
		return Destination{}, objectError(o.Ref, err)
	}
	d, err := destinationOf(made)
	if err != nil {
		return Destination{}, err
	}
	d.State = s.stateOf(d)
	return *d, nil
}

// stateOf tells whether a destination can be called, as this node knows it.
func (s *Service) stateOf(d *Destination) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.connections[d.Connection.Key()]; k == nil || k.State == Deauthorized {
		return Inactive
	}
	return Active
}
