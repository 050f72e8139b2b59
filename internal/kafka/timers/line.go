package timers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/timer"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// line reads one partition of a delay line.
type line struct {
	d      *LinesDeps
	topic  string
	to     string
	index  int32
	name   string // of the line, to the coordinators
	cancel context.CancelFunc
	stir   chan struct{} // there may be more to read

	mu    sync.Mutex // guards what follows
	at    int64      // what is read and stored ends here; -1: not known yet
	err   error      // why it does not go on at the moment
	moved chan struct{}
}

func newLine(d *LinesDeps, topic, to string, id uuid.UUID, index int32) *line {
	return &line{
		d: d, topic: topic, to: to, index: index, name: fmt.Sprintf("%s-%d", id, index), at: -1,
		stir: make(chan struct{}, 1), moved: make(chan struct{}),
	}
}

// Readable implements partition.FetchWaiter.
func (r *line) Readable(int) {
	select {
	case r.stir <- struct{}{}:
	default:
	}
}

// run reads until ctx ends. What fails is tried again from where the coordinator says
// that the line is.
func (r *line) run(ctx context.Context) {
	for tries := 0; ctx.Err() == nil; tries++ {
		began := r.position()
		err := r.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if r.position() != began {
			tries = 0
		}
		r.note(-1, err)
		if tries == tellAfter {
			r.d.Logger.Warn("a delay line does not go on; it is tried again", "topic", r.topic, "partition", r.index, "to", r.to, "err", err)
		}
		r.d.Pause(ctx, min(firstPause<<min(tries, 8), time.Second))
	}
}

// tellAfter tries in vain there is a line in the log.
const tellAfter = 6

// follow reads on and on; it ends with an error.
func (r *line) follow(ctx context.Context) error {
	if err := r.allowed(); err != nil {
		return err
	}
	stored, err := r.d.Timers.LineAt(ctx, r.name)
	if err != nil {
		return err
	}
	at := max(stored, 0)
	for {
		p, code := r.d.Partitions.ByName([]byte(r.topic), r.index)
		if code != wire.None {
			return wire.Errorf(wire.NotLeaderOrFollower, "it is not open here: %w", code)
		}
		got, err := r.read(p, at)
		if err != nil {
			return err
		}
		if got.next == at {
			r.note(at, nil)
			if err := r.wait(ctx, p, got.stable); err != nil {
				return err
			}
			continue
		}
		if err := r.store(ctx, stored, got); err != nil {
			return err
		}
		stored, at = got.next, got.next
		r.note(at, nil)
	}
}

// allowed refuses a line that would go round in circles.
func (r *line) allowed() error {
	img := r.d.Image()
	switch {
	case metadata.IsInternal(r.to), metadata.IsInternal(r.topic):
		return wire.Errorf(wire.InvalidTopic, "%s of %s names %s: the nodes' own topics are no lines and end none", DeliverTo, r.topic, r.to)
	case r.d.To(img, r.to) != "":
		return wire.Errorf(wire.InvalidTopic, "%s of %s names %s, which is a delay line itself", DeliverTo, r.topic, r.to)
	}
	return nil
}

// store gives timers to their coordinator, in pieces of a size that it takes. A timer
// that is too large alone is given up: nothing behind it would come otherwise.
func (r *line) store(ctx context.Context, from int64, got *taken) error {
	most := mostItems
	for begin := 0; ; {
		end := got.piece(begin, most)
		c := timer.TakeUp{Line: r.name, From: from, To: got.next, Timers: got.timers[begin:end]}
		if end < len(got.timers) {
			c.To = got.offsets[end]
		}
		err := r.d.Timers.TakeUp(ctx, c)
		switch {
		case wire.CodeOf(err) != wire.MessageTooLarge:
		case end-begin > 1: // its topic takes less than a moment ago, or one of them is large
			most = (end - begin) / 2
			continue
		case end-begin == 1:
			r.giveUp(got.offsets[begin], got.sizes[begin], err)
			c.Timers = nil
			err = r.d.Timers.TakeUp(ctx, c)
		}
		if err != nil {
			return err
		}
		r.d.Read.Add(end - begin)
		if end == len(got.timers) {
			return nil
		}
		begin, from = end, c.To
	}
}

// piece is where what is stored at once ends that begins at begin.
func (got *taken) piece(begin, most int) int {
	end, bytes := begin, 0
	for end < len(got.timers) && end-begin < most && (end == begin || bytes+got.sizes[end] <= mostBytes) {
		bytes += got.sizes[end]
		end++
	}
	return end
}

// giveUp tells of a record that will not be delivered.
func (r *line) giveUp(offset int64, size int, why error) {
	r.d.GivenUp.Inc()
	r.d.Logger.Error("a record of a delay line is given up: its topic takes none so large", "topic", r.topic,
		"partition", r.index, "offset", offset, "to", r.to, "bytes", size, "err", why)
}

// wait waits for more than the last stable offset that was seen.
func (r *line) wait(ctx context.Context, p *partition.Partition, stable int64) error {
	p.Watch(r, stable, partition.ReadCommitted)
	defer p.Unwatch(r)
	select {
	case <-r.stir:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note tells those who settle how far it is; -1 leaves that as it is.
func (r *line) note(at int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at >= 0 {
		r.at = at
	}
	r.err = err
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *line) position() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// passes tells what is over soon: a partition or a coordinator that moves.
func passes(err error) bool {
	switch wire.CodeOf(err) {
	case wire.InvalidTopic, wire.UnknownTopicOrPartition, wire.MessageTooLarge, wire.InvalidRequest, wire.CorruptMessage, wire.KafkaStorageError:
		return false
	}
	return true
}

// settle waits until all that can be read at this moment is stored.
func (r *line) settle(ctx context.Context) (int64, error) {
	p, code := r.d.Partitions.ByName([]byte(r.topic), r.index)
	if code != wire.None {
		return 0, nil // another leads it by now
	}
	end := p.Offsets().LastStable
	for {
		r.mu.Lock()
		at, err, moved := r.at, r.err, r.moved
		r.mu.Unlock()
		switch {
		case at >= end:
			return at, nil
		case err != nil && !passes(err):
			return 0, fmt.Errorf("the delay line %s-%d: %w", r.topic, r.index, err)
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, fmt.Errorf("the delay line %s-%d is read up to %d of %d: %w", r.topic, r.index, at, end, ctx.Err())
		}
	}
}
