package log

import (
	"fmt"
	"os"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
)

// finishRolled writes the indexes and snapshots of the segments that were
// rolled since, and cuts their files to size. All of it can be derived again,
// so nothing here is synced. Log.w is held.
func (l *Log) finishRolled() error {
	for i, s := range l.segs {
		if b := s.snapshotted; b != nil {
			if err := l.writeFile(s.base, suffixSnapshot, b); err != nil {
				return err
			}
			s.snapshotted = nil
		}
		if !s.unfinished || i == len(l.segs)-1 {
			continue
		}
		if err := l.finish(s); err != nil {
			return err
		}
		l.mu.Lock()
		s.unfinished = false
		l.mu.Unlock()
		l.dropIndex(s)
	}
	return l.saveEpochs()
}

// finish writes the index files of a segment that takes no more batches.
func (l *Log) finish(s *segment) error {
	if err := l.loadIndex(s); err != nil {
		return nil // rot or a failing disk: readers will say so, the rest goes on
	}
	l.mu.Lock()
	offsets, times, maxMs, maxLast := s.offsets, s.times, s.maxMs, s.maxLast
	l.mu.Unlock()
	if s.allocated > s.size {
		if err := l.cutToSize(s); err != nil {
			return err
		}
	}
	if err := l.writeFile(s.base, suffixIndex, offsets.Append(nil)); err != nil {
		return err
	}
	if maxMs >= 0 {
		times = times[:len(times):len(times)].Add(index.Time{TimestampMs: maxMs, Rel: int32(maxLast - s.base)})
	}
	if err := l.writeFile(s.base, suffixTimes, times.Append(nil)); err != nil {
		return err
	}
	return l.dir.passingChore(l.saveAborted1(s))
}

// cutToSize gives back what was allocated beyond the end of a closed segment.
func (l *Log) cutToSize(s *segment) error {
	f, err := l.dir.open(s.file(suffixLog), os.O_RDWR)
	if err != nil {
		return l.dir.passingChore(err)
	}
	err = f.Truncate(s.size)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return l.dir.fail(fmt.Errorf("cut %s to size: %w", s.file(suffixLog), err))
	}
	s.allocated = s.size
	return nil
}

// writeFile writes one of a segment's derived files.
func (l *Log) writeFile(base int64, suffix string, b []byte) error {
	return l.dir.passingChore(checkpoint.Write(l.dir.fs, l.path(), fileName(base, suffix), b, false))
}

// passingChore lets a chore fail for want of room: what it writes can be
// derived. Any other failure of the disk is final.
func (d *Dir) passingChore(err error) error {
	if err == nil || soft(err) {
		return nil
	}
	return d.fail(err)
}

// saveAborted brings the transaction-index files up to date and syncs them:
// the checkpoint that follows relies on them.
func (l *Log) saveAborted() error {
	l.mu.Lock()
	var due []*segment
	for _, s := range l.segs {
		if len(s.aborted) > s.savedTxns {
			due = append(due, s)
		}
	}
	l.mu.Unlock()
	for _, s := range due {
		if err := l.saveAborted1(s); err != nil {
			return err
		}
	}
	return nil
}

// saveAborted1 writes and syncs the transaction index of one segment.
func (l *Log) saveAborted1(s *segment) error {
	l.load.Lock() // one at a time: a checkpoint may come while a roll is finished
	defer l.load.Unlock()
	l.mu.Lock()
	all := s.aborted
	saved := s.savedTxns
	l.mu.Unlock()
	if len(all) == saved {
		return nil
	}
	var b []byte
	for _, a := range all {
		b = index.AppendAborted(b, a)
	}
	if err := checkpoint.Write(l.dir.fs, l.path(), fileName(s.base, suffixAborted), b, true); err != nil {
		return err
	}
	l.mu.Lock()
	if s.savedTxns == saved {
		s.savedTxns = len(all)
	}
	l.mu.Unlock()
	return nil
}

// snapshotFile is the producer state as Kafka's .snapshot file has it.
func (l *Log) snapshotFile() []byte { return l.Producers().Snapshot() }

// saveEpochs writes leader-epoch-checkpoint when it changed. Log.w is held.
func (l *Log) saveEpochs() error {
	v := l.epochs.Version()
	if v == l.epochsDone || len(l.segs) == 0 {
		return nil
	}
	b := checkpoint.AppendEpochs(nil, l.epochs.All())
	if err := l.dir.passingChore(checkpoint.Write(l.dir.fs, l.path(), checkpoint.LeaderEpochs, b, false)); err != nil {
		return err
	}
	l.epochsDone = v
	return nil
}
