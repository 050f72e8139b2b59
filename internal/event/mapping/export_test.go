package mapping

import "ottla/internal/event/name"

// Waiting is how many batches wait for their window, or to be tried again.
func (s *Service) Waiting() (n int) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	for t := range s.board.tasks {
		if t.waits {
			n++
		}
	}
	return n
}

// Stopped tells whether what carries a mapping out here takes nothing any more; a call may
// be under way.
func (s *Service) Stopped(ref name.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runners[ref.Key()]
	return r == nil || r.m.Paused || r.ctx.Err() != nil
}
