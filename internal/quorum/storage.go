package quorum

import (
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// tailBytes bounds the applied entries that stay in memory for members that
// lag a little; what is not applied yet stays in any case.
const tailBytes = 1 << 20

// storage is the Raft library's view of the metadata log (raft.Storage). It
// holds the index of all entries behind the base snapshot and the newest
// entries themselves; older ones it reads from the log. It belongs to the
// quorum's goroutine.
type storage struct {
	index entryIndex
	hard  hardState
	conf  *pb.ConfState // as of the last applied entry

	// tail are the newest entries, ending at index.last().
	tail     []*pb.Entry
	tailSize int
	// read fetches entries lo to hi-1 from the log, at least one, about max
	// bytes at most.
	read func(lo, hi, max uint64) ([]*pb.Entry, error)
	// snapshot gives the newest snapshot with its bytes.
	snapshot func() (*pb.Snapshot, error)
}

var _ raft.Storage = (*storage)(nil)

// InitialState implements raft.Storage.
func (s *storage) InitialState() (*pb.HardState, *pb.ConfState, error) {
	hs := &pb.HardState{Term: new(s.hard.term), Vote: new(s.hard.vote), Commit: new(s.hard.commit)}
	return hs, proto.CloneOf(s.conf), nil
}

// FirstIndex implements raft.Storage.
func (s *storage) FirstIndex() (uint64, error) { return s.index.first(), nil }

// LastIndex implements raft.Storage.
func (s *storage) LastIndex() (uint64, error) { return s.index.last(), nil }

// Term implements raft.Storage.
func (s *storage) Term(i uint64) (uint64, error) {
	t, ok := s.index.term(i)
	switch {
	case ok:
		return t, nil
	case i < s.index.base:
		return 0, raft.ErrCompacted
	}
	return 0, raft.ErrUnavailable
}

// Entries implements raft.Storage.
func (s *storage) Entries(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	if lo < s.index.first() {
		return nil, raft.ErrCompacted
	}
	if hi > s.index.last()+1 || lo >= hi {
		return nil, fmt.Errorf("entries %d to %d wanted, the log holds %d to %d: %w",
			lo, hi, s.index.first(), s.index.last(), raft.ErrUnavailable)
	}
	from := s.tailFirst()
	if lo < from {
		return s.read(lo, min(hi, from), maxSize)
	}
	return limit(s.tail[lo-from:hi-from], maxSize), nil
}

// Snapshot implements raft.Storage.
func (s *storage) Snapshot() (*pb.Snapshot, error) { return s.snapshot() }

func (s *storage) tailFirst() uint64 { return s.index.last() + 1 - uint64(len(s.tail)) }

// add takes an entry that was just written; it ends at offset end.
func (s *storage) add(e *pb.Entry, end int64) error {
	if e.GetIndex() != s.index.last()+1 {
		return fmt.Errorf("entry %d comes after entry %d", e.GetIndex(), s.index.last())
	}
	if err := s.index.add(s.index.end(), end, int32(e.GetTerm())); err != nil {
		return err
	}
	s.tail = append(s.tail, e)
	s.tailSize += len(e.GetData())
	return nil
}

// truncate forgets the entries from i on, which the log has cut off.
func (s *storage) truncate(i uint64) {
	keep := max(i, s.tailFirst()) - s.tailFirst()
	for _, e := range s.tail[keep:] {
		s.tailSize -= len(e.GetData())
	}
	clear(s.tail[keep:])
	s.tail = s.tail[:keep]
	s.index.truncate(i)
}

// trim lets go of applied entries in memory: of all when nobody else may ask
// for them (alone), else of those above tailBytes.
func (s *storage) trim(applied uint64, alone bool) {
	n := 0
	for n < len(s.tail) && s.tail[n].GetIndex() <= applied && (alone || s.tailSize > tailBytes) {
		s.tailSize -= len(s.tail[n].GetData())
		n++
	}
	if n == 0 {
		return
	}
	rest := copy(s.tail, s.tail[n:])
	clear(s.tail[rest:])
	s.tail = s.tail[:rest]
}

// limit cuts entries to about maxSize bytes, but never below one. The result
// may be appended to without touching the tail.
func limit(entries []*pb.Entry, maxSize uint64) []*pb.Entry {
	var size uint64
	for n, e := range entries {
		size += uint64(proto.Size(e))
		if n > 0 && size > maxSize {
			return append([]*pb.Entry(nil), entries[:n]...)
		}
	}
	return append([]*pb.Entry(nil), entries...)
}
