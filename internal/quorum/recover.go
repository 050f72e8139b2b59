package quorum

import (
	"errors"
	"fmt"

	"path"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/record"
)

// recovered is what a start finds on disk.
type recovered struct {
	store   *storage
	files   *checkpoints
	voters  *voterSet
	image   *metadata.Image
	applied uint64 // index of the last entry that image holds
	bytes   int64  // of log behind the snapshot
	id      uint64 // Raft id of this member
	waiting bool   // for a quorum to take it in: it has nothing yet
}

// refuse is a start that cannot be: what the metadata would be is not known.
// An empty state is never put in its place.
func refuse(dir, what string, cause error) error {
	advice := "if the quorum has other voters, move " + dir + " away and start with --join and the address of another node: this one then comes back as a new member and takes everything from them; else restore it from a backup, or start with an empty data directory if the cluster may be lost"
	if cause == nil {
		return fmt.Errorf("metadata log %s %s: %s", dir, what, advice)
	}
	return fmt.Errorf("metadata log %s %s: %w: %s", dir, what, cause, advice)
}

// recoverer reads the metadata directory; its steps are in order.
type recoverer struct {
	o        *Options
	dir      string
	id       uint64
	joins    bool // it has a directory id of its own, and no quorum to found
	journal  *journal
	files    *checkpoints
	hard     hardState
	hasState bool
	gone     bool // there was a metadata log, and no trace of it is left
	r        recovered
}

// recoverLog opens what an earlier run left, or founds a new quorum of one, or
// begins to wait for one.
func recoverLog(o *Options) (*journal, *recovered, error) {
	dir := path.Join(o.Dir.Path(), dirName)
	c := &recoverer{o: o, dir: dir}
	if err := c.beginAnew(); err != nil {
		return nil, nil, err
	}
	if err := o.Dir.Make(ident); err != nil {
		return nil, nil, err
	}
	if err := c.readID(); err != nil {
		return nil, nil, err
	}
	if err := c.readState(); err != nil {
		return nil, nil, err
	}
	var err error
	if c.files, err = listCheckpoints(o.Dir.FS(), dir); err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", dir, err)
	}
	if c.journal, err = openJournal(o.Dir); err != nil {
		return nil, nil, refuse(dir, "cannot be opened", err)
	}
	err = c.load()
	if err == nil {
		return c.journal, &c.r, nil
	}
	err = errors.Join(err, c.journal.close())
	if c.gone && o.Rejoin && !o.Joining {
		o.Logger.Warn("the metadata log is gone; this node joins the quorum again, as another member", "err", err)
		o.Joining = true
		if err := o.Dir.Discard(ident); err != nil {
			return nil, nil, fmt.Errorf("begin metadata log %s anew: %w", dir, err)
		}
		return recoverLog(o)
	}
	return nil, nil, err
}

func (c *recoverer) readState() error {
	id, hard, found, err := loadState(c.o.Dir.FS(), c.dir)
	if err != nil {
		return refuse(c.dir, "has a damaged "+stateName, err)
	}
	if found && id != c.id {
		return fmt.Errorf("metadata log %s belongs to quorum member %x, this node and directory are %x: it was copied from another data directory; put back the one that belongs here", c.dir, id, c.id)
	}
	c.hard, c.hasState = hard, found
	return nil
}

// load finds the newest sound snapshot and walks the log behind it.
func (c *recoverer) load() error {
	if err := c.finishInstall(); err != nil {
		return err
	}
	if len(c.files.ids) == 0 {
		if c.joins && c.journal.end() == 0 && c.hard.commit == 0 {
			c.wait()
			return nil
		}
		if c.hasState || c.journal.end() > 0 {
			c.gone = !c.hasState
			return refuse(c.dir, "has lost its snapshots", nil)
		}
		if err := c.found(); err != nil {
			return err
		}
	}
	img, meta, damaged := c.files.newest()
	for _, err := range damaged {
		c.o.Logger.Warn("a snapshot of the metadata log is damaged and passed over", "err", err)
	}
	if img == nil {
		return refuse(c.dir, "has no sound snapshot", errors.Join(damaged...))
	}
	if err := c.judge(meta); err != nil {
		return err
	}
	c.begin(img, meta)
	if err := c.walk(); err != nil {
		return refuse(c.dir, "is damaged", err)
	}
	return c.close()
}

// found makes the first snapshot: a quorum whose only voter is this node
// (KIP-853). Its index is 1, so that members who join later begin with it.
func (c *recoverer) found() error {
	for _, id := range c.o.Dir.Found() {
		if id.ID != TopicID {
			c.gone = true
			return refuse(c.dir, fmt.Sprintf("is gone, while the data directory holds partition %s-%d", id.Topic, id.Partition), nil)
		}
	}
	m := snapshotMeta{
		Index: 1, TimestampMs: c.o.Now().UnixMilli(), ClusterID: c.o.ClusterID,
		Conf:   &pb.ConfState{Voters: []uint64{c.id}},
		Voters: newVoterSet(Voter{ID: c.o.NodeID, DirectoryID: c.o.DirectoryID, Endpoints: c.o.Endpoints}),
	}
	if err := c.files.write(m, metadata.Empty()); err != nil {
		return fmt.Errorf("found the metadata log %s: %w", c.dir, err)
	}
	c.files.ids = append(c.files.ids, snapshotID{})
	return nil
}

// judge tells whether snapshot, log and quorum-state can be one history.
func (c *recoverer) judge(m snapshotMeta) error {
	start, end := c.journal.start(), c.journal.end()
	switch {
	case m.ClusterID != c.o.ClusterID:
		return fmt.Errorf("metadata log %s belongs to cluster %s, this node to cluster %s: put back the directory that belongs here", c.dir, m.ClusterID, c.o.ClusterID)
	case !c.hasState && (end > 0 || m.End > 0):
		return refuse(c.dir, "has lost its "+stateName+", so which votes were given is not known", nil)
	case end < m.End:
		return refuse(c.dir, fmt.Sprintf("ends at offset %d, and a snapshot reaches to %d: its end was lost", end, m.End), nil)
	case start > m.End:
		return refuse(c.dir, fmt.Sprintf("begins at offset %d, and the newest sound snapshot reaches to %d only: what lies between was lost", start, m.End), nil)
	}
	return nil
}

// begin starts from a snapshot.
func (c *recoverer) begin(img *metadata.Image, m snapshotMeta) {
	s := &storage{conf: m.Conf, hard: c.hard}
	s.index = entryIndex{base: m.Index, baseTerm: uint64(m.Term), baseOffset: m.End}
	s.read = func(lo, hi, max uint64) ([]*pb.Entry, error) {
		return c.journal.read(lo, hi, s.index.startOf(lo), max)
	}
	c.r = recovered{store: s, files: c.files, voters: m.Voters, image: img, applied: m.Index, id: c.id}
}

// walk counts the batches behind the snapshot into the index and applies the
// committed ones. What a sole voter's log holds, recovered and synced, is
// committed: no other log can contradict it. Else quorum-state's commit
// counts; the leader tells the rest.
func (c *recoverer) walk() error {
	s := c.r.store
	w := replay{draft: c.r.image.Draft(), offset: c.r.image.Offset, epoch: c.r.image.Epoch}
	err := c.journal.scan(s.index.end(), func(h *record.Header, batch []byte) error {
		e, err := entryOf(h, batch, s.index.last()+1)
		if err == nil && h.BaseOffset != s.index.end() {
			err = fmt.Errorf("it is preceded by a gap: %d was expected", s.index.end())
		}
		if err == nil {
			err = s.add(e, h.NextOffset())
		}
		if err == nil && (c.alone() || e.GetIndex() <= c.hard.commit) {
			err = c.apply(&w, h, e)
		}
		if err != nil {
			return fmt.Errorf("batch at offset %d: %w", h.BaseOffset, err)
		}
		c.r.bytes += int64(len(batch))
		s.trim(c.r.applied, true)
		return nil
	})
	c.r.image = w.draft.Seal(w.offset, w.epoch)
	return err
}

// alone tells whether this node is the only member that counts.
func (c *recoverer) alone() bool { return soleVoter(c.r.store.conf, c.id) }

func soleVoter(conf *pb.ConfState, id uint64) bool {
	return len(conf.GetVoters()) == 1 && conf.GetVoters()[0] == id && len(conf.GetVotersOutgoing()) == 0
}

// replay is the image in the making.
type replay struct {
	draft  *metadata.Draft
	offset int64
	epoch  int32
}

func (c *recoverer) apply(w *replay, h *record.Header, e *pb.Entry) error {
	switch {
	case e.GetType() != pb.EntryNormal:
		next, err := c.r.voters.after(e)
		if err != nil {
			return err
		}
		conf, err := confAfter(c.r.store.conf, c.r.store.index.last(), e)
		if err != nil {
			return err
		}
		c.r.voters, c.r.store.conf = next, conf
	case len(e.GetData()) > 0:
		records, err := parseRecords(e.GetData())
		if err != nil {
			return err
		}
		for n, r := range records {
			if err := w.draft.Apply(r); err != nil {
				return fmt.Errorf("record %d: %w", n, err)
			}
		}
		w.offset, w.epoch = h.LastOffset(), h.LeaderEpoch
	}
	c.r.applied = e.GetIndex()
	return nil
}

// close checks quorum-state against the log that was found.
func (c *recoverer) close() error {
	s := c.r.store
	last := s.index.last()
	if c.hasState && c.hard.term < s.index.lastTerm() {
		return refuse(c.dir, fmt.Sprintf("has entries of epoch %d, and %s knows epoch %d only: it is an older copy", s.index.lastTerm(), stateName, c.hard.term), nil)
	}
	if c.hard.commit > last {
		return refuse(c.dir, fmt.Sprintf("ends at entry %d, and entry %d was committed: its end was lost", last, c.hard.commit), nil)
	}
	s.hard.commit = max(c.hard.commit, c.r.applied)
	if rep := c.journal.log.RecoveryReport(); rep != nil && rep.CutBytes > 0 {
		c.o.Logger.Warn("the end of the metadata log was torn and is set aside",
			"bytes", rep.CutBytes, "offset", rep.End, "saved_to", rep.SavedTo, "reason", rep.Reason)
	}
	return nil
}
