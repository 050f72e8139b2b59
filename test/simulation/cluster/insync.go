package cluster

import (
	"cmp"
	"slices"
	"time"

	"ottla/internal/broker/insync"
	"ottla/internal/controller"
	"ottla/internal/partition"
)

// inSync has the controller note which followers are in sync: what insync.Keeper
// does, as events.
type inSync struct {
	p    *process
	due  []*partition.Partition
	soon bool
	busy bool
}

func newInSync(p *process) *inSync { return &inSync{p: p} }

// run looks at all partitions now and then.
func (s *inSync) run() {
	s.p.every(insync.Pace, func() { s.round(s.p.partitions()) })
}

// Lead, Running and Close implement broker.InSync.
func (s *inSync) Lead()         {}
func (s *inSync) Running() bool { return true }
func (s *inSync) Close()        {}

// Look implements broker.InSync: a partition is looked at soon.
func (s *inSync) Look(p *partition.Partition) {
	if !slices.Contains(s.due, p) {
		s.due = append(s.due, p)
	}
	if s.soon {
		return
	}
	s.soon = true
	s.p.after(0, func() {
		s.soon = false
		due := s.due
		s.due = nil
		s.round(due)
	})
}

// round tells the controller what partitions propose; one command is under way at
// a time.
func (s *inSync) round(parts []*partition.Partition) {
	p := s.p
	if s.busy {
		return // the next round looks at all
	}
	img := p.broker.Image()
	batches := insync.Propose(img, p.n.id, p.w.o.MaxLag, slices.Values(parts), 1000)
	if len(batches) == 0 {
		return
	}
	batch, epoch := batches[0], img.Broker(p.n.id).Epoch
	s.busy = true
	p.control.do(insync.Command(p.n.id, epoch, batch), 10*time.Second, func(reply any, err error) {
		s.busy = false
		rows, ok := reply.([]controller.AlteredPartition)
		if err != nil || !ok || len(rows) != len(batch) {
			return
		}
		for i := range rows {
			p.w.hit("ISR: " + rows[i].Code.Name())
			batch[i].Settle(&rows[i])
		}
	})
}

// partitions are all of this node, in order.
func (p *process) partitions() []*partition.Partition {
	all := slices.Collect(p.broker.Partitions())
	slices.SortFunc(all, func(a, b *partition.Partition) int {
		x, y := a.Describe(), b.Describe()
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Index, y.Index))
	})
	return all
}
