package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"ottla/internal/event/name"
)

// Parts of a connection that may differ.
const (
	DiffersInDescription = "description"
	DiffersInAuth        = "auth"
)

// Put makes a connection be as it is told, whole. One that is so already stays as it is,
// with its token. Without an Auth (its Type is "") one that is there keeps its own.
func (s *Service) Put(ctx context.Context, ref name.Ref, spec Spec) (c Connection, created bool, err error) {
	for try := 1; ; try++ {
		c, created, err = s.putOnce(ctx, ref, spec)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) || try == updates {
			return c, created, err
		}
	}
}

func (s *Service) putOnce(ctx context.Context, ref name.Ref, spec Spec) (Connection, bool, error) {
	differs, err := s.Differs(ctx, ref, spec)
	if errors.Is(err, ErrNotFound) {
		c, err := s.Create(ctx, ref, spec)
		return c, true, err
	}
	if err != nil {
		return Connection{}, false, err
	}
	if len(differs) == 0 {
		c, err := s.Describe(ctx, ref)
		return c, false, err
	}
	c, err := s.Update(ctx, ref, func(description *string, auth **Auth) error {
		*description = spec.Description
		if differs[len(differs)-1] == DiffersInAuth {
			*auth = &spec.Auth
		}
		return nil
	})
	return c, false, err
}

// Differs names the parts of a connection that are not as a Spec has them: what Put
// would change.
func (s *Service) Differs(ctx context.Context, ref name.Ref, spec Spec) (parts []string, err error) {
	_, st, err := s.current(ctx, ref)
	if err != nil {
		return nil, err
	}
	if st.Description != spec.Description {
		parts = append(parts, DiffersInDescription)
	}
	if spec.Auth.Type == "" {
		return parts, nil
	}
	if err := spec.check(); err != nil {
		return nil, err
	}
	if st.Sealed == "" || st.State == Deauthorized { // by somebody, or by who gives its tokens: it is authorized anew
		return append(parts, DiffersInAuth), nil
	}
	text, err := s.o.Sealer.Open(ctx, st.Sealed, ref.Key())
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", ref, ErrUnavailable, err)
	}
	var have Auth
	if err := json.Unmarshal(text, &have); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", ref, err)
	}
	if !reflect.DeepEqual(have, spec.Auth.plain()) {
		parts = append(parts, DiffersInAuth)
	}
	return parts, nil
}

// plain is the Auth as it is read again: empty lists are none.
func (a Auth) plain() Auth {
	a.Parameters = a.Parameters.plain()
	if a.OAuth != nil {
		c := *a.OAuth
		c.Parameters = c.Parameters.plain()
		a.OAuth = &c
	}
	return a
}

func (p Parameters) plain() Parameters {
	for _, list := range []*[]Parameter{&p.Header, &p.Query, &p.Body} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return p
}

// PutDestination makes an API destination be as it is told, whole.
func (s *Service) PutDestination(ctx context.Context, ref name.Ref, spec DestinationSpec) (d Destination, created bool, err error) {
	for try := 1; ; try++ {
		d, err = s.UpdateDestination(ctx, ref, func(now *DestinationSpec) error { *now = spec; return nil })
		if created = errors.Is(err, ErrNotFound) && !s.there(ctx, ref); created {
			d, err = s.CreateDestination(ctx, ref, spec)
		}
		if !errors.Is(err, ErrExists) || try == updates {
			return d, created, err
		}
	}
}

// there tells a destination that is there: what is not found may be its connection.
func (s *Service) there(ctx context.Context, ref name.Ref) bool {
	_, _, err := s.currentDestination(ctx, ref)
	return !errors.Is(err, ErrNotFound)
}
