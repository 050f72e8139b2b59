package log

import (
	"fmt"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
)

// Doubted tells that the log may end below what it had acknowledged: when it was
// opened its last bytes could not be read. A power cut leaves such bytes behind what
// was synced, and damage to what was synced past the recovery point looks the same.
// Only other replicas can tell. A log opened with OpenOptions.Settles stays in doubt,
// however often it is opened again, until Trust.
func (l *Log) Doubted() bool { return l.doubted.Load() }

// doubt notes that the log's end is in doubt. What says so is about to be cut off, and
// whoever opens the log after that finds it whole: so it is on disk first.
func (l *Log) doubt() error {
	if l.doubted.Load() {
		return nil
	}
	if l.settles {
		if err := checkpoint.Write(l.dir.fs, l.path(), layout.Doubt, nil, true); err != nil {
			return l.refuse(l.cfg.Load(), fmt.Errorf("note that the end of %s is in doubt: %w", l.name, err))
		}
	}
	l.doubted.Store(true)
	return nil
}

// Trust ends the doubt about the log's end, durably: others were heard. It is a
// writer's call.
func (l *Log) Trust() error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	if !l.doubted.Load() {
		return nil
	}
	err := l.dir.fs.Remove(l.path() + "/" + layout.Doubt)
	if err == nil {
		err = l.dir.fs.SyncDir(l.path())
	}
	if err != nil && !missing(err) {
		return l.dir.fail(fmt.Errorf("note that the end of %s is no longer in doubt: %w", l.name, err))
	}
	l.doubted.Store(false)
	return nil
}
