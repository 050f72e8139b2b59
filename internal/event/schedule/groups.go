package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// Group is a group of schedules as it is.
type Group struct {
	GroupRef
	Tags map[string]string
	// Token names the request that made it; "" where nothing did.
	Token             string
	ID                string
	Version           int64 // 0 of the default group, until it has tags
	Created, Modified time.Time
}

// groupSpec is how a group is stored.
type groupSpec struct {
	Tags  map[string]string `json:"tags,omitempty"`
	Token string            `json:"token,omitempty"`
}

// mostTags and mostTag are AWS's bounds.
const (
	mostTags = 200
	mostTag  = 256 // characters of a value; a key has half of them
)

// CreateGroup makes a group; ErrExists when it is there.
func (s *Service) CreateGroup(ctx context.Context, ref GroupRef, tags map[string]string) (Group, error) {
	return s.CreateGroupOnce(ctx, ref, tags, "")
}

// CreateGroupOnce is CreateGroup for a request that its token names: asked again,
// because its answer was lost, it gets the group that it made.
func (s *Service) CreateGroupOnce(ctx context.Context, ref GroupRef, tags map[string]string, token string) (Group, error) {
	full := ref.Full()
	if err := checkName(full); err != nil {
		return Group{}, err
	}
	for try := 1; ; try++ {
		old, err := s.Group(ctx, ref)
		switch {
		case err == nil && token != "" && old.Token == token:
			return old, nil
		case err == nil:
			return Group{}, fmt.Errorf("%s: %w", full, ErrExists)
		case !errors.Is(err, ErrNotFound):
			return Group{}, err
		}
		g, err := s.putGroup(ctx, Group{GroupRef: ref, Tags: tags, Token: token})
		if !errors.Is(err, ErrConflict) || try == tries {
			return g, err
		}
	}
}

// Group reads a group; ErrNotFound when there is none. The default group is
// always there.
func (s *Service) Group(ctx context.Context, ref GroupRef) (Group, error) {
	full := ref.Full()
	if err := checkName(full); err != nil {
		return Group{}, err
	}
	o, err := s.o.Objects.Get(ctx, full)
	if errors.Is(err, object.ErrNotFound) && full.Name == DefaultGroup {
		return Group{GroupRef: groupRefOf(full)}, nil
	}
	if err != nil {
		return Group{}, objectError(full, err)
	}
	return groupOf(o)
}

// Groups lists groups by name, those whose names begin with prefix.Name, behind
// the name after; next is to go on after, "" at the end. The default group is
// among them.
func (s *Service) Groups(ctx context.Context, prefix GroupRef, after string, most int) (out []Group, next string, err error) {
	if most < 1 || most > mostNamesAtOne {
		return nil, "", invalid("max", "%d is outside 1 to %d", most, mostNamesAtOne)
	}
	begin := prefix.Full()
	begin.Name = prefix.Name
	objects, next, err := s.o.Objects.List(ctx, begin, after, most)
	if err != nil {
		return nil, "", unavailable("list groups of schedules", err)
	}
	for _, o := range objects {
		g, err := groupOf(o)
		if err != nil {
			return nil, "", err
		}
		out = append(out, g)
	}
	return withDefault(out, begin, after, next, most)
}

// withDefault puts the default group where it belongs, unless it is stored.
func withDefault(out []Group, begin name.Ref, after, next string, most int) ([]Group, string, error) {
	if len(begin.Name) > len(DefaultGroup) || DefaultGroup[:len(begin.Name)] != begin.Name || after >= DefaultGroup {
		return out, next, nil
	}
	at := 0
	for at < len(out) && out[at].Name < DefaultGroup {
		at++
	}
	if at < len(out) && out[at].Name == DefaultGroup || at == len(out) && next != "" {
		return out, next, nil // it is there, or on a later page
	}
	begin.Name = DefaultGroup
	out = append(out[:at], append([]Group{{GroupRef: groupRefOf(begin)}}, out[at:]...)...)
	if len(out) > most {
		out = out[:most]
		next = out[most-1].Name
	}
	return out, next, nil
}

// SetGroupTags changes the tags of a group.
func (s *Service) SetGroupTags(ctx context.Context, ref GroupRef, change func(tags map[string]string)) (Group, error) {
	for try := 1; ; try++ {
		g, err := s.Group(ctx, ref)
		if err != nil {
			return Group{}, err
		}
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		change(g.Tags)
		g, err = s.putGroup(ctx, g)
		if !errors.Is(err, ErrConflict) || try == tries {
			return g, err
		}
	}
}

// DeleteGroup deletes a group with all its schedules; the default group cannot
// be.
func (s *Service) DeleteGroup(ctx context.Context, ref GroupRef) error {
	return s.DeleteGroupOnce(ctx, ref, "")
}

// DeleteGroupOnce is DeleteGroup for a request that its token names, as DeleteOnce
// is Delete.
func (s *Service) DeleteGroupOnce(ctx context.Context, ref GroupRef, token string) error {
	full := ref.Full()
	if full.Name == DefaultGroup {
		return invalid("name", "the group %s cannot be deleted", DefaultGroup)
	}
	if done, err := s.deletedBy(ctx, full, token); done || err != nil {
		return err
	}
	g, err := s.Group(ctx, ref)
	if err != nil {
		return err
	}
	// Who makes a schedule in it meanwhile makes one that is deleted, or one whose
	// group is gone; another DeleteGroup finds it once there is such a group again.
	for {
		some, _, err := s.List(ctx, ListOptions{Account: full.Account, Region: full.Region, Group: full.Name, Most: mostNamesAtOne})
		if err != nil {
			return err
		}
		for _, d := range some {
			if err := s.Delete(ctx, d.Ref); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		if len(some) == 0 {
			return objectError(full, s.o.Objects.DeleteOnce(ctx, full, g.Version, token))
		}
	}
}

func (s *Service) putGroup(ctx context.Context, g Group) (Group, error) {
	if err := checkTags(g.Tags); err != nil {
		return Group{}, err
	}
	full := g.Full()
	spec, err := json.Marshal(groupSpec{Tags: g.Tags, Token: g.Token})
	if err != nil {
		return Group{}, fmt.Errorf("write %s: %w", full, err)
	}
	o, err := s.o.Objects.Put(ctx, object.Object{Ref: full, Version: g.Version, Spec: spec})
	if err != nil {
		return Group{}, objectError(full, err)
	}
	return groupOf(o)
}

func checkTags(tags map[string]string) error {
	if len(tags) > mostTags {
		return invalid("tags", "there are %d; %d are possible", len(tags), mostTags)
	}
	for k, v := range tags {
		if k == "" || len([]rune(k)) > mostTag/2 || len([]rune(v)) > mostTag {
			return invalid("tags", "a key has 1 to %d characters and a value at most %d", mostTag/2, mostTag)
		}
	}
	return nil
}

func groupOf(o object.Object) (Group, error) {
	var spec groupSpec
	if err := json.Unmarshal(o.Spec, &spec); err != nil {
		return Group{}, fmt.Errorf("read the definition of %s: %w", o.Ref, err)
	}
	return Group{GroupRef: groupRefOf(o.Ref), Tags: spec.Tags, Token: spec.Token, ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}, nil
}

func groupRefOf(r name.Ref) GroupRef { return GroupRef{r.Account, r.Region, r.Name} }
