package broker

import (
	"errors"
	"sync"
)

// Close stops the loops, closes all partitions and directories cleanly. The
// doors are closed before: nothing is produced any more.
func (b *Broker) Close() error {
	if b.stopped.Swap(true) {
		return nil
	}
	close(b.stop)
	b.opening.Wait()
	b.loops.Wait()
	var mu sync.Mutex
	var errs []error
	note := func(err error) {
		if err != nil {
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
		}
	}
	// One round for all, so that closing each finds nothing left to sync.
	for _, d := range b.dirs {
		if d.Err() == nil {
			note(d.SyncRound())
		}
	}
	var all []*held
	for t := range b.table.topics() {
		for _, h := range t.parts {
			if h != nil {
				all = append(all, h)
			}
		}
	}
	inParallel(all, diskWorkers, func(h *held) {
		if err := h.close(); h.dir.Err() == nil {
			note(err)
		}
	})
	for _, d := range b.dirs {
		note(d.Close(b.highWatermark))
	}
	return errors.Join(errs...)
}
