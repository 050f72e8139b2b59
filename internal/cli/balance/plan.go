package balance

import (
	"fmt"
	"slices"
	"strings"
)

// Move is a change of one partition's replicas.
type Move struct {
	Topic    string
	Index    int32
	From, To []int32
	Bytes    int64 // that will be copied between nodes
	Why      string
}

// Stuck is a partition that a plan should have changed and could not.
type Stuck struct {
	Topic  string
	Index  int32
	Reason string
}

// Plan is what shall change.
type Plan struct {
	Moves []Move // by topic and partition
	Stuck []Stuck
	// Before and After are what each node has and will have, by id.
	Before, After []Load
}

// Load is what one node has.
type Load struct {
	Node      int32
	Replicas  int
	Preferred int // partitions that it is the first replica of
	Bytes     int64
}

// Bytes is how much the whole plan copies.
func (p *Plan) Bytes() (total int64) {
	for _, m := range p.Moves {
		total += m.Bytes
	}
	return total
}

// plan says what is different from the start.
func (w *work) plan(stuck []Stuck) *Plan {
	p := &Plan{Stuck: stuck, Before: w.loads(w.before), After: w.loads(w.now())}
	for i := range w.parts {
		part := &w.parts[i]
		if slices.Equal(part.Replicas, w.before[i]) {
			continue
		}
		m := Move{Topic: part.Topic, Index: part.Index, From: w.before[i], To: part.Replicas, Why: strings.Join(w.why[i], ", ")}
		for _, id := range m.To {
			if !slices.Contains(m.From, id) {
				m.Bytes += part.Bytes
			}
		}
		p.Moves = append(p.Moves, m)
	}
	return p
}

func (w *work) now() [][]int32 {
	out := make([][]int32, len(w.parts))
	for i := range w.parts {
		out[i] = w.parts[i].Replicas
	}
	return out
}

// loads adds up what nodes have, also those that may take nothing.
func (w *work) loads(replicas [][]int32) []Load {
	by := map[int32]*Load{}
	var ids []int32
	of := func(id int32) *Load {
		if by[id] == nil {
			by[id] = &Load{Node: id}
			ids = append(ids, id)
		}
		return by[id]
	}
	for _, n := range w.nodes {
		of(n.ID)
	}
	for i, on := range replicas {
		for rank, id := range on {
			l := of(id)
			l.Replicas++
			l.Bytes += w.parts[i].Bytes
			if rank == 0 {
				l.Preferred++
			}
		}
	}
	slices.Sort(ids)
	out := make([]Load, 0, len(ids))
	for _, id := range ids {
		out = append(out, *by[id])
	}
	return out
}

func (w *work) stuck(i int, format string, args ...any) Stuck {
	return Stuck{Topic: w.parts[i].Topic, Index: w.parts[i].Index, Reason: fmt.Sprintf(format, args...)}
}
