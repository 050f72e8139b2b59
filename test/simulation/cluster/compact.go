package cluster

import (
	"errors"

	"ottla/internal/log"
)

// compact cleans what is due of the logs of internal topics, each node its own. What
// coordinators know must come out of what is left.
func (p *process) compact() {
	for _, part := range p.partitions() {
		plan, err := part.Cleanable()
		if err != nil || !plan.Due {
			continue // what is wrong with a log is said where it is served
		}
		done, err := part.Clean(&p.cleaner)
		rot := (*log.CorruptError)(nil)
		switch {
		case err == nil:
			p.w.hit("log compacted")
			if done.Dropped > 0 {
				p.w.hit("records compacted away")
			}
			p.w.note("%v: %s-%d is compacted from %d to %d, %d records dropped", p.n, part.Topic(), part.Describe().Index, done.From, done.To, done.Dropped)
		case errors.Is(err, log.ErrNothingToClean), errors.Is(err, log.ErrClosed):
		case errors.As(err, &rot) && p.w.o.Rot && p.n.id == p.w.rotter:
			p.w.hit("damage said to the cleaner")
		default:
			p.suspect("compact "+part.Topic(), err)
		}
		if p.silent() {
			return
		}
	}
}
