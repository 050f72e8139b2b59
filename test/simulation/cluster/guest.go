package cluster

import (
	"slices"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/quorum"
)

// A guest is a node more, which joins in the middle of the faults and leaves when they
// are over: others take what it has, it stops, and is forgotten.

// invite has a guest join, once.
func (w *World) invite() {
	if w.guest != nil {
		return
	}
	n := &node{w: w, id: int32(len(w.nodes)), joining: true}
	w.guest, w.nodes = n, append(w.nodes, n)
	n.newDisk()
	n.start()
	w.hit("guest joins")
}

// farewell has the guest leave.
func (w *World) farewell() {
	if w.guest == nil {
		return
	}
	g, busy := w.guest, false
	ask := func(lead *process, cmd any) {
		busy = true
		lead.do(func() { lead.control.do(cmd, 20*time.Second, func(any, error) { busy = false }) })
	}
	w.await("the guest leaves", 120*time.Second, func() string {
		lead := w.controller()
		switch {
		case lead == nil:
			return "nobody leads the quorum"
		case busy:
			return "the controller is asked"
		case lead.n == g:
			lead.do(func() { lead.quorum.Resign(lead.wall()) })
			return "it leads the quorum"
		}
		img := lead.quorum.Image()
		if cmd := w.without(img, g.id); len(cmd.Partitions) > 0 {
			w.hit("guest had replicas")
			ask(lead, cmd)
			return "it has replicas"
		}
		if g.moves(img) {
			return "its replicas are on their way"
		}
		if g.p != nil {
			g.retired = true
			g.stop()
			return "it has just stopped"
		}
		if img.Broker(g.id) != nil {
			ask(lead, controller.UnregisterBroker{ID: g.id})
			return "it is registered"
		}
		s := lead.quorum.Status()
		for _, r := range slices.Concat(s.Voters, s.Observers) {
			if r.ID == g.id {
				busy = true
				w.change(lead, quorum.Remove, r)
				w.loop.After(3*time.Second, func() { busy = false })
				return "it is a member of the quorum"
			}
		}
		return ""
	})
	g.countDisk()
	w.nodes, w.guest = w.nodes[:g.id], nil
	w.hit("guest has left")
	w.await("after the guest has left", 60*time.Second, w.well)
}

// without are moves that leave a node no replica.
func (w *World) without(img *metadata.Image, id int32) (cmd controller.ReassignPartitions) {
	for t := range img.Topics() {
		for _, x := range t.Partitions {
			if !slices.Contains(x.Replicas, id) || len(x.Adding)+len(x.Removing) > 0 {
				continue
			}
			to := slices.Clone(x.Replicas)
			for other := int32(1); other < id; other++ {
				if !slices.Contains(to, other) {
					to[slices.Index(to, id)] = other
					break
				}
			}
			cmd.Partitions = append(cmd.Partitions, controller.Reassignment{
				TopicPartition: controller.TopicPartition{Topic: t.Name, Index: x.Index}, Replicas: to,
			})
		}
	}
	return cmd
}

// moves tells whether anything lies on a node still.
func (n *node) moves(img *metadata.Image) bool {
	for t := range img.Topics() {
		for _, x := range t.Partitions {
			if slices.Contains(x.Replicas, n.id) {
				return true
			}
		}
	}
	return false
}
