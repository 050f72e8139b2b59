package mapping

import "ottla/internal/event/name"

// Stopped tells whether what carries a mapping out here takes nothing any more; a call may
// be under way.
func (s *Service) Stopped(ref name.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runners[ref.Key()]
	return r == nil || r.m.Paused || r.ctx.Err() != nil
}
