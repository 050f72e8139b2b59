package marker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/partition"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// Partitions finds a partition that this node leads, or says with a code why
// there is none.
type Partitions interface {
	ByName(topic []byte, index int32) (*partition.Partition, wire.Code)
}

// Groups are the group coordinators of this node.
type Groups interface {
	// GoAt gives a command of package group to the machine of a partition of the
	// offsets topic; done is called once, from any goroutine.
	GoAt(ctx context.Context, partition int32, cmd any, done func(any, error))
}

// Options make a Writer.
type Options struct {
	Partitions   Partitions
	Groups       Groups
	OffsetsTopic string                 // whose partitions Groups write to
	NodeID       int32                  // this node's
	Image        func() *metadata.Image // says where a partition is led, and whether it is deleted
	Peers        outbox.Peers           // nil: all partitions are led here
	Now          func() time.Time       // dates markers
	Logger       *slog.Logger           // nil: no log lines
	// Pause waits between two tries, at most until ctx ends; nil means by the
	// system's clock.
	Pause func(ctx context.Context, d time.Duration)
}

// Writer writes markers. It implements txn.Markers.
type Writer struct {
	o    Options
	box  *outbox.Box[*share] // of markers for other nodes
	jobs sync.WaitGroup
}

var _ txn.Markers = (*Writer)(nil)

// New makes a writer.
func New(o Options) *Writer {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	w := &Writer{o: o}
	w.box = outbox.New(outbox.Options[*share]{
		Peers: o.Peers, Timeout: answerWithin, Make: request, Took: took,
		Kind: func(*share) any { return nil },
		Name: func(s *share) any { return s.m.ProducerID },
	})
	return w
}

// Close waits until every Write has ended.
func (w *Writer) Close() { w.jobs.Wait() }

// Pauses between tries: a partition that opens or changes its leader takes
// some ten milliseconds, a new leader some hundred, a full disk longer.
const (
	firstPause = 10 * time.Millisecond
	movedPause = 100 * time.Millisecond // the longest while a leader is looked for
	lastPause  = time.Second
	// tellAfter tries in vain there is a line in the log.
	tellAfter = 8
)

// job is one Write.
type job struct {
	w     *Writer
	ctx   context.Context
	m     txn.Marker // with the partitions that still need it
	tries int
	pause time.Duration
	done  func(error)
}

// Write implements txn.Markers.
func (w *Writer) Write(ctx context.Context, m txn.Marker, done func(error)) {
	j := &job{w: w, ctx: ctx, m: m, pause: firstPause, done: done}
	w.jobs.Add(1)
	go j.try() // a partition's lock may be held over a write to the disk
}

// try is one try at what is left.
func (j *job) try() {
	if err := j.ctx.Err(); err != nil {
		j.end(err)
		return
	}
	j.tries++
	j.w.everywhere(j.ctx, &j.m, j.judge)
}

// judge looks at what a try has come to.
func (j *job) judge(codes []wire.Code) {
	var left, fenced []txn.TopicPartition
	why := wire.None
	for i, code := range codes {
		switch code {
		case wire.None, wire.NotEnoughReplicasAfterAppend: // there, and committed
		case wire.InvalidProducerEpoch: // it has begun anew since
		case wire.UnknownTopicOrPartition:
			if !j.w.deleted(j.m.Partitions[i]) {
				left, why = append(left, j.m.Partitions[i]), wire.NotLeaderOrFollower
			}
		case wire.TransactionCoordinatorFenced:
			fenced = append(fenced, j.m.Partitions[i])
		default:
			left, why = append(left, j.m.Partitions[i]), code
		}
	}
	switch {
	case len(left) == 0 && len(fenced) == 0:
		j.end(nil)
	case j.ctx.Err() != nil:
		j.end(j.ctx.Err())
	default:
		go j.goOn(left, fenced, why) // nobody may wait here
	}
}

// goOn tries later what is left, unless a newer coordinator has a transaction of
// the producer open somewhere. Where it has not, it has ended this one, and
// nothing is left to be done.
func (j *job) goOn(left, fenced []txn.TopicPartition, why wire.Code) {
	for _, tp := range fenced {
		switch open, err := j.w.inTxn(j.ctx, tp, j.m.ProducerID); {
		case err != nil:
			left, why = append(left, tp), wire.CodeOf(err)
		case open:
			j.end(wire.TransactionCoordinatorFenced)
			return
		}
	}
	if len(left) == 0 {
		j.end(nil)
		return
	}
	j.again(left, why)
}

// again tries later what is left.
func (j *job) again(left []txn.TopicPartition, why wire.Code) {
	if j.tries == tellAfter {
		j.w.o.Logger.Warn("the end of a transaction waits for a partition", "txn_id", j.m.ID, "producer_id", j.m.ProducerID,
			"topic", left[0].Topic, "partition", left[0].Partition, "partitions", len(left), "err", why)
	}
	j.m.Partitions = left
	most := lastPause
	if moving(why) {
		most = movedPause
	}
	wait := min(j.pause, most)
	j.pause = min(2*j.pause, lastPause)
	j.w.o.Pause(j.ctx, wait)
	j.try()
}

// moving tells that a partition is likely to have a leader soon.
func moving(why wire.Code) bool {
	switch why {
	case wire.NotLeaderOrFollower, wire.LeaderNotAvailable, wire.NetworkException:
		return true
	}
	return false
}

// end tells who asked.
func (j *job) end(err error) {
	j.done(err)
	j.w.jobs.Done()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
