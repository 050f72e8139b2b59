package connection

import (
	"context"
	"fmt"
	"strings"

	"ottla/internal/event/name"
)

// mostUsers is how many of those that use something are told of.
const mostUsers = 3

// unused tells whether nothing uses an object, for a deletion without force.
func (s *Service) unused(ctx context.Context, ref name.Ref, force bool, users func(context.Context, name.Ref) ([]name.Ref, error)) error {
	if force || users == nil {
		return nil
	}
	by, err := users(ctx, ref)
	if err != nil || len(by) == 0 {
		return err
	}
	var told []string
	for _, u := range by[:min(len(by), mostUsers)] {
		told = append(told, u.String())
	}
	text := strings.Join(told, ", ")
	if more := len(by) - len(told); more > 0 {
		text = fmt.Sprintf("%s and %d more", text, more)
	}
	return fmt.Errorf("%s: %w by %s", ref, ErrInUse, text)
}

// having gives the destinations that have a connection, wherever they are.
func (s *Service) having(ctx context.Context, ref name.Ref) (out []name.Ref, err error) {
	all, _, err := s.ListDestinations(ctx, name.Ref{}, ref, "", 1<<30)
	for i := range all {
		out = append(out, all[i].Ref)
	}
	return out, err
}
