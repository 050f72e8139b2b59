package cluster

import (
	"slices"
	"time"

	"ottla/internal/controller"
	"ottla/internal/liveness/tracker"
	"ottla/internal/metadata"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// keeper looks after the nodes while this one leads the quorum: what
// liveness.Keeper does, as events.
type keeper struct {
	p       *process
	tracker *tracker.Tracker
	img     *metadata.Image
	epoch   int32
	led     int32
	leading bool
	term    int // counts leaderships: what an older one began is void
	looking bool
	waiting map[uint64]func()
	lastID  uint64
}

func (k *keeper) init(p *process) {
	k.p, k.tracker, k.img = p, tracker.New(0), metadata.Empty()
	k.epoch, k.led, k.waiting = -1, -1, map[uint64]func(){}
}

// onLeader tells who leads the quorum.
func (k *keeper) onLeader(leader, epoch int32) {
	mine := leader == k.p.n.id
	fresh := mine && (!k.leading || epoch != k.epoch)
	k.epoch, k.leading = epoch, mine
	now := k.p.w.live()
	switch {
	case fresh:
		k.term++
		k.release(k.tracker.Reset(now, k.img.Offset, nodesOf(k.img)))
		if k.led >= 0 && k.led != k.p.n.id {
			k.tracker.Suspect(k.led)
		}
		k.look()
		k.rebalance(k.term)
	case !mine:
		k.term++
		k.release(k.tracker.Reset(now, k.img.Offset, nil))
	}
	if leader >= 0 {
		k.led = leader
	}
}

func nodesOf(img *metadata.Image) []tracker.Node {
	var out []tracker.Node
	for b := range img.Brokers() {
		out = append(out, tracker.Node{ID: b.ID, Epoch: b.Epoch, Fenced: b.Fenced, ShuttingDown: b.InControlledShutdown})
	}
	return out
}

// onImage tells of a step of the metadata.
func (k *keeper) onImage(img *metadata.Image, d *metadata.Delta) {
	k.img = img
	if k.leading && len(d.Brokers) > 0 {
		k.tracker.Image(k.p.w.live(), img.Offset, nodesOf(img))
		k.release(k.tracker.Ready())
		k.look()
	}
}

// look carries out what is due, soon.
func (k *keeper) look() {
	if k.looking {
		return
	}
	k.looking = true
	k.p.after(0, k.carry)
}

// carry gives the controller the actions that are due.
func (k *keeper) carry() {
	k.looking = false
	if !k.leading || !several(k.img, k.p.n.id) {
		return
	}
	now := k.p.w.live()
	actions, again := k.tracker.Next(now)
	for _, a := range actions {
		k.tell(a, k.term)
	}
	if !again.IsZero() {
		term := k.term
		k.p.after(again.Sub(now), func() {
			if k.term == term {
				k.look()
			}
		})
	}
}

// tell gives the controller one action.
func (k *keeper) tell(a tracker.Action, term int) {
	var cmd any
	switch a.Kind {
	case tracker.Fence:
		cmd = controller.FenceBroker{ID: a.Node, Epoch: a.Epoch, Why: a.Why}
	case tracker.Unfence:
		cmd = controller.UnfenceBroker{ID: a.Node, Epoch: a.Epoch}
	default:
		cmd = controller.ShutdownBroker{ID: a.Node, Epoch: a.Epoch}
	}
	k.p.w.hit("broker: " + a.Kind.String())
	k.p.quorum.Turn(k.p.wall(), []any{cmd}, func(int) quorum.Outcome {
		return func(_ any, _ int64, err error) {
			if err == nil || k.term != term {
				return
			}
			k.tracker.Failed(a)
			k.p.after(200*time.Millisecond, k.look)
		}
	})
}

// rebalance moves leaders back where they belong, now and then.
func (k *keeper) rebalance(term int) {
	k.p.after(5*time.Second, func() {
		if k.term != term {
			return
		}
		k.p.quorum.Turn(k.p.wall(), []any{controller.Rebalance{}}, func(int) quorum.Outcome {
			return func(reply any, _ int64, _ error) {
				if done, _ := reply.(controller.Rebalanced); done.Moved > 0 {
					k.p.w.hit("leaders rebalanced")
				}
			}
		})
		k.rebalance(term)
	})
}

// await runs do when all that serve have applied an offset.
func (k *keeper) await(offset int64, do func()) {
	k.lastID++
	k.waiting[k.lastID] = do
	k.tracker.Await(k.lastID, offset)
	k.release(k.tracker.Ready())
}

func (k *keeper) release(ids []uint64) {
	for _, id := range ids {
		if do := k.waiting[id]; do != nil {
			delete(k.waiting, id)
			k.p.after(0, do)
		}
	}
}

// beat is a heartbeat and what it is answered.
type beat struct {
	answer   tracker.Answer
	err      error
	standing time.Duration // how long ago most voters had been heard
}

func (k *keeper) heartbeat(b tracker.Beat) beat {
	if !k.leading {
		return beat{err: wire.NotController}
	}
	a, err := k.tracker.Seen(k.p.w.live(), b)
	if err == nil {
		k.release(k.tracker.Ready())
		if a.Fenced || b.WantFence || b.WantShutDown {
			k.look()
		}
	}
	standing, st := time.Hour, k.p.quorum.Status() // it may have just begun to lead
	if since, known := st.Standing(k.p.wall()); known {
		standing = since
	}
	return beat{a, err, standing}
}

// vet looks at a command of another node, as liveness.Keeper.Vet does.
func (k *keeper) vet(from int32, cmd any) (any, error) {
	reg, ok := cmd.(controller.RegisterBroker)
	if !ok {
		return cmd, nil
	}
	if from == k.p.n.id || reg.Broker.ID != from {
		return nil, wire.DuplicateBrokerRegistration
	}
	if old := k.img.Broker(from); old != nil && k.leading {
		same := slices.ContainsFunc(reg.Broker.Directories, func(d uuid.UUID) bool { return slices.Contains(old.Directories, d) })
		reg.OldGone = k.tracker.Ended(from, same)
	}
	return reg, nil
}

// connectionsReset tells every keeper that a process has ended: at once where the
// machine lives on and says so; a machine without power is silent.
func (w *World) connectionsReset(id int32, power bool) {
	if power {
		return
	}
	w.each(func(n *node) {
		if n.p == nil || n.id == id {
			return
		}
		p := n.p
		w.carry(id, n.id, func() { p.do(func() { p.keeper.down(id) }) })
	})
}

// down probes a node whose connection was reset.
func (k *keeper) down(id int32) {
	if !k.leading || k.img.Broker(id) == nil || !k.tracker.Down(id) {
		return
	}
	k.p.ask(request{
		to: id, timeout: time.Second,
		serve: func(_ *process, answer func(any)) { answer(true) },
		done: func(answer any, _ bool) {
			if answer == nil {
				k.tracker.Gone(id, "closed its connection and cannot be reached")
				k.p.w.hit("probe failed")
				k.look()
			}
		},
	})
}
