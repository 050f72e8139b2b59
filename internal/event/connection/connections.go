package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// updates bounds how often a change is tried that others came in between of.
const updates = 10

// Create makes a connection. One of OAuth is Authorizing until a token came.
func (s *Service) Create(ctx context.Context, ref name.Ref, spec Spec) (Connection, error) {
	if err := name.Check(name.Connection, ref.Name); err != nil {
		return Connection{}, invalidf("%w", err)
	}
	if err := spec.check(); err != nil {
		return Connection{}, err
	}
	c, err := s.put(ctx, object.Object{Ref: ref}, stored{Description: spec.Description}, &spec.Auth)
	if errors.Is(err, ErrConflict) {
		err = fmt.Errorf("%s: %w", ref, ErrExists)
	}
	return c, err
}

// Update changes a connection. change gets it without secrets; an Auth that it gives
// has all of them, and authorizes anew, nil leaves it as it is.
func (s *Service) Update(ctx context.Context, ref name.Ref, change func(description *string, auth **Auth) error) (Connection, error) {
	for try := 1; ; try++ {
		c, err := s.update(ctx, ref, change)
		if !errors.Is(err, ErrConflict) || try == updates {
			return c, err
		}
	}
}

func (s *Service) update(ctx context.Context, ref name.Ref, change func(*string, **Auth) error) (Connection, error) {
	o, st, err := s.current(ctx, ref)
	if err != nil {
		return Connection{}, err
	}
	var auth *Auth
	if err := change(&st.Description, &auth); err != nil {
		return Connection{}, err
	}
	check := Spec{Description: st.Description, Auth: st.Auth}
	if auth != nil {
		check.Auth = *auth
		if err := check.check(); err != nil {
			return Connection{}, err
		}
	} else if len(st.Description) > mostDescription {
		return Connection{}, invalidf("the description has %d characters; %d are possible", len(st.Description), mostDescription)
	}
	return s.put(ctx, o, st, auth)
}

// Deauthorize has nothing called with a connection any more; its secrets are removed.
func (s *Service) Deauthorize(ctx context.Context, ref name.Ref) (Connection, error) {
	for try := 1; ; try++ {
		o, st, err := s.current(ctx, ref)
		if err != nil {
			return Connection{}, err
		}
		st.Sealed, st.State, st.Reason = "", Deauthorized, "it was deauthorized"
		c, err := s.write(ctx, o, st)
		if !errors.Is(err, ErrConflict) || try == updates {
			return c, err
		}
	}
}

// Delete takes a connection away. One that destinations have is ErrInUse, unless force:
// they are inactive then, as are those that are put at the same moment. One that another
// has made anew meanwhile stays.
func (s *Service) Delete(ctx context.Context, ref name.Ref, force bool) (Connection, error) {
	var was Connection
	for try := 1; ; try++ {
		o, st, err := s.current(ctx, ref)
		switch gone := errors.Is(err, ErrNotFound) || err == nil && o.ID != was.ID; {
		case was.ID != "" && gone: // somebody else has deleted it
			return was, nil
		case err != nil:
			return Connection{}, err
		}
		if err := s.unused(ctx, ref, force, s.having); err != nil {
			return Connection{}, err
		}
		was = connectionOf(o, st)
		err = objectError(ref, s.o.Objects.Remove(ctx, o))
		if !errors.Is(err, ErrConflict) || try == updates {
			return was, err
		}
	}
}

// Describe tells of a connection, without its secrets.
func (s *Service) Describe(ctx context.Context, ref name.Ref) (Connection, error) {
	o, st, err := s.current(ctx, ref)
	if err != nil {
		return Connection{}, err
	}
	return connectionOf(o, st), nil
}

// List gives the connections whose names begin with begin.Name, by name, after the one
// named after, and the name to go on after, "" at the end.
func (s *Service) List(ctx context.Context, begin name.Ref, after string, most int) ([]Connection, string, error) {
	begin.Kind = name.Connection
	objects, next, err := s.o.Objects.List(ctx, begin, after, most)
	if err != nil {
		return nil, "", objectError(begin, err)
	}
	var out []Connection
	for _, o := range objects {
		k, err := knownOf(o)
		if err != nil {
			return nil, "", fmt.Errorf("%s cannot be read: %w", o.Ref, err)
		}
		out = append(out, k.Connection)
	}
	return out, next, nil
}

// current reads a connection as it is anywhere.
func (s *Service) current(ctx context.Context, ref name.Ref) (object.Object, stored, error) {
	o, err := s.o.Objects.Current(ctx, ref)
	if err != nil {
		return o, stored{}, objectError(ref, err)
	}
	var st stored
	if err := json.Unmarshal(o.Spec, &st); err != nil {
		return o, st, fmt.Errorf("%s cannot be read: %w", ref, err)
	}
	return o, st, nil
}

// put writes a connection; an Auth is sealed, and authorizes it anew.
func (s *Service) put(ctx context.Context, o object.Object, st stored, auth *Auth) (Connection, error) {
	if auth != nil {
		text, err := json.Marshal(auth)
		if err == nil {
			st.Sealed, err = s.o.Sealer.Seal(ctx, text, o.Ref.Key())
		}
		if err != nil {
			return Connection{}, fmt.Errorf("%s: %w: %w", o.Ref, ErrUnavailable, err)
		}
		st.Auth, st.State, st.Reason, st.AuthorizedMs = auth.bare(), Authorized, "", s.nowMs()
		if auth.Type == OAuth {
			st.State, st.AuthorizedMs = Authorizing, 0
		}
	}
	c, err := s.write(ctx, o, st)
	if err == nil && c.State == Authorizing {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			s.working.Go(func() { s.authorize(c.Ref) })
		}
	}
	return c, err
}

func (s *Service) write(ctx context.Context, o object.Object, st stored) (Connection, error) {
	text, err := json.Marshal(st)
	if err != nil {
		return Connection{}, fmt.Errorf("write %s: %w", o.Ref, err)
	}
	o.Spec = text
	made, err := s.o.Objects.Put(ctx, o)
	if err != nil {
		return Connection{}, objectError(o.Ref, err)
	}
	return connectionOf(made, st), nil
}

func connectionOf(o object.Object, st stored) Connection {
	return Connection{
		Ref: o.Ref, Spec: Spec{st.Description, st.Auth}, ID: o.ID, State: st.State, Reason: st.Reason, Version: o.Version,
		Created: o.Created, Modified: o.Modified, AuthorizedMs: st.AuthorizedMs,
	}
}
