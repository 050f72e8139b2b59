package broker

import "errors"

// Close stops the loops, closes all partitions and directories cleanly. The
// doors are closed before: nothing is produced any more.
func (b *Broker) Close() error {
	if b.stopped.Swap(true) {
		return nil
	}
	close(b.stop)
	b.fetchers.Close()
	b.inSync.Close()
	if b.mending != nil {
		b.mending.Close()
	}
	b.opening.Wait()
	b.loops.Wait()
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	// One round for all, so that closing each finds nothing left to sync.
	for _, d := range b.dirs {
		if d.Err() == nil {
			note(d.SyncRound())
		}
	}
	// The directories close their logs, and still know them while they write
	// down where each ended; after that the partitions let go.
	for _, d := range b.dirs {
		note(d.Close(b.highWatermark))
	}
	for t := range b.table.topics() {
		for _, h := range t.parts {
			if h == nil {
				continue
			}
			if err := h.close(); h.dir().Err() == nil {
				note(err)
			}
		}
	}
	return errors.Join(errs...)
}
