package cluster

import (
	"slices"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/test/simulation/event"
)

// chaos brings the next fault, of those that the seed has, and so on.
func (w *World) chaosStep() {
	if w.calm {
		return
	}
	if !w.mourning() {
		faults := w.faults()
		faults[w.chaos.IntN(len(faults))]()
	}
	w.loop.After(event.Between(w.chaos, w.o.Pace/2, w.o.Pace*3/2), w.chaosStep)
}

// faults are those that this seed has.
func (w *World) faults() []func() {
	out := []func(){w.healNetwork}
	for _, f := range []struct {
		on   bool
		what []func()
	}{
		{w.o.Partitioned, []func(){w.split, w.isolate, w.oneWay, w.bridge, w.flap}},
		{w.o.Guest, []func(){w.invite}},
		{w.o.CutOff, []func(){w.cutClients}},
		{w.o.Crashes, []func(){w.crashNow, w.crashSoon, w.crashSoon, w.crashAll}},
		{w.o.Kills, []func(){w.killNow}},
		{w.o.Stops, []func(){w.stopNow}},
		{w.o.IOErrors, []func(){w.failSoon}},
		{w.o.Full, []func(){w.fillDisk}},
		{w.o.Pauses, []func(){w.pauseOne}},
		{w.o.Jumps, []func(){w.jump}},
		{w.o.Moves, []func(){w.resignNow, w.moveLeader}},
		{w.o.Wipes, []func(){w.wipeOne}},
		{w.o.Votes, []func(){w.vote}},
		{w.o.Rot, []func(){w.rotOne, w.rotOne}},
		{w.o.Slow, []func(){w.slowLink, w.slowDisk}},
	} {
		if f.on {
			out = append(out, f.what...)
		}
	}
	return out
}

func (w *World) anyNode() *node { return w.nodes[1+w.chaos.IntN(len(w.nodes)-1)] }

func (w *World) healNetwork() {
	clear(w.blocked)
	clear(w.slow)
}

// block cuts the links between nodes that cut names, and no others.
func (w *World) block(name string, cut func(a, b int32) bool) {
	clear(w.blocked)
	w.each(func(a *node) {
		w.each(func(b *node) {
			if a != b && cut(a.id, b.id) {
				w.blocked[[2]int32{a.id, b.id}] = true
			}
		})
	})
	w.hit("network: " + name)
	w.note("network: %s", name)
}

// split cuts the nodes in two groups.
func (w *World) split() {
	side := map[int32]bool{}
	w.each(func(n *node) { side[n.id] = w.chaos.IntN(2) == 0 })
	w.block("split", func(a, b int32) bool { return side[a] != side[b] })
}

// isolate cuts one off, the one that leads the quorum as often as any.
func (w *World) isolate() {
	id := w.anyNode().id
	if l := w.controller(); l != nil && w.chaos.IntN(2) == 0 {
		id = l.n.id
	}
	w.block("isolation", func(a, b int32) bool { return a == id || b == id })
}

func (w *World) oneWay() {
	id, out := w.anyNode().id, w.chaos.IntN(2) == 0
	w.block("one way", func(a, b int32) bool { return out && a == id || !out && b == id })
}

// bridge leaves one node that reaches all, and the others in two groups.
func (w *World) bridge() {
	id := w.anyNode().id
	w.block("bridge", func(a, b int32) bool { return a != id && b != id && a%2 != b%2 })
}

// flap cuts a pair for a moment, again and again.
func (w *World) flap() {
	a, b := w.anyNode().id, w.anyNode().id
	for i := range 8 {
		w.loop.After(time.Duration(i)*150*time.Millisecond, func() {
			on := i%2 == 0 && !w.calm && a != b
			for _, link := range [][2]int32{{a, b}, {b, a}} {
				if on {
					w.blocked[link] = true
				} else {
					delete(w.blocked, link)
				}
			}
		})
	}
	w.hit("network: flapping")
}

// cutClients cuts some clients off from a node, beside what is cut already.
func (w *World) cutClients() {
	id := w.anyNode().id
	for i := range w.clients {
		if client := firstClient + int32(i); w.chaos.IntN(2) == 0 {
			w.blocked[[2]int32{client, id}], w.blocked[[2]int32{id, client}] = true, true
		}
	}
	w.hit("network: clients cut off")
	w.note("network: clients are cut off from node %d", id)
}

// controller is a process that leads the quorum.
func (w *World) controller() *process {
	for _, n := range w.nodes[1:] {
		if n.p != nil && !n.paused && n.p.quorum.Status().Serves {
			return n.p
		}
	}
	return nil
}

func (w *World) crashNow() {
	if n := w.anyNode(); n.p != nil {
		n.powerCut()
	}
}

func (w *World) crashSoon() {
	if n := w.anyNode(); n.p != nil {
		n.crashIn = 1 + w.chaos.IntN(40)
	}
}

// crashAll is the coordinated power cut.
func (w *World) crashAll() {
	w.hit("power cut of all")
	w.each(func(n *node) {
		if n.p != nil {
			n.powerCut()
		}
	})
}

func (w *World) killNow() {
	if n := w.anyNode(); n.p != nil {
		w.hit("kill")
		n.end(false)
		n.startLater()
	}
}

// stopNow stops a node as an operator does: others lead first, if they will.
func (w *World) stopNow() {
	n := w.anyNode()
	if n.p == nil || n.paused || !n.p.entered {
		return
	}
	p := n.p
	p.speaker.retiring = true
	p.speaker.say()
	w.hit("retirement")
	until := w.loop.Now() + 5*time.Second
	var look func()
	look = func() {
		if !p.speaker.mayStop && w.loop.Now() < until {
			p.after(50*time.Millisecond, look)
			return
		}
		if p.speaker.mayStop {
			w.hit("retirement granted")
		}
		p.quorum.Resign(p.wall())
		p.after(100*time.Millisecond, n.stop)
	}
	p.after(50*time.Millisecond, look)
}

func (w *World) failSoon() {
	if n := w.anyNode(); n.p != nil {
		n.failIn = 1 + w.chaos.IntN(60)
	}
}

func (w *World) fillDisk() {
	n := w.anyNode()
	w.hit("disk filled")
	n.disk.SetCapacity(n.disk.Used() + w.chaos.Int64N(4000))
	disk := n.disk
	w.loop.After(event.Between(w.chaos, time.Second, 6*time.Second), func() { disk.SetCapacity(1 << 40) })
}

func (w *World) pauseOne() {
	w.anyNode().pause(event.Between(w.chaos, 200*time.Millisecond, 6*time.Second))
}

func (w *World) jump() {
	w.hit("clock jump")
	w.anyNode().skew = event.Draw(w.chaos, -time.Hour, time.Hour, 0, 365*24*time.Hour, -365*24*time.Hour)
}

func (w *World) slowLink() {
	w.hit("slow link")
	a, b := w.anyNode().id, w.anyNode().id
	w.slow[[2]int32{a, b}] = event.Between(w.chaos, 100*time.Millisecond, time.Second)
}

func (w *World) slowDisk() {
	w.hit("slow disk")
	n := w.anyNode()
	n.slowDisk = event.Draw(w.chaos, 0, 100*time.Millisecond, 800*time.Millisecond)
}

// resignNow has the quorum's leader hand on.
func (w *World) resignNow() {
	if p := w.controller(); p != nil {
		p.do(func() {
			if p.quorum.Resign(p.wall()) {
				w.hit("quorum handed on")
			}
		})
	}
}

// moveLeader has preferred replicas lead, or others made preferred.
func (w *World) moveLeader() {
	p := w.controller()
	if p == nil {
		return
	}
	img := p.quorum.Image()
	var cmd controller.ReassignPartitions
	for t := range img.Topics() {
		for _, x := range t.Partitions {
			if w.chaos.IntN(3) > 0 || len(x.Adding)+len(x.Removing) > 0 {
				continue
			}
			cmd.Partitions = append(cmd.Partitions, controller.Reassignment{
				TopicPartition: controller.TopicPartition{Topic: t.Name, Index: x.Index}, Replicas: w.shuffled(len(x.Replicas)),
			})
		}
	}
	if len(cmd.Partitions) == 0 {
		return
	}
	p.do(func() {
		p.control.do(cmd, 5*time.Second, func(_ any, err error) {
			if err != nil {
				return
			}
			w.hit("reassignment")
			p.control.do(controller.ElectLeaders{}, 5*time.Second, func(reply any, _ error) {
				if rows, _ := reply.([]controller.ElectResult); len(rows) > 0 {
					w.hit("preferred leaders elected")
				}
			})
		})
	})
}

// shuffled draws so many nodes.
func (w *World) shuffled(n int) []int32 {
	var ids []int32
	w.each(func(n *node) { ids = append(ids, n.id) })
	w.chaos.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids[:min(n, len(ids))]
}

// wipeOne loses a disk for good, where the others can do without.
func (w *World) wipeOne() {
	n := w.anyNode()
	if !w.canLose(n) {
		return
	}
	w.healNetwork() // or those who are left may count each other out before they notice
	n.wipe()
}

// mourning tells whether somebody still counts on a disk that was lost: who else
// starts anew meanwhile leaves those in sync, and the lost one may be the last there.
func (w *World) mourning() bool {
	if w.lostDisk.IsZero() {
		return false
	}
	lead := w.controller()
	if lead == nil {
		return true
	}
	for t := range lead.quorum.Image().Topics() {
		for _, x := range t.Partitions {
			if at := slices.Index(x.Directories, w.lostDisk); at >= 0 && slices.Contains(x.ISR, x.Replicas[at]) {
				return true
			}
		}
	}
	w.lostDisk = uuid.UUID{}
	return false
}

// canLose tells whether the cluster has everything without a node's disk: all are up
// and of one mind, the quorum has a majority without it, and every partition another
// replica in sync.
func (w *World) canLose(n *node) bool {
	lead := w.controller()
	if lead == nil || lead.n == n {
		return false
	}
	img := lead.quorum.Image()
	for _, x := range w.nodes[1:] {
		if x.p == nil || x.p.quorum.Image().Offset != img.Offset || x.p.quorum.Status().Waiting || x.crashIn > 0 || x.failIn > 0 || x.paused {
			return false
		}
		if !x.registered(img) {
			return false
		}
	}
	s := lead.quorum.Status()
	voters := 0
	for _, v := range s.Voters {
		x := w.node(v.ID)
		if v.DirectoryID != x.p.quorum.DirectoryID() {
			return false
		}
		if x != n {
			voters++
		}
	}
	return voters > len(s.Voters)/2 && w.spare(img, n.id)
}

// spare tells whether every partition has another replica in sync than a node's.
func (w *World) spare(img *metadata.Image, id int32) bool {
	for t := range img.Topics() {
		for _, x := range t.Partitions {
			others := slices.DeleteFunc(slices.Clone(x.ISR), func(r int32) bool { return r == id || w.rotten(t, x, r) })
			if slices.Contains(x.Replicas, id) && len(others) == 0 {
				return false
			}
			for i, r := range x.Replicas {
				if x.Directories[i] != w.node(r).directory {
					return false // the controller has not heard yet where it lies
				}
			}
		}
	}
	return true
}
