package quorum

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/vfs"
)

// taking is a snapshot on its way here, in a file aside.
type taking struct {
	offer
	from  uint64
	file  vfs.File
	at    int64  // how much of it is here
	asked int64  // up to where the last want brought, about
	heard uint64 // tick of the last part
}

// arrival is one that is here whole, checked and synced, and not installed yet.
type arrival struct {
	meta snapshotMeta
	img  *metadata.Image
}

// askAgain is after how many ticks a part is asked for again, takePatience
// after how many nobody is expected to send it any more.
const (
	askAgain     = 3
	takePatience = 2 * electionTicks
)

// considerOffer begins to fetch a snapshot that helps.
func (m *member) considerOffer(f frame) error {
	o, err := parseOffer(f.body)
	if err != nil {
		return err
	}
	if o.epoch < m.store.hard.term {
		return fmt.Errorf("a snapshot is offered by the leader of epoch %d, it is epoch %d", o.epoch, m.store.hard.term)
	}
	if t := m.taking; t != nil {
		if t.id == o.id && t.size == o.size {
			t.from, t.epoch, t.heard = f.from, o.epoch, m.ticks
			return m.ask()
		}
		m.dropTaking()
	}
	if m.helpless(o) {
		return m.raw.Step(m.snapMessage(f.from, o, &pb.ConfState{Voters: []uint64{m.id}}))
	}
	file, err := m.files.fs.OpenFile(m.files.incoming(o.id), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("begin to take a snapshot: %w", err)
	}
	m.taking = &taking{offer: o, from: f.from, file: file, heard: m.ticks}
	return m.ask()
}

// helpless tells whether a snapshot has nothing that is not here; the library
// then answers it without one.
func (m *member) helpless(o offer) bool {
	term, kept := m.store.index.term(o.index)
	return o.index <= m.store.hard.commit || kept && o.index > m.store.index.base && term == uint64(o.id.Term)
}

// snapMessage is the library's message for a snapshot.
func (m *member) snapMessage(from uint64, o offer, conf *pb.ConfState) *pb.Message {
	return &pb.Message{
		Type: pb.MsgSnap.Enum(), To: new(m.id), From: new(from), Term: new(o.epoch),
		Snapshot: &pb.Snapshot{Metadata: &pb.SnapshotMetadata{ConfState: conf, Index: new(o.index), Term: new(uint64(o.id.Term))}},
	}
}

// ask wants the next part.
func (m *member) ask() error {
	t := m.taking
	t.asked = t.at + shipWindow*chunkBytes
	m.signal(frameWant, t.from, want{t.id, t.at}.append(nil))
	return nil
}

// takeChunk writes a part where it belongs.
func (m *member) takeChunk(now time.Time, f frame) error {
	w, part, err := parseChunk(f.body)
	if err != nil {
		return err
	}
	t := m.taking
	switch {
	case t == nil || t.id != w.id || t.from != f.from:
		return errors.New("a part of a snapshot that nobody asked for")
	case w.at != t.at:
		return fmt.Errorf("a part of a snapshot at byte %d, byte %d comes next", w.at, t.at)
	case w.at+int64(len(part)) > t.size:
		return fmt.Errorf("a part of a snapshot beyond its %d bytes", t.size)
	}
	if _, err := t.file.WriteAt(part, t.at); err != nil {
		m.dropTaking()
		return fmt.Errorf("take a snapshot: %w", err)
	}
	t.at, t.heard = t.at+int64(len(part)), m.ticks
	switch {
	case t.at == t.size:
		return m.taken(now)
	case t.at >= t.asked:
		return m.ask()
	}
	return nil
}

// taken checks a snapshot that is here whole and gives it to the library; what
// that makes of it comes with the next Ready.
func (m *member) taken(now time.Time) error {
	t := m.taking
	a, err := m.verifyTaken(t)
	if err != nil {
		m.dropTaking()
		m.signal(frameDone, t.from, want{t.id, 0}.append(nil))
		return fmt.Errorf("a snapshot from member %x is refused: %w", t.from, err)
	}
	m.taking, m.arrived = nil, a
	err = m.raw.Step(m.snapMessage(t.from, t.offer, a.meta.Conf))
	if err == nil {
		err = m.drive(now)
	}
	if m.arrived != nil { // it came too late
		m.arrived = nil
		return errors.Join(err, m.files.fs.Remove(m.files.incoming(t.id)))
	}
	if err == nil {
		m.signal(frameDone, t.from, want{t.id, t.size}.append(nil))
	}
	return err
}

// verifyTaken syncs the file and reads it back.
func (m *member) verifyTaken(t *taking) (*arrival, error) {
	err := t.file.Sync()
	if cerr := t.file.Close(); err == nil {
		err = cerr
	}
	t.file = nil
	if err != nil {
		return nil, err
	}
	img, meta, err := m.files.loadFile(m.files.incoming(t.id), t.id)
	switch {
	case err != nil:
		return nil, err
	case meta.ClusterID != m.o.ClusterID:
		return nil, fmt.Errorf("it is of cluster %s", meta.ClusterID)
	case meta.Index != t.index || !knowsAll(meta.Conf, []uint64{m.id}):
		return nil, fmt.Errorf("it reaches to entry %d, entry %d was offered, and knows %v", meta.Index, t.index, meta.Conf)
	}
	return &arrival{meta, img}, nil
}

// dropTaking gives up; the file goes now, or with the next start.
func (m *member) dropTaking() {
	t := m.taking
	m.taking = nil
	var err error
	if t.file != nil {
		err = t.file.Close()
	}
	if err = errors.Join(err, m.files.fs.Remove(m.files.incoming(t.id))); err != nil {
		m.o.Logger.Debug("the rest of a snapshot is left behind", "err", err)
	}
}

// checkTaking asks again for what did not come.
func (m *member) checkTaking() {
	t := m.taking
	if t == nil {
		return
	}
	silent := m.ticks - t.heard
	switch {
	case silent > takePatience || m.raw.BasicStatus().RaftState == raft.StateLeader:
		m.dropTaking()
	case silent > 0 && silent%askAgain == 0:
		_ = m.ask() // it only posts
	}
}
