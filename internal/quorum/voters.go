package quorum

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/confchange"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"

	"ottla/internal/uuid"
)

// raftID is the id under which a node and its directory take part in the
// quorum. A wiped disk has another directory id and so comes back as another
// member, which cannot claim votes or entries of the one that was lost.
func raftID(node int32, directory uuid.UUID) uint64 {
	var in [20]byte
	binary.BigEndian.PutUint32(in[:], uint32(node))
	copy(in[4:], directory[:])
	sum := sha256.Sum256(in[:])
	id := binary.BigEndian.Uint64(sum[:])
	if id == raft.None || raft.IsLocalMsgTarget(id) {
		// Ids that the library keeps for itself.
		id = binary.BigEndian.Uint64(sum[8:])>>1 | 1
	}
	return id
}

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

// confAfter is the configuration once the change in e holds. last is the
// index of the log's last entry.
func confAfter(conf *pb.ConfState, last uint64, e *pb.Entry) (*pb.ConfState, error) {
	cc, err := parseConfChange(e)
	if err != nil {
		return nil, err
	}
	t := tracker.MakeProgressTracker(maxInflight, 0)
	cfg, progress, err := confchange.Restore(confchange.Changer{Tracker: t, LastIndex: last}, conf)
	if err != nil {
		return nil, fmt.Errorf("configuration before entry %d: %w", e.GetIndex(), err)
	}
	t.Config, t.Progress = cfg, progress
	changer := confchange.Changer{Tracker: t, LastIndex: last}
	v2 := cc.AsV2()
	auto, joint := v2.EnterJoint()
	switch {
	case v2.LeaveJoint():
		cfg, _, err = changer.LeaveJoint()
	case joint:
		cfg, _, err = changer.EnterJoint(auto, v2.GetChanges()...)
	default:
		cfg, _, err = changer.Simple(v2.GetChanges()...)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration change in entry %d: %w", e.GetIndex(), err)
	}
	t.Config = cfg
	return t.ConfState(), nil
}
