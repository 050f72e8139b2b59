package quorum

import (
	"errors"
	"fmt"
	"io"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// A member that lacks what the log no longer holds gets a snapshot: the leader
// offers it, the member asks for part after part, so what is lost on the way is
// asked for again, and the leader remembers nothing but that somebody fetches.

// shipWindow is how many parts answer one want.
const shipWindow = 4

// shipment is a snapshot that a member is fetching.
type shipment struct {
	id    snapshotID
	heard uint64 // tick of the last word from the member
}

// shipPatience is after how many silent ticks a member is taken to have given up.
const shipPatience = 2 * electionTicks

// snapshotForRaft is raft.Storage's Snapshot: the newest one, its offer as
// data. One that does not know all of today's members is of no use to those it
// does not know, and a newer one is made.
func (m *member) snapshotForRaft() (*pb.Snapshot, error) {
	if len(m.files.ids) == 0 {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	meta := m.files.newestMeta
	if m.files.suspect || !knowsAll(meta.Conf, m.voters.all()) {
		m.wantSnapshot = true
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	size, err := m.files.size(snapshotID{meta.End, meta.Term})
	if err != nil {
		m.o.Logger.Warn("the newest snapshot of the metadata log cannot be read; another is made", "err", err)
		m.files.suspect, m.wantSnapshot = true, true
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	o := offer{id: snapshotID{meta.End, meta.Term}, index: meta.Index, size: size}
	return &pb.Snapshot{Data: o.append(nil), Metadata: &pb.SnapshotMetadata{
		ConfState: proto.CloneOf(meta.Conf), Index: new(meta.Index), Term: new(uint64(meta.Term)),
	}}, nil
}

// knowsAll tells whether a configuration has all the ids.
func knowsAll(conf *pb.ConfState, ids []uint64) bool {
	known := make(map[uint64]bool)
	for _, set := range [][]uint64{conf.GetVoters(), conf.GetLearners(), conf.GetVotersOutgoing(), conf.GetLearnersNext()} {
		for _, id := range set {
			known[id] = true
		}
	}
	for _, id := range ids {
		if !known[id] {
			return false
		}
	}
	return true
}

// offer tells a member of the snapshot that the library wants it to have.
func (m *member) offer(to uint64, msg *pb.Message) {
	o, err := parseOffer(msg.GetSnapshot().GetData())
	if err != nil {
		m.o.Logger.Error("a snapshot of the metadata log cannot be offered", "err", err)
		return
	}
	o.epoch = msg.GetTerm()
	m.shipments[to] = &shipment{id: o.id, heard: m.ticks}
	m.signal(frameOffer, to, o.append(nil))
}

// serveWant sends the parts that a member asks for.
func (m *member) serveWant(f frame) error {
	w, _, err := parseWant(f.body)
	if err != nil {
		return err
	}
	s := m.shipments[f.from]
	if s == nil || s.id != w.id {
		return fmt.Errorf("member %x fetches a snapshot that it was not offered", f.from)
	}
	s.heard = m.ticks
	buf := make([]byte, chunkBytes)
	for range shipWindow {
		n, err := m.files.readPart(w.id, w.at, buf)
		if n > 0 {
			m.signal(frameChunk, f.from, appendChunk(nil, w, buf[:n]))
			w.at += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			m.files.suspect, m.wantSnapshot = true, true
			m.endShipment(f.from, false)
			return fmt.Errorf("read the snapshot at byte %d: %w", w.at, err)
		}
	}
	return nil
}

// shipmentDone hears how a member fared with its snapshot.
func (m *member) shipmentDone(f frame) error {
	w, _, err := parseWant(f.body)
	if err != nil {
		return err
	}
	s := m.shipments[f.from]
	if s == nil || s.id != w.id {
		return fmt.Errorf("member %x is done with a snapshot that it was not offered", f.from)
	}
	if w.at == 0 { // it was of no use: damaged here, perhaps
		m.files.suspect, m.wantSnapshot = true, true
	}
	m.endShipment(f.from, w.at > 0)
	return nil
}

func (m *member) endShipment(id uint64, taken bool) {
	delete(m.shipments, id)
	status := raft.SnapshotFinish
	if !taken {
		status = raft.SnapshotFailure
	}
	m.raw.ReportSnapshot(id, status)
}

// checkShipments gives those up whose member is silent, so that the library
// tries anew.
func (m *member) checkShipments() {
	for _, id := range m.voters.all() {
		if s := m.shipments[id]; s != nil && m.ticks-s.heard > shipPatience {
			m.endShipment(id, false)
		}
	}
	if newest := len(m.files.ids) - 1; m.wantSnapshot && m.leading && newest >= 0 && m.applied == m.store.index.last() &&
		m.files.ids[newest].End >= m.store.index.endOf(m.applied) {
		// A snapshot in the place of one that is damaged needs an end of its own.
		if err := m.raw.Propose(nil); err != nil {
			m.o.Logger.Debug("no entry for another snapshot", "err", err)
		}
	}
}
