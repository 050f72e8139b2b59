package log

import (
	"fmt"
	"strconv"
	"strings"

	"ottla/internal/log/checkpoint"
)

// doubtName is the file that is there while something of a log may be missing, and
// nobody has settled that. Ours; Kafka passes it by.
const doubtName = "partition.doubt"

// doubts is what may be missing of a log: what the file holds.
type doubts struct {
	end  bool // see Log.Doubted
	lost bool // see Log.Lost
}

// appendDoubts and parseDoubts are the text of the file.
func appendDoubts(b []byte, d doubts) []byte {
	return fmt.Appendf(b, "version: 0\nend: %t\nlost: %t\n", d.end, d.lost)
}

func parseDoubts(b []byte) (doubts, bool) {
	text, ok := strings.CutPrefix(string(b), "version: 0\nend: ")
	end, lost, found := strings.Cut(strings.TrimSuffix(text, "\n"), "\nlost: ")
	e, err := strconv.ParseBool(end)
	l, lerr := strconv.ParseBool(lost)
	if !ok || !found || err != nil || lerr != nil {
		return doubts{}, false
	}
	return doubts{e, l}, true
}

// readDoubts takes up what an earlier process left unsettled. A file that cannot be
// read says the worst.
func (l *Log) readDoubts() error {
	b, err := checkpoint.Read(l.dir.fs, l.path()+"/"+doubtName)
	if soft(err) {
		return l.refuse(l.cfg.Load(), err)
	}
	d, ok := parseDoubts(b)
	if err != nil || !ok {
		l.dir.log.Warn("partition.doubt is damaged: the log counts as one that has lost something", "log", l.name, "err", err)
		d = doubts{true, true}
	}
	l.doubts = d
	l.doubted.Store(d.end)
	l.lost.Store(d.lost)
	return nil
}

// doubt notes that the end of the log is in doubt, on disk before anything is cut.
func (r *recovery) doubt() error {
	r.l.doubted.Store(true)
	return r.keepDoubts()
}

// keepDoubts has the next recovery know what this one found: a log that was cut, or
// goes on behind what is lost, looks well to it, and whoever is to settle that may not
// come to it in this life.
func (r *recovery) keepDoubts() error {
	l := r.l
	if !l.keep {
		return nil
	}
	return l.noteDoubts(doubts{l.doubted.Load(), l.lost.Load()})
}

// noteDoubts brings the file to what it shall say, durably. Log.w is held, or the log
// is not open yet.
func (l *Log) noteDoubts(d doubts) error {
	if d == l.doubts {
		return nil
	}
	var err error
	if d != (doubts{}) {
		err = checkpoint.Write(l.dir.fs, l.path(), doubtName, appendDoubts(nil, d), true)
	} else if err = l.dir.fs.Remove(l.path() + "/" + doubtName); err == nil {
		err = l.dir.fs.SyncDir(l.path())
	}
	if err != nil {
		return l.refuse(l.cfg.Load(), fmt.Errorf("note what may be missing of %s: %w", l.name, err))
	}
	l.doubts = d
	return nil
}

// Trust ends the doubt about the log's end: the next start does not find it again.
// Doubted goes on to tell how the log was opened.
func (l *Log) Trust() error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	return l.noteDoubts(doubts{lost: l.doubts.lost})
}
