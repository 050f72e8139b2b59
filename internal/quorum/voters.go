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

// voterSet knows who stands behind the Raft ids of a configuration, and which
// ids are gone for good. It is immutable; a change makes a new one.
type voterSet struct {
	byID     map[uint64]Voter // voters
	learners map[uint64]Voter // members without a vote: KRaft's observers
	// gone are ids that were removed: whoever had one comes back under another.
	gone map[uint64]struct{}
}

func newVoterSet(voters ...Voter) *voterSet {
	s := &voterSet{byID: make(map[uint64]Voter, len(voters))}
	for _, v := range voters {
		s.byID[raftID(v.ID, v.DirectoryID)] = v
	}
	return s
}

// list gives the voters by node id, observers the learners.
func (s *voterSet) list() []Voter      { return byNode(s.byID) }
func (s *voterSet) observers() []Voter { return byNode(s.learners) }

func byNode(m map[uint64]Voter) []Voter {
	return slices.SortedFunc(maps.Values(m), func(a, b Voter) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), slices.Compare(a.DirectoryID[:], b.DirectoryID[:]))
	})
}

// member finds who has a Raft id.
func (s *voterSet) member(id uint64) (v Voter, votes, ok bool) {
	if v, ok = s.byID[id]; ok {
		return v, true, true
	}
	v, ok = s.learners[id]
	return v, false, ok
}

// node gives the node id behind a Raft id, -1 when there is none.
func (s *voterSet) node(id uint64) int32 {
	if v, _, ok := s.member(id); ok {
		return v.ID
	}
	return -1
}

// ids lists the Raft ids of the voters in order.
func (s *voterSet) ids() []uint64 { return slices.Sorted(maps.Keys(s.byID)) }

// all lists those of voters and learners, in order.
func (s *voterSet) all() []uint64 {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(s.byID)), maps.Keys(s.learners))
	slices.Sort(ids)
	return ids
}

// clone makes a set that may be changed.
func (s *voterSet) clone() *voterSet {
	n := &voterSet{byID: maps.Clone(s.byID), learners: maps.Clone(s.learners), gone: maps.Clone(s.gone)}
	if n.byID == nil {
		n.byID = make(map[uint64]Voter)
	}
	if n.learners == nil {
		n.learners = make(map[uint64]Voter)
	}
	if n.gone == nil {
		n.gone = make(map[uint64]struct{})
	}
	return n
}

// after is the set once the change in e holds. Who it is about stands in the
// change's context, as a voters record.
func (s *voterSet) after(e *pb.Entry) (*voterSet, error) {
	cc, err := parseConfChange(e)
	if err != nil {
		return nil, err
	}
	v2 := cc.AsV2()
	named, err := parseVotersIn(v2)
	if err != nil {
		return nil, fmt.Errorf("configuration change in entry %d: %w", e.GetIndex(), err)
	}
	known, next := newVoterSet(named...), s.clone()
	for _, c := range v2.GetChanges() {
		id := c.GetNodeId()
		v, ok := known.byID[id]
		if !ok {
			v, _, ok = next.member(id)
		}
		if !ok && c.GetType() != pb.ConfChangeRemoveNode {
			return nil, fmt.Errorf("configuration change in entry %d is about member %x and does not say who it is", e.GetIndex(), id)
		}
		next.change(c.GetType(), id, v)
	}
	return next, nil
}

// parseVotersIn reads whom a change is about.
func parseVotersIn(v2 *pb.ConfChangeV2) ([]Voter, error) {
	if len(v2.GetContext()) == 0 {
		return nil, nil
	}
	named, err := parseVoters(v2.GetContext())
	if err != nil {
		return nil, fmt.Errorf("its context: %w", err)
	}
	return named, nil
}

// change carries out one part of a change; v has the id.
func (s *voterSet) change(kind pb.ConfChangeType, id uint64, v Voter) {
	_, voted := s.byID[id]
	switch kind {
	case pb.ConfChangeAddNode:
		v.NoVote = false
		s.byID[id] = v
		delete(s.learners, id)
	case pb.ConfChangeAddLearnerNode:
		s.learners[id] = v
		delete(s.byID, id)
	case pb.ConfChangeRemoveNode:
		delete(s.byID, id)
		delete(s.learners, id)
		s.gone[id] = struct{}{}
	case pb.ConfChangeUpdateNode:
		if voted {
			s.byID[id] = v
		} else {
			s.learners[id] = v
		}
	}
}

// goneValue is what a snapshot keeps of the ids that are gone.
func (s *voterSet) goneValue() []byte {
	var b []byte
	for _, id := range slices.Sorted(maps.Keys(s.gone)) {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return b
}

// readOthers takes what a snapshot says of learners and ids that are gone.
func (s *voterSet) readOthers(learners, gone []byte) error {
	if len(learners) > 0 {
		list, err := parseVoters(learners)
		if err != nil {
			return fmt.Errorf("%s: %w", learnersHeader, err)
		}
		s.learners = newVoterSet(list...).byID
	}
	if len(gone)%8 != 0 {
		return fmt.Errorf("%s has %d bytes, which is not a number of ids", goneHeader, len(gone))
	}
	if len(gone) > 0 {
		s.gone = make(map[uint64]struct{}, len(gone)/8)
	}
	for ; len(gone) > 0; gone = gone[8:] {
		s.gone[binary.BigEndian.Uint64(gone)] = struct{}{}
	}
	return nil
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
