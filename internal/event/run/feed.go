package run

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
)

// chunk are records that follow each other, and where the next one begins: all below
// next is in the chunk or not there.
type chunk struct {
	records []*kgo.Record
	from    int64 // where it was read on
	next    int64
	err     error
}

// ahead is how many chunks a feed has read at most that nobody took.
const ahead = 4

// feed reads ahead of a walk.
type feed struct {
	log    *follow.Partition
	chunks chan chunk
	done   chan struct{}
	cancel context.CancelFunc
}

// openFeed begins to read a partition from an offset on.
func (w *walk) openFeed(ctx context.Context, topic string, from int64) error {
	log, err := follow.Open(follow.Options{Client: w.r.s.o.Client, Topic: topic, Partition: w.r.seat.Partition, From: from, Wait: idleFetch, Moved: w.moved})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	w.feed = &feed{log: log, chunks: make(chan chunk, ahead), done: make(chan struct{}), cancel: cancel}
	w.at, w.seen, w.left = from, from, nil
	go w.feed.read(ctx)
	return nil
}

// moved tells of offsets that retention took before they were read.
func (w *walk) moved(from, to int64) {
	if to <= from {
		return // the log lost its end, which add sees
	}
	w.r.s.count.missed.Add(int(to - from))
	w.r.s.o.Logger.Error("retention has taken events before rules were tried on them; keep them longer", "source", w.r.src.Load().Ref.String(),
		"topic", w.r.topic, "partition", w.r.seat.Partition, "from", from, "to", to, "cursor", w.key)
}

func (f *feed) read(ctx context.Context) {
	defer close(f.done)
	for ctx.Err() == nil {
		c := chunk{from: f.log.At()}
		c.records, c.err = f.log.Next(ctx)
		if c.next = f.log.At(); c.err == nil && c.next == c.from {
			continue
		}
		select {
		case f.chunks <- c:
		case <-ctx.Done():
		}
		if c.err != nil {
			select {
			case <-time.After(errorPause):
			case <-ctx.Done():
			}
		}
	}
}

// close ends the reading and waits for it.
func (f *feed) close() {
	f.cancel()
	<-f.done
	f.log.Close()
}
