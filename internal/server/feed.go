package server

import "ottla/internal/metadata"

// feed gives the broker an image, and tells what is new to it; false while it
// shall not have any yet.
//
// The broker compares what lies on disk with its first image, and sets aside
// what that does not know. A node of several may start with an image that is
// older than what lies there: it knows what was committed when it last looked,
// not what the others have committed since. So its broker begins with the image
// that has this process registered. A quorum of one commits all that it has
// before its first image.
//
// It runs on the quorum's goroutine, as all of follow does.
func (s *Server) feed(img *metadata.Image, d *metadata.Delta) (*metadata.Delta, bool) {
	if !s.fed {
		if b := img.Broker(s.nodeID); s.oneOfSeveral(img) && (b == nil || b.Incarnation != s.incarnation) {
			return nil, false
		}
		s.fed, d = true, img.AsDelta()
	}
	s.broker.OnImage(img, d)
	return d, true
}

// oneOfSeveral tells whether others may have committed what this node has not
// heard of yet.
func (s *Server) oneOfSeveral(img *metadata.Image) bool {
	return several(img, s.nodeID) || len(s.quorum.Status().Voters) > 1 || s.held[0].Joined
}
