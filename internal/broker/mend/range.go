package mend

import (
	"errors"
	"fmt"
	"log/slog"

	"ottla/internal/log"
)

// mostMisfits is how often batches may not fit, or be nowhere, before everything is
// fetched anew: the log may have changed while they came, and others may not have
// heard yet how far what they have is committed.
const mostMisfits = 3

// mendAll mends every damaged range of a log, those first that were met. anew says
// that only a new copy helps.
func (k *Keeper) mendAll(j *job, at *standing, offsets []int64) (anew bool, err error) {
	for _, offset := range append(offsets[:len(offsets):len(offsets)], j.p.SegmentBases()...) {
		damages, err := j.p.Damages(offset)
		if err != nil {
			return false, err
		}
		for _, d := range damages {
			if err := k.ctx.Err(); err != nil {
				return false, err
			}
			if d.Bytes == 0 {
				return true, nil
			}
			if err := k.mendOne(j, at, d); err != nil {
				if errors.Is(err, log.ErrMisfit) || errors.Is(err, errNowhere) {
					j.misfits++
				}
				return j.misfits >= mostMisfits, givenUp(j, err)
			}
		}
	}
	return false, nil
}

// givenUp is err, or nothing when there have been enough of them.
func givenUp(j *job, err error) error {
	if j.misfits >= mostMisfits {
		return nil
	}
	return err
}

// errNowhere: all others have answered, and none has what is damaged. It was written
// here and never committed: a leader that keeps it keeps everybody from going on.
var errNowhere = errors.New("no other replica has it")

// mendOne asks one node after the other for what is damaged.
func (k *Keeper) mendOne(j *job, at *standing, d log.Damage) error {
	var errs []error
	nowhere := 0
	for _, node := range at.others {
		b, err := k.batches(node, at, d)
		if err == nil {
			err = j.p.Mend(d, b)
		}
		if err == nil {
			k.o.Metrics.Mended.Inc()
			k.o.Logger.Warn("a damaged range was replaced with the records of another replica",
				slog.String("topic", at.key.Topic), slog.Int("partition", int(at.key.Index)),
				slog.Int64("from", d.Offset), slog.Int64("to", d.Next), slog.Int64("bytes", d.Bytes), slog.Int("broker", int(node)))
			return nil
		}
		errs = append(errs, fmt.Errorf("offsets %d to %d of %s-%d from node %d: %w", d.Offset, d.Next-1, at.key.Topic, at.key.Index, node, err))
		if errors.Is(err, log.ErrMisfit) {
			break // the others have the same
		}
		if errors.Is(err, errNothing) {
			nowhere++
		}
	}
	if nowhere == len(at.others) {
		errs = append(errs, errNowhere)
	}
	return errors.Join(errs...)
}
