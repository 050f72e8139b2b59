package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"ottla/internal/wire"
)

// admitTime bounds how long the cluster may take to reserve a place.
const admitTime = 30 * time.Second

// errWrongToken is all that somebody without the right token learns.
var errWrongToken = wire.Errorf(wire.ClusterAuthorizationFailed,
	"the token is not that of this cluster: copy it from `ottla cluster token` on one of its nodes")

var errNoToken = wire.Errorf(wire.ClusterAuthorizationFailed,
	"this cluster asks for a token: start the node with --token and what `ottla cluster token` prints on one of its nodes")

var errNotHere = wire.Errorf(wire.InvalidRequest, "this node admits no other nodes")

// join serves a node that asks to be let in. known is called once it has shown
// that it may be.
func (s *Server) join(id *Identity, c *Conn, known func()) error {
	frame, err := readFrame(c, maxJoinAsk)
	if err != nil {
		return fmt.Errorf("read a request to join: %w", err)
	}
	r, secret, err := parseAsk(frame)
	if err == nil {
		err = s.mayJoin(id, r, secret)
	}
	if err != nil {
		return errors.Join(err, answer(c, joinAnswer{Refusal: refusal(err)}))
	}
	known()
	_ = c.SetDeadline(time.Now().Add(admitTime + handshakeTime))
	a, err := s.admit(id, c, r)
	if err != nil {
		a = joinAnswer{Refusal: refusal(err), Retry: wire.CodeOf(err).Retriable() || wire.CodeOf(err) == wire.UnknownServerError}
		return errors.Join(fmt.Errorf("admit a node with directory %s: %w", r.DirectoryID, err), answer(c, a))
	}
	if err := answer(c, a); err != nil {
		return fmt.Errorf("tell node %d that it is in: %w", a.Node, err)
	}
	s.o.Logger.Info("a node was let in", slog.Int("node", int(a.Node)), slog.String("directory", r.DirectoryID.String()), slog.String("remote", remote(c)))
	return nil
}

// refusal is the text that the other end may see; causes stay here.
func refusal(err error) string { return wire.MessageOf(err) }

// mayJoin checks the secret before anything else is looked at.
func (s *Server) mayJoin(id *Identity, r JoinRequest, secret []byte) error {
	switch {
	case len(secret) > 0 && !id.admits(secret):
		return errWrongToken
	case len(secret) == 0 && !s.o.Insecure:
		return errNoToken
	case s.o.Admit == nil:
		return errNotHere
	case r.ClusterID != "" && r.ClusterID != id.ClusterID:
		return wire.Errorf(wire.InconsistentClusterID, "the node belongs to cluster %s, and this is cluster %s", r.ClusterID, id.ClusterID)
	}
	return nil
}

// errHungUp is why a place is not reserved any more.
var errHungUp = errors.New("the node that asked has hung up")

// admit lets the cluster reserve a place, and gathers what the node needs. A node that
// hangs up asks another: it may be in, and gone again for good, when the cluster hears
// of this one, and its number would be kept for it for ever.
func (s *Server) admit(id *Identity, c *Conn, r JoinRequest) (joinAnswer, error) {
	ctx, cancel := context.WithTimeout(s.ctx, admitTime)
	defer cancel()
	ctx, hungUp := context.WithCancelCause(ctx)
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			hungUp(errHungUp)
		}
	}()
	node, members, err := s.o.Admit(ctx, r)
	_ = c.SetReadDeadline(time.Now()) // ends the watch: nothing more is read
	<-watch
	if gone := context.Cause(ctx); err != nil && errors.Is(gone, errHungUp) {
		err = gone
	}
	if err != nil {
		return joinAnswer{}, err
	}
	authority, err := pemOf(id.authority.cert, id.authority.key)
	if err != nil {
		return joinAnswer{}, err
	}
	return joinAnswer{Cluster: id.ClusterID, Node: node, Authority: authority, Secret: id.secret[:], Members: members}, nil
}

func answer(c *Conn, a joinAnswer) error {
	_, err := c.Write(appendFrame(nil, marshal(a)))
	return err
}
