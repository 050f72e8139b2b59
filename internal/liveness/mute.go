package liveness

import "time"

// muteAfter is for how long nothing is heard beyond what a node may take for granted
// until it counts as cut off: longer than it takes to have another controller where
// one froze, so that those who are merely without one send nobody away.
const muteAfter = time.Second

// Mute tells whether this node is cut off for all that it knows: none of its
// heartbeats has been answered for so long that others lead in its place, if there
// is a majority of them. A node alone never is, nor one that was told that it is
// fenced. It costs a look at the clock.
func (s *Speaker) Mute() bool {
	return s.trust.until.Load() > 0 && !s.trust.holds(s.o.Now().Add(-muteAfter))
}
