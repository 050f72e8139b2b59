package server

import "context"

// do gives a command to the controller and waits for its reply: the change is
// committed then, and this node acts by it.
func (s *Server) do(ctx context.Context, cmd any) (any, error) { return s.quorum.Do(ctx, cmd) }
