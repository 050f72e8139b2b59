package quorum

import (
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/record"
)

// write appends entries to the log with one write and one sync. A new leader's
// entries may replace some that were never committed.
func (m *member) write(now time.Time, entries []*pb.Entry, leader int32) error {
	if first := entries[0].GetIndex(); first <= m.store.index.last() {
		if first <= m.applied {
			return fmt.Errorf("entry %d of the metadata log is to be replaced, and %d entries are committed", first, m.applied)
		}
		if err := m.journal.truncate(m.store.index.startOf(first)); err != nil {
			return fmt.Errorf("cut the metadata log at entry %d: %w", first, err)
		}
		m.store.truncate(first)
		m.forgetChanges(first)
	}
	voters, err := m.votersAtEnd()
	if err != nil {
		return err
	}
	hs := make([]record.Header, 0, len(entries))
	batches := make([][]byte, 0, len(entries))
	offset := m.store.index.end()
	for _, e := range entries {
		h, batch, err := batchOf(e, offset, now.UnixMilli(), leader, voters)
		if err != nil {
			return err
		}
		if e.GetType() != pb.EntryNormal {
			if voters, err = voters.after(e); err != nil {
				return err
			}
		}
		hs, batches, offset = append(hs, h), append(batches, batch), h.NextOffset()
		m.sinceSnapshot += int64(len(batch))
	}
	if err := m.journal.append(hs, batches); err != nil {
		return fmt.Errorf("append to the metadata log: %w", err)
	}
	if err := m.journal.sync(); err != nil {
		return fmt.Errorf("sync the metadata log: %w", err)
	}
	for i, e := range entries {
		if err := m.store.add(e, hs[i].NextOffset()); err != nil {
			return err
		}
		if e.GetType() != pb.EntryNormal {
			m.changes = append(m.changes, e)
		}
	}
	return nil
}

// votersAtEnd is who takes part once all that is in the log holds.
func (m *member) votersAtEnd() (*voterSet, error) {
	voters := m.voters
	for _, e := range m.changes {
		var err error
		if voters, err = voters.after(e); err != nil {
			return nil, err
		}
	}
	return voters, nil
}

// forgetChanges drops those in entries from i on, which the log has cut off.
func (m *member) forgetChanges(i uint64) {
	for n, e := range m.changes {
		if e.GetIndex() >= i {
			clear(m.changes[n:])
			m.changes = m.changes[:n]
			return
		}
	}
}

// commit applies committed entries to the image, one step an entry.
func (m *member) commit(entries []*pb.Entry) error {
	for _, e := range entries {
		var err error
		switch {
		case e.GetType() != pb.EntryNormal:
			err = m.reconfigure(e)
		case len(e.GetData()) > 0:
			err = m.applyRecords(e)
		}
		if err != nil {
			return fmt.Errorf("apply entry %d of the metadata log (offset %d): %w", e.GetIndex(), m.store.index.startOf(e.GetIndex()), err)
		}
		m.applied = e.GetIndex()
		if own := e.GetTerm() == m.store.hard.term; own && !m.leading && m.raw.BasicStatus().RaftState == raft.StateLeader {
			m.leading = true
			m.o.Machine.Reset(m.image)
			clear(m.seen)
		}
	}
	if len(entries) > 0 {
		m.store.trim(m.applied, m.byItself())
		m.maybeSnapshot()
	}
	return nil
}

// applyRecords makes the image of one more batch and shows it.
func (m *member) applyRecords(e *pb.Entry) error {
	records, err := parseRecords(e.GetData())
	if err != nil {
		return err
	}
	img, d, err := m.image.With(m.store.index.endOf(e.GetIndex())-1, int32(e.GetTerm()), records...)
	if err != nil {
		return err
	}
	m.publish(img, d)
	return nil
}

func (m *member) publish(img *metadata.Image, d *metadata.Delta) {
	m.image = img
	m.published.Store(img)
	m.o.OnImage(img, d)
}

// reconfigure puts a committed change of the quorum into force.
func (m *member) reconfigure(e *pb.Entry) error {
	next, err := m.voters.after(e)
	if err != nil {
		return err
	}
	cc, err := parseConfChange(e)
	if err != nil {
		return err
	}
	// A restart must know that the change is committed: it may be what makes
	// the rest of the log a majority's.
	known := m.store.hard
	known.commit = e.GetIndex()
	if err := saveState(m.o.Dir.FS(), m.files.dir, encodeState(m.id, known, m.leader, m.voters)); err != nil {
		return err
	}
	m.voters = next
	if len(m.changes) > 0 && m.changes[0].GetIndex() == e.GetIndex() {
		m.changes = m.changes[1:]
	}
	m.store.conf = m.raw.ApplyConfChange(cc)
	m.o.Logger.Info("the metadata quorum changed", "voters", len(next.byID), "observers", len(next.learners), "leader_epoch", e.GetTerm())
	return nil
}
