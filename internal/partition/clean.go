package partition

import (
	"ottla/internal/log"
)

// Cleanable tells what a compaction of the log would cover now. Any replica
// cleans its own log.
func (p *Partition) Cleanable() (log.CleaningPlan, error) {
	l := p.log.Load()
	if l == nil {
		return log.CleaningPlan{}, nil
	}
	return l.Cleanable(p.stable.Load())
}

// Clean compacts the log below the last stable offset, in the caller's
// goroutine and beside everything else: appends wait only while it takes down
// where it begins and while a cleaned segment takes its place. It fails with
// log.ErrNothingToClean; errors are the log's own.
func (p *Partition) Clean(c *log.Cleaner) (log.Cleaned, error) {
	l := p.log.Load()
	if l == nil {
		return log.Cleaned{}, log.ErrClosed
	}
	// A log that is not synced before it answers may have much to sync; better
	// here than with mu held.
	if l.Durable().Segment != l.End().Segment {
		if err := l.Sync(); err != nil {
			return log.Cleaned{}, err
		}
	}
	k, err := p.beginCleaning()
	if err != nil {
		return log.Cleaned{}, err
	}
	done, err := k.Run(c)
	p.rotten(err)
	return done, err
}

func (p *Partition) beginCleaning() (*log.Cleaning, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		return nil, log.ErrClosed
	}
	return l.BeginCleaning(p.stable.Load())
}

// Uncleanable tells why compaction leaves the log out, or nil: its bytes can not
// be read or understood.
func (p *Partition) Uncleanable() error {
	if l := p.log.Load(); l != nil {
		return l.Uncleanable()
	}
	return nil
}
