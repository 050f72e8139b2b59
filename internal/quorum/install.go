package quorum

import (
	"errors"
	"fmt"

	"ottla/internal/metadata"
)

// A snapshot from another member takes the place of the log in four steps:
//
//	the file, checked and synced, is renamed to .install    from here on it counts
//	the log is emptied and begins where the snapshot ends
//	the file is renamed to .checkpoint
//	older snapshots go
//
// A crash before the first leaves the old state; after it the start does the
// rest (recoverer.finishInstall). Both go through the same steps.

// install makes the snapshot that arrived the state of this member.
func (m *member) install(index uint64) error {
	a := m.arrived
	if a == nil || a.meta.Index != index {
		return fmt.Errorf("the library wants the snapshot of entry %d, which did not arrive", index)
	}
	id := snapshotID{a.meta.End, a.meta.Term}
	m.halfway = true
	m.arrived = nil
	if err := m.files.promise(id); err != nil {
		return fmt.Errorf("install a snapshot: %w", err)
	}
	if err := finishInstall(m.files, m.journal, a.meta); err != nil {
		return fmt.Errorf("install a snapshot: %w", err)
	}
	m.halfway = false
	m.store.begin(a.meta)
	m.voters, m.applied, m.changes, m.sinceSnapshot = a.meta.Voters, a.meta.Index, nil, 0
	clear(m.routes)
	m.skipWaiters()
	m.show(a.img)
	m.o.Logger.Info("took a snapshot of the metadata log from another member", "offset", a.meta.End, "leader_epoch", a.meta.Term)
	return nil
}

// show publishes an image that no single step led to.
func (m *member) show(img *metadata.Image) {
	if m.waiting {
		m.waiting = false
		m.publish(img, img.AsDelta())
		return
	}
	if img.Offset == m.image.Offset { // what lay between was not about metadata
		return
	}
	m.publish(img, metadata.Diff(m.image, img))
}

// finishInstall carries out what follows the promise; it may be done again.
func finishInstall(files *checkpoints, j *journal, meta snapshotMeta) error {
	if err := j.reset(meta.End, meta.Term); err != nil {
		return fmt.Errorf("begin the log at offset %d: %w", meta.End, err)
	}
	return files.keepPromise(meta)
}

// begin makes the snapshot all that is stored.
func (s *storage) begin(m snapshotMeta) {
	s.index = entryIndex{base: m.Index, baseTerm: uint64(m.Term), baseOffset: m.End}
	s.tail, s.tailSize, s.conf = nil, 0, m.Conf
}

const (
	// incomingSuffix is of a snapshot on its way here, installSuffix of one
	// that is whole and counts.
	incomingSuffix = ".checkpoint.incoming"
	installSuffix  = ".checkpoint.install"
)

func (c *checkpoints) stem(id snapshotID) string {
	p := c.path(id)
	return p[:len(p)-len(checkpointSuffix)]
}
func (c *checkpoints) incoming(id snapshotID) string { return c.stem(id) + incomingSuffix }

// promise makes a snapshot that was taken the one that counts.
func (c *checkpoints) promise(id snapshotID) error {
	if err := c.fs.Rename(c.incoming(id), c.stem(id)+installSuffix); err != nil {
		return err
	}
	return c.fs.SyncDir(c.dir)
}

// keepPromise gives it its name, once the log begins where it ends. Older ones
// would ask for log that is gone.
func (c *checkpoints) keepPromise(meta snapshotMeta) error {
	id := snapshotID{meta.End, meta.Term}
	if err := c.fs.Rename(c.stem(id)+installSuffix, c.path(id)); err != nil {
		return err
	}
	if err := c.fs.SyncDir(c.dir); err != nil {
		return err
	}
	var err error
	for _, old := range c.ids {
		if old != id {
			err = errors.Join(err, c.fs.Remove(c.path(old)))
		}
	}
	c.ids, c.newestMeta, c.suspect = []snapshotID{id}, meta, false
	return err
}

// reset empties the log and begins it at offset end, durably. The log's own
// record of its start needs a batch below it: a control batch that nobody reads.
func (j *journal) reset(end int64, term int32) error {
	if j.start() == end && j.end() >= end {
		return nil
	}
	if err := j.truncate(j.start()); err != nil {
		return err
	}
	if end == 0 {
		return nil
	}
	b := newControlBatch(term)
	b.Add(0, fillerKey, leaderChangeValue(-1, nil))
	if err := j.appendOne(b.Build(end - 1)); err != nil {
		return err
	}
	if err := j.sync(); err != nil {
		return err
	}
	return j.release(end)
}

// again makes the member anew from what is stored, after an installation that
// had to stop half way for want of room.
func (m *member) again() error {
	c := &recoverer{o: m.o, dir: m.files.dir, id: m.id, joins: m.waiting, journal: m.journal}
	var err error
	if c.files, err = listCheckpoints(m.o.Dir.FS(), c.dir); err != nil {
		return err
	}
	if err := c.readState(); err != nil {
		return err
	}
	if err := c.load(); err != nil {
		return err
	}
	m.halfway, m.arrived, m.changes = false, nil, nil
	m.store, m.files, m.voters, m.applied, m.sinceSnapshot = c.r.store, c.files, c.r.voters, c.r.applied, c.r.bytes
	m.store.snapshot = m.snapshotForRaft
	m.skipWaiters()
	if !c.r.waiting {
		m.show(c.r.image)
	}
	return m.restart()
}
