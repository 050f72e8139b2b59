package election

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// Rules are what holds for a partition's topic while a command is decided.
type Rules struct {
	// ELR tells whether eligible leader replicas are kept.
	ELR bool
	// MinISR is the topic's min.insync.replicas.
	MinISR int
	// Unclean lets a replica lead that may lack records, where no other can.
	Unclean bool
	// MayLead tells whether a replica could lead if it has all records: its
	// broker serves, and the directory that it lies in works.
	MayLead func(p *metadata.Partition, id int32) bool
}

// Change is what a partition shall become. Nil lists keep what it has.
type Change struct {
	ISR                        []int32
	Replicas, Adding, Removing []int32
	// Directories go with Replicas, one for each.
	Directories []uuid.UUID
	// Lost are replicas that may lack committed records from now on.
	Lost []int32
	// Preferred has the first replica lead where it may.
	Preferred bool
	// Recovered tells that the leader has recovered from an unclean election.
	Recovered bool
}

// draft is the partition in the making.
type draft struct {
	was                             *metadata.Partition
	replicas, isr, adding, removing []int32
	elr, last                       []int32
	leader                          int32
	unclean                         bool
}

// Decide gives the record that makes p what it shall be, nil where nothing
// changes. It keeps no list that it was given but those that go unchanged into
// the record.
func Decide(p *metadata.Partition, want Change, r Rules) *metadata.PartitionChangeRecord {
	d := &draft{
		was: p, leader: p.Leader, last: p.LastELR,
		replicas: or(want.Replicas, p.Replicas), isr: or(want.ISR, p.ISR),
		adding: or(want.Adding, p.Adding), removing: or(want.Removing, p.Removing),
	}
	d.isr = Without(within(d.isr, d.replicas), want.Lost...)
	d.complete()
	d.eligible(want.Lost, r)
	d.elect(want.Preferred, r)
	d.settle(r)
	return d.record(want)
}

func or(list, otherwise []int32) []int32 {
	if list != nil {
		return list
	}
	return otherwise
}

// complete ends a reassignment whose targets are all in sync.
func (d *draft) complete() {
	if len(d.adding)+len(d.removing) == 0 {
		return
	}
	isr, replicas := Without(d.isr, d.removing...), Without(d.replicas, d.removing...)
	if len(isr) == 0 || !has(isr, replicas) {
		return
	}
	d.isr, d.replicas, d.adding, d.removing = isr, replicas, nil, nil
}

// record compares what is with what was.
func (d *draft) record(want Change) *metadata.PartitionChangeRecord {
	p := d.was
	change := metadata.ChangePartition(p.Topic.ID, p.Index)
	changed := false
	for _, f := range []struct {
		to      *[]int32
		is, was []int32
	}{
		{&change.ISR, d.isr, p.ISR}, {&change.Replicas, d.replicas, p.Replicas},
		{&change.Adding, d.adding, p.Adding}, {&change.Removing, d.removing, p.Removing},
		{&change.ELR, d.elr, p.ELR}, {&change.LastELR, d.last, p.LastELR},
	} {
		if !slices.Equal(f.is, f.was) {
			*f.to, changed = append([]int32{}, f.is...), true
		}
	}
	if change.Replicas != nil {
		change.Directories = d.directories(want)
	}
	if d.leader != p.Leader || d.leader >= 0 && !has(d.replicas, p.Replicas) {
		change.Leader, changed = d.leader, true
	}
	switch {
	case d.unclean && !p.Recovering:
		change.LeaderRecoveryState, changed = 1, true
	case want.Recovered && p.Recovering && !d.unclean:
		change.LeaderRecoveryState, changed = 0, true
	}
	if !changed {
		return nil
	}
	return change
}

// directories gives each replica the directory that it has, or shall have.
func (d *draft) directories(want Change) []uuid.UUID {
	out := make([]uuid.UUID, len(d.replicas))
	for i, id := range d.replicas {
		if at := slices.Index(want.Replicas, id); at >= 0 && at < len(want.Directories) {
			out[i] = want.Directories[at]
		} else if at = slices.Index(d.was.Replicas, id); at >= 0 {
			out[i] = d.was.Directories[at]
		}
	}
	return out
}
