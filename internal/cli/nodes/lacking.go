package nodes

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// State says how a partition stands, from bad to well.
type State string

// The states of a partition. At the minimum one more loss stops writes with
// acks=all.
const (
	Offline   State = "offline"
	Refusing  State = "below the minimum"
	AtMinimum State = "at the minimum"
	Short     State = "under-replicated"
	Whole     State = "whole"
)

// StateOf judges a partition. One that has all its replicas in sync is whole,
// even where their number is the least that is asked for.
func StateOf(p *Partition) State {
	switch {
	case p.Leader < 0:
		return Offline
	case len(p.InSync) < p.MinISR:
		return Refusing
	case len(p.InSync) >= len(p.Replicas):
		return Whole
	case len(p.InSync) == p.MinISR:
		return AtMinimum
	}
	return Short
}

// Lack is a partition that is not whole.
type Lack struct {
	Partition *Partition
	State     State
	Missing   []int32 // replicas that are not in sync
	Why       string
}

// Lacking lists the partitions that are not whole, the worst first.
func Lacking(f *Facts) []Lack {
	var out []Lack
	for _, s := range []State{Offline, Refusing, AtMinimum, Short} {
		for i := range f.Partitions {
			p := &f.Partitions[i]
			if StateOf(p) != s {
				continue
			}
			l := Lack{Partition: p, State: s}
			var why []string
			for _, id := range p.Replicas {
				if !slices.Contains(p.InSync, id) || p.Leader < 0 {
					l.Missing = append(l.Missing, id)
					why = append(why, WhyOut(f, p, id))
				}
			}
			if len(p.Replicas) < p.MinISR {
				why = append(why, fmt.Sprintf("min.insync.replicas is %d and there are %d replicas", p.MinISR, len(p.Replicas)))
			}
			l.Why = strings.Join(why, "; ")
			out = append(out, l)
		}
	}
	return out
}

// WhyOut says why a node's replica is not in sync, as far as can be seen.
func WhyOut(f *Facts, p *Partition, id int32) string {
	n := f.Node(id)
	lag, known := f.Lags[Replica{p.Topic, p.Index, id}]
	switch {
	case n == nil:
		return fmt.Sprintf("node %d is not in the cluster any more", id)
	case n.Fenced:
		return fmt.Sprintf("node %d is fenced: the controller does not hear from it, or it is starting or stopping", id)
	case n.Unasked != "":
		return fmt.Sprintf("node %d does not answer: %s", id, n.Unasked)
	}
	if why := n.closed(p); why != "" {
		return fmt.Sprintf("node %d cannot open its log and tries again: %s", id, why)
	}
	if dir := failedDir(n); dir != "" && !holds(n, p) {
		return fmt.Sprintf("node %d has lost log directory %s", id, dir)
	}
	switch {
	case slices.Contains(p.Adding, id):
		return fmt.Sprintf("node %d is being added%s", id, lagText(lag, known))
	case !holds(n, p):
		return fmt.Sprintf("node %d has no copy yet", id)
	case !known:
		return fmt.Sprintf("node %d does not say how far its copy is", id)
	case lag.Records == 0:
		return fmt.Sprintf("node %d has caught up and waits to be taken back", id)
	}
	return fmt.Sprintf("node %d is%s", id, lagText(lag, known))
}

func lagText(l Lag, known bool) string {
	switch {
	case !known:
		return ""
	case l.Records == 0:
		return " and has all records"
	case l.Behind > 0:
		return fmt.Sprintf(" %d records (%v) behind", l.Records, l.Behind.Round(time.Millisecond))
	}
	return fmt.Sprintf(" %d records behind", l.Records)
}

// closed is why the node cannot open its log of a partition, "" when it can.
func (n *Node) closed(p *Partition) string {
	for _, c := range n.Closed {
		if c.Topic == p.Topic && c.Partition == p.Index {
			return c.Why
		}
	}
	return ""
}

func failedDir(n *Node) string {
	for _, d := range n.Dirs {
		if d.Err != nil {
			return d.Dir
		}
	}
	return ""
}

func holds(n *Node, p *Partition) bool {
	for _, d := range n.Dirs {
		if _, ok := d.Topics[p.Topic][p.Index]; ok {
			return true
		}
	}
	return false
}

// Behind is the most that a node's replicas are behind; known is false when
// nothing is known of any.
func (f *Facts) Behind(node int32) (most Lag, known bool) {
	for i := range f.Partitions {
		p := &f.Partitions[i]
		l, ok := f.Lags[Replica{p.Topic, p.Index, node}]
		if !ok || p.Leader == node {
			continue
		}
		known = true
		most.Records = max(most.Records, l.Records)
		if l.Behind != 0 && (most.Behind == 0 || l.Behind > most.Behind) {
			most.Behind = l.Behind
		}
	}
	return most, known
}
