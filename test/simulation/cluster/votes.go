package cluster

import (
	"time"

	"ottla/internal/metadata"
	"ottla/internal/quorum"
)

// vote takes a vote from a member of the quorum, or gives it back.
func (w *World) vote() {
	lead := w.controller()
	if lead == nil {
		return
	}
	s := lead.quorum.Status()
	list, kind := s.Voters, quorum.Demote
	if w.chaos.IntN(2) == 0 {
		list, kind = s.Observers, quorum.Promote
	}
	if len(list) == 0 || kind == quorum.Demote && len(list) < 3 {
		return
	}
	w.change(lead, kind, list[w.chaos.IntN(len(list))])
}

// change orders a change of the quorum.
func (w *World) change(lead *process, kind quorum.ChangeKind, r quorum.Replica) {
	until := w.loop.Now() + 3*time.Second
	lead.do(func() {
		lead.quorum.Change(lead.wall(), quorum.MembershipChange{Kind: kind, Voter: quorum.Voter{ID: r.ID, DirectoryID: r.DirectoryID}},
			func() bool { return w.loop.Now() > until }, func(_ any, _ int64, err error) {
				if err == nil {
					w.hit("vote: " + kind.String())
				}
			})
	})
}

// enfranchise gives votes back to nodes until there are three voters.
func (w *World) enfranchise() {
	if lead := w.controller(); lead != nil {
		s := lead.quorum.Status()
		if len(s.Voters) < 3 && len(s.Observers) > 0 {
			w.change(lead, quorum.Promote, s.Observers[w.chaos.IntN(len(s.Observers))])
		}
		w.readmit(lead)
	}
	w.loop.After(time.Second, w.enfranchise)
}

// readmit gives nodes that were removed from the quorum another disk, as an operator
// does: a request to join that a disk before the last one had sent may come late, and
// takes the place of the newer member.
func (w *World) readmit(lead *process) {
	w.each(func(n *node) {
		if n.p != nil && n.p.quorum.Status().Removed && !n.retired && w.spare(lead.quorum.Image(), n.id) {
			w.hit("removed by an older life's request")
			n.wipe()
		}
	})
}

// registered tells whether the metadata have a node as it is now.
func (n *node) registered(img *metadata.Image) bool {
	b := img.Broker(n.id)
	return n.p != nil && b != nil && b.Live() && b.Incarnation == n.p.incarnation
}
