package quorum

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"
)

// voterSet knows who stands behind the Raft ids of a configuration. It is
// immutable; a change makes a new one.
type voterSet struct{ byID map[uint64]Voter }

func newVoterSet(voters ...Voter) *voterSet {
	s := &voterSet{byID: make(map[uint64]Voter, len(voters))}
	for _, v := range voters {
		s.byID[raftID(v.ID, v.DirectoryID)] = v
	}
	return s
}

// list gives the members by node id.
func (s *voterSet) list() []Voter {
	return slices.SortedFunc(maps.Values(s.byID), func(a, b Voter) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), slices.Compare(a.DirectoryID[:], b.DirectoryID[:]))
	})
}

// node gives the node id behind a Raft id, -1 when there is none.
func (s *voterSet) node(id uint64) int32 {
	if v, ok := s.byID[id]; ok {
		return v.ID
	}
	return -1
}

// ids lists the Raft ids in order.
func (s *voterSet) ids() []uint64 { return slices.Sorted(maps.Keys(s.byID)) }

// after is the set once the change in e holds. Who joins stands in the
// change's context, as a voters record.
func (s *voterSet) after(e *pb.Entry) (*voterSet, error) {
	cc, err := parseConfChange(e)
	if err != nil {
		return nil, err
	}
	v2 := cc.AsV2()
	var joining []Voter
	if len(v2.GetContext()) > 0 {
		if joining, err = parseVoters(v2.GetContext()); err != nil {
			return nil, fmt.Errorf("context of the configuration change in entry %d: %w", e.GetIndex(), err)
		}
	}
	known := newVoterSet(joining...)
	next := &voterSet{byID: maps.Clone(s.byID)}
	for _, c := range v2.GetChanges() {
		id := c.GetNodeId()
		switch c.GetType() {
		case pb.ConfChangeAddNode:
			v, ok := known.byID[id]
			if _, member := s.byID[id]; !ok && !member {
				return nil, fmt.Errorf("configuration change in entry %d adds voter %x and does not say who it is", e.GetIndex(), id)
			}
			if ok {
				next.byID[id] = v
			}
		case pb.ConfChangeRemoveNode, pb.ConfChangeAddLearnerNode:
			delete(next.byID, id)
		}
	}
	return next, nil
}
