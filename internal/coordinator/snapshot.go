package coordinator

// Snapshots spare a load the length of its log. One is the machine's state in
// records, with the offset that it is the state at; a load applies it and
// replays what comes after. It is only ever an aid: one that is missing,
// damaged, of another partition, or that the log does not continue, is passed
// over, and the whole log is replayed.

const (
	// snapshotEvery is how many bytes of log bring a snapshot, or twice the last
	// one's size where that is more: writing them stays a third of the writing.
	snapshotEvery = 16 << 20
	// maxSnapshot bounds one in memory and on disk; a larger state has none.
	maxSnapshot = 64 << 20
)

// snapshots is a core's part in them.
type snapshots struct {
	since   int64 // bytes of log after the last one
	last    int64 // its size
	keeping bool  // one is taken and not on disk yet
	taken   *snapshot
}

// snapshot is a state that becomes a file once what it holds is committed.
type snapshot struct {
	end  int64 // it is the state of everything below
	file []byte
}

// drop forgets one that is not handed on yet: what it holds may be lost.
func (s *snapshots) drop() {
	if s.taken != nil {
		s.taken, s.keeping = nil, false
	}
	s.since, s.last = 0, 0
}

// kept is the result of writing a snapshot.
type kept struct{ err error }

// wroteBytes counts what the log grew by.
func (c *core) wroteBytes(n int) { c.snaps.since += int64(n) }

// snap takes a snapshot when it is time for one, and hands it on once it is
// committed. It is called at the end of a turn; while something accepted is not
// written yet, it is not the time.
func (c *core) snap() {
	s := &c.snaps
	if c.phase != active {
		return
	}
	if c.snapshotEvery > 0 && !s.keeping && c.accepted == c.written && s.since >= max(c.snapshotEvery, 2*s.last) {
		c.takeSnapshot()
	}
	if s.taken != nil && s.taken.end <= c.committed {
		c.keep(c.life, c.tail.(Keeper), s.taken)
		s.taken = nil
	}
}

// takeSnapshot encodes the state, where tail and machine know how.
func (c *core) takeSnapshot() {
	keeper, ok := c.tail.(Keeper)
	lister, lists := c.machine.(Lister)
	if !ok || !lists {
		return
	}
	s := &c.snaps
	s.since = 0
	head := snapshotHead{identity: keeper.Identity(), offset: c.accepted, epoch: c.tail.LeaderEpoch()}
	if file, ok := encodeSnapshot(head, lister.Records(), maxSnapshot); ok {
		s.taken, s.keeping, s.last = &snapshot{c.accepted, file}, true, int64(len(file))
	}
}

// noteKept takes the end of a snapshot's writing.
func (c *core) noteKept(k kept) {
	c.snaps.keeping = false
	if k.err != nil {
		c.logger.Warn("a coordinator's snapshot cannot be written; its next load reads more of the log",
			"topic", c.topic, "partition", c.partition, "err", k.err)
	}
}

// restore applies the snapshot, if there is a good one, and tells from which
// offset on the log is to be replayed.
func (c *core) restore() int64 {
	keeper, ok := c.tail.(Keeper)
	if !ok {
		return 0
	}
	file, err := keeper.Kept(maxSnapshot)
	if err != nil || file == nil {
		c.passOver(err)
		return 0
	}
	head, records, err := decodeSnapshot(file)
	switch {
	case err != nil:
		c.passOver(err)
		return 0
	case head.identity != keeper.Identity() || head.offset > c.loadTo || !keeper.Continues(head.offset, head.epoch):
		return 0
	}
	for r := range records {
		r.Offset = -1
		c.machine.Apply(r)
	}
	c.snaps.last = int64(len(file))
	return head.offset
}

func (c *core) passOver(err error) {
	if err != nil {
		c.logger.Warn("a coordinator's snapshot is passed over, the whole log is read",
			"topic", c.topic, "partition", c.partition, "err", err)
	}
}
