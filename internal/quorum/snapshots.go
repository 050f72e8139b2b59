package quorum

import (
	"time"

	"google.golang.org/protobuf/proto"
)

// maybeSnapshot begins a snapshot when enough log has come since the last.
// Images are immutable, so it is written beside everything else.
func (m *member) maybeSnapshot() {
	if m.snapshotting || m.waiting || m.sinceSnapshot < m.o.SnapshotBytes && !m.wantSnapshot {
		return
	}
	// One file has one content: an entry has to lie between two snapshots.
	if len(m.files.ids) > 0 && m.files.ids[len(m.files.ids)-1].End >= m.store.index.endOf(m.applied) {
		return
	}
	m.wantSnapshot = false
	meta := m.snapshotMeta(m.o.Now())
	img := m.image
	m.snapshotting = true
	m.sinceSnapshot = 0
	m.inBackground(func() error { return m.files.write(meta, img) }, meta)
}

// snapshotMeta describes a snapshot of the committed image as it stands.
func (m *member) snapshotMeta(now time.Time) snapshotMeta {
	term, _ := m.store.index.term(m.applied)
	return snapshotMeta{
		End: m.store.index.endOf(m.applied), Term: int32(term), Index: m.applied,
		TimestampMs: now.UnixMilli(), ClusterID: m.o.ClusterID,
		Conf: proto.CloneOf(m.store.conf), Voters: m.voters,
	}
}

// snapshotWritten takes a snapshot that is durable: the log below the older of
// the kept two is let go.
func (m *member) snapshotWritten(meta snapshotMeta, err error) {
	m.snapshotting = false
	if err != nil {
		m.o.Logger.Warn("a snapshot of the metadata log could not be written; the log grows until one is", "err", err)
		return
	}
	if n := len(m.files.ids); n > 0 && m.files.ids[n-1].End >= meta.End {
		// A newer one came from another member meanwhile.
		if id := (snapshotID{meta.End, meta.Term}); id != m.files.ids[n-1] {
			err = m.files.fs.Remove(m.files.path(id))
		}
		if err != nil {
			m.o.Logger.Warn("an old snapshot of the metadata log could not be removed", "err", err)
		}
		return
	}
	oldest, err := m.files.keep(meta)
	if err != nil {
		m.o.Logger.Warn("an old snapshot of the metadata log could not be removed", "err", err)
	}
	if m.failed != nil {
		return
	}
	if i, ok := m.store.index.at(oldest.End - 1); ok {
		m.store.index.compact(i)
	}
	if err := m.journal.release(oldest.End); err != nil {
		m.o.Logger.Warn("the old part of the metadata log could not be removed", "offset", oldest.End, "err", err)
	}
	m.o.Logger.Info("snapshot of the metadata log", "offset", meta.End, "leader_epoch", meta.Term)
}
