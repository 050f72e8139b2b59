package server

import (
	"context"
	"errors"
	"time"

	"ottla/internal/liveness"
	"ottla/internal/metadata"
	"ottla/internal/quorum"
	"ottla/internal/wire"
)

// A node that was taken out of the cluster, and what the cluster forgets then.

// dismissed tells whether an error is the refusal of a node that is not of the
// cluster any more.
func dismissed(err error) bool { return wire.CodeOf(err) == wire.BrokerIDNotRegistered }

// outTimeout bounds one look for whether this node is still of the cluster.
const outTimeout = 2 * time.Second

// whileMember gives a context that ends, with the reason, when a node that starts
// turns out to have been removed from the cluster: the others do not speak with it,
// so it would wait for them for ever.
func (s *Server) whileMember(ctx context.Context) (inner context.Context, stop func()) {
	inner, cancel := context.WithCancelCause(ctx)
	if !s.oneOfSeveral(s.quorum.Image()) {
		return inner, func() { cancel(nil) }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		look := time.NewTicker(joinPause * 10)
		defer look.Stop()
		for silent := 1; ; silent++ {
			select {
			case <-look.C:
			case <-inner.Done():
				return
			}
			st := s.quorum.Status()
			switch {
			case st.Removed:
				cancel(liveness.Dismissed(s.nodeID))
			case st.Leader >= 0 || st.Waiting:
				silent = 0
			case silent%5 == 0:
				if err := s.stillIn(inner); err != nil {
					cancel(err)
				}
			}
		}
	}()
	return inner, func() {
		cancel(nil)
		<-done
	}
}

// stillIn asks the others, who do not say who leads, whether this node is of the
// cluster; the error is that it is not.
func (s *Server) stillIn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, outTimeout)
	defer cancel()
	leader, err := s.askIn(ctx, -1)
	if err == nil && leader >= 0 {
		_, err = s.askIn(ctx, leader)
	}
	if dismissed(err) {
		return err
	}
	return nil
}

// registerAgain is what the heartbeats do when the controller does not know this
// node: it ends when it was removed.
func (s *Server) registerAgain(ctx context.Context) (int64, error) {
	epoch, err := s.registerBroker(ctx)
	if dismissed(err) {
		s.fatal(err)
	}
	return epoch, err
}

// forgetMembers looks, when nodes came or went, whether the metadata quorum has
// members that are no nodes any more.
func (s *Server) forgetMembers(img *metadata.Image, d *metadata.Delta) {
	if len(d.Brokers) > 0 && len(s.strangers(img)) > 0 {
		s.forgetStrangers()
	}
}

// strangers are the members of the metadata quorum that have no vote, and whose
// nodes are not registered any more.
func (s *Server) strangers(img *metadata.Image) (gone []quorum.Voter) {
	for _, m := range s.quorum.Members() {
		if !m.Votes && img.Broker(m.ID) == nil {
			gone = append(gone, m.Voter)
		}
	}
	return gone
}

// forgetStrangers takes them out, where this node leads: else it would send to them
// for ever. What it does not get done, whoever leads next does, when it begins to.
func (s *Server) forgetStrangers() {
	if !s.forgets.begin() {
		return
	}
	s.forgetting.Go(func() {
		for more := true; more; more = s.forgets.more() {
			for !s.forgotten() {
				select {
				case <-s.staying.Done():
					return
				case <-time.After(forgetPause):
				}
			}
		}
	})
}

// forgetPause is the time between two tries.
const forgetPause = time.Second

// forgotten takes the strangers out once; false when it is to be tried again: this
// node leads, and one is left.
func (s *Server) forgotten() bool {
	ctx, cancel := context.WithTimeout(s.staying, forgetTimeout)
	defer cancel()
	for _, v := range s.strangers(s.quorum.Image()) {
		err := s.quorum.Change(ctx, quorum.MembershipChange{Kind: quorum.Remove, Voter: v})
		switch {
		case err == nil, errors.Is(err, quorum.ErrUnknownMember):
		case s.quorum.Status().Leader != s.nodeID || s.staying.Err() != nil:
			return true // it is for who leads next
		default:
			s.o.Logger.Warn("a node that was removed is an observer of the metadata quorum still; it is tried again", "broker", v.ID, "err", err)
			return false
		}
	}
	return true
}
