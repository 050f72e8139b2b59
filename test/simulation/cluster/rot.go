package cluster

import (
	"strings"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/quorum"
	"ottla/test/simulation/event"
)

// rotOne damages a file of a node, where the others have everything: a bit turns, or
// the file is gone. Never is the same damaged twice: as long as a node is rotten, no
// other loses anything. After a while its disk is taken for broken and replaced.
func (w *World) rotOne() {
	n := w.anyNode()
	if n.paused || !w.canLose(n) {
		return
	}
	w.hit("rot")
	if w.chaos.IntN(2) == 0 {
		n.end(false) // what a running process holds in memory is not damaged
		n.startLater()
	}
	n.rotten, n.rotted = true, true
	files := n.disk.Files()
	var names []string
	for _, name := range files {
		if strings.HasPrefix(name, dataPath+"/") && !strings.HasSuffix(name, ".lock") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	name := event.Draw(w.chaos, names...)
	content, err := n.disk.Content(name)
	if err == nil && len(content) > 0 && w.chaos.IntN(4) > 0 {
		_, err = n.disk.FlipAny(name, 0, int64(len(content)))
	} else if err == nil {
		err = n.disk.Delete(name)
	}
	if err != nil {
		w.fail("%v: damage %s: %v", n, name, err)
	}
	w.note("%v: %s rots", n, name)
	w.replaceLater(n)
}

// replaceLater gives a rotten node another disk once the others have everything.
func (w *World) replaceLater(n *node) {
	w.loop.After(event.Between(w.chaos, time.Second, 5*time.Second), func() {
		switch {
		case !n.rotted:
			return
		case w.canLose(n):
			n.wipe()
			return
		case n.p != nil && n.p == w.controller(): // another must lead the quorum first
			n.p.do(func() { n.p.quorum.Resign(n.p.wall()) })
		}
		w.replaceLater(n)
	})
}

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
	if !w.calm {
		return
	}
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
		if n.p != nil && n.p.quorum.Status().Removed && w.spare(lead.quorum.Image(), n.id) {
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

// rotting tells whether a node is damaged.
func (w *World) rotting() bool {
	for _, n := range w.nodes[1:] {
		if n.rotted {
			return true
		}
	}
	return false
}
