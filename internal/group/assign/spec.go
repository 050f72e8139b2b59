package assign

import (
	"slices"
	"strings"
)

// Spec is a group as an assignor sees it.
type Spec struct {
	Topics  []Topic
	Members []Member // sorted by ID
}

// Topic is a topic that somebody reads.
type Topic struct {
	Partitions int
	// Racks are where the replicas of each partition are, sorted; nil where
	// that is not known.
	Racks [][]string
}

// Member is a member of the group.
type Member struct {
	ID string
	// Instance is the instance id of a static member, empty for others.
	Instance string
	Rack     string // empty when not known
	// Topics are the indexes of what it reads in Spec.Topics, sorted.
	Topics []int
	// Has are the partitions that it was given before, by index of the topic.
	// They need not be there any more.
	Has []Part
}

// Part is a partition of a topic, by the topic's index in Spec.Topics.
type Part struct {
	Topic     int
	Partition int32
}

// Assignor shares out; the result has the parts of each member of the spec,
// sorted by topic and partition.
type Assignor func(*Spec) [][]Part

// ByName finds an assignor by the name that clients give it, nil when there is
// none.
func ByName(name string) Assignor {
	switch name {
	case "uniform":
		return Uniform
	case "range":
		return Range
	}
	return nil
}

// nobody owns a partition that has no owner yet.
const nobody = -1

// sharing is an assignment in the making. Partitions of all topics have one
// row of numbers, first[t] is the number of partition 0 of topic t.
type sharing struct {
	spec  *Spec
	first []int
	topic []int32 // the topic of each partition
	// owner is the member that has each partition, nobody yet for a start;
	// before is who had it.
	owner, before []int32
	load          []int // of each member
	racks         bool  // some member and some partition say where they are
}

// newSharing numbers the partitions that are read by somebody and notes who had
// them.
func newSharing(s *Spec) *sharing {
	n := 0
	sh := &sharing{spec: s, first: make([]int, len(s.Topics)+1), load: make([]int, len(s.Members))}
	for t := range s.Topics {
		sh.first[t] = n
		n += s.Topics[t].Partitions
	}
	sh.first[len(s.Topics)] = n
	sh.topic, sh.owner, sh.before = make([]int32, n), make([]int32, n), make([]int32, n)
	known := false
	for t := range s.Topics {
		for p := sh.first[t]; p < sh.first[t+1]; p++ {
			sh.topic[p], sh.owner[p], sh.before[p] = int32(t), nobody, nobody
		}
		known = known || s.Topics[t].Racks != nil
	}
	for m := range s.Members {
		sh.racks = sh.racks || known && s.Members[m].Rack != ""
		for _, part := range s.Members[m].Has {
			if !s.reads(m, part.Topic) || part.Partition < 0 || int(part.Partition) >= s.Topics[part.Topic].Partitions {
				continue
			}
			if p := sh.first[part.Topic] + int(part.Partition); sh.before[p] == nobody {
				sh.before[p] = int32(m)
			}
		}
	}
	return sh
}

// reads tells whether a member reads a topic.
func (s *Spec) reads(m, topic int) bool {
	if topic < 0 || topic >= len(s.Topics) {
		return false
	}
	_, ok := slices.BinarySearch(s.Members[m].Topics, topic)
	return ok
}

// near tells whether a member is where a replica of a partition is; everybody
// is when that is not known.
func (sh *sharing) near(m, p int) bool {
	rack := sh.spec.Members[m].Rack
	if !sh.racks || rack == "" {
		return true
	}
	t := int(sh.topic[p])
	racks := sh.spec.Topics[t].Racks
	if p-sh.first[t] >= len(racks) || len(racks[p-sh.first[t]]) == 0 {
		return true
	}
	_, ok := slices.BinarySearch(racks[p-sh.first[t]], rack)
	return ok
}

// give makes a member the owner of a partition.
func (sh *sharing) give(m, p int) {
	if old := sh.owner[p]; old != nobody {
		sh.load[old]--
	}
	sh.owner[p] = int32(m)
	sh.load[m]++
}

// result lists what each member has.
func (sh *sharing) result() [][]Part {
	out := make([][]Part, len(sh.spec.Members))
	for m, n := range sh.load {
		if n > 0 {
			out[m] = make([]Part, 0, n)
		}
	}
	for p, m := range sh.owner {
		if m != nobody {
			t := int(sh.topic[p])
			out[m] = append(out[m], Part{t, int32(p - sh.first[t])})
		}
	}
	return out
}

// alike tells whether all members read the same topics.
func (s *Spec) alike() bool {
	for m := 1; m < len(s.Members); m++ {
		if !slices.Equal(s.Members[m].Topics, s.Members[0].Topics) {
			return false
		}
	}
	return true
}

// places are the members by the names that last longest: static members by
// instance id, then the others by id.
func (s *Spec) places() []int {
	order := make([]int, len(s.Members))
	for m := range order {
		order[m] = m
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &s.Members[a], &s.Members[b]
		switch {
		case x.Instance != "" && y.Instance != "":
			return strings.Compare(x.Instance, y.Instance)
		case x.Instance != "":
			return -1
		case y.Instance != "":
			return 1
		}
		return strings.Compare(x.ID, y.ID)
	})
	return order
}
