package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/delivery/course"
	"ottla/internal/event/follow"
	"ottla/internal/event/name"
	"ottla/internal/event/place"
)

const (
	// loadTimeout bounds a load; more is a cluster that does not answer.
	loadTimeout = time.Minute
	// txnTimeout bounds a transaction.
	txnTimeout = 30 * time.Second
	// writeTimeout is how long a record may take to be written to its topic.
	writeTimeout = 5 * time.Second
	// idleFetch is how long a fetch waits that brings nothing.
	idleFetch = 5 * time.Second
	// mostBatch is what goes to a partition at once: more than any dead letter has.
	mostBatch = 2 << 20
)

// Keys of StateTopic that are no target's; those have a slash in them.
const (
	fenceKey  = "runner"
	cursorKey = "cursor"
)

// cursor is how far Topic was read. It is kept as JSON.
type cursor struct {
	At int64 `json:"at"`
}

// begin fences whoever ran the partition before, and reads what is not finished.
func (r *runner) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	c, err := r.s.o.Client(
		kgo.TransactionalID("ottla-deliveries-"+strconv.Itoa(int(r.partition))), kgo.TransactionTimeout(txnTimeout),
		kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(mostBatch),
		kgo.RecordPartitioner(place.Partitioner()),
	)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if err := r.fill(ctx, c); err != nil {
		c.Close()
		return err
	}
	r.client = c
	return nil
}

func (r *runner) fill(ctx context.Context, c *kgo.Client) error {
	if _, _, err := c.ProducerID(ctx); err != nil {
		return fmt.Errorf("keep other runners out: %w", err)
	}
	end, err := r.fence(ctx, c)
	if err != nil {
		return fmt.Errorf("begin in %s: %w", StateTopic, err)
	}
	r.clear()
	if err := r.read(ctx, end); err != nil {
		return fmt.Errorf("read %s: %w", StateTopic, err)
	}
	r.atKept = r.at
	for key := range r.lanes {
		r.heatUp(key)
	}
	r.again, err = follow.Open(follow.Options{Client: r.s.o.Client, Topic: Topic, Partition: r.partition, Wait: idleFetch})
	return err
}

// clear forgets all that an earlier life knew.
func (r *runner) clear() {
	r.reads, r.rereads, r.goOn = make(chan chunk), make(chan reread), make(chan int64, 1)
	r.writes, r.writing = make(chan wrote, 1), nil
	r.lanes, r.wanting, r.heat, r.starved = map[string]*lane{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	r.stale, r.dirty, r.ill = map[string]bool{}, map[string]bool{}, map[name.Ref]illness{}
	r.busy = map[string]int{}
	r.hot, r.due, r.letters, r.attempts = nil, nil, nil, nil
	r.at, r.flying, r.bytes, r.loading, r.rereading = 0, 0, 0, 0, false
	r.near = reread{}
	r.commitAt = time.Time{}
	r.mu.Lock()
	r.ended, r.marked, r.known = nil, nil, nil
	r.mu.Unlock()
}

// fence writes a record behind everything that others have written, and tells where
// that ends. AttemptsTopic gets one as well: while it takes nothing nobody is called, or
// he would be called again and again, as what came of it could not be written.
func (r *runner) fence(ctx context.Context, c *kgo.Client) (int64, error) {
	if err := c.BeginTransaction(); err != nil {
		return 0, err
	}
	rec := &kgo.Record{Topic: StateTopic, Partition: r.partition, Key: []byte(fenceKey), Timestamp: r.s.o.Now()}
	told := &kgo.Record{Topic: AttemptsTopic, Partition: r.partition, Key: []byte(fenceKey), Timestamp: r.s.o.Now()}
	if err := c.ProduceSync(ctx, rec, told).FirstErr(); err != nil {
		return 0, err
	}
	return rec.Offset, commit.Commit(ctx, c, rec, told)
}

// read reads what is kept of the partition, up to an offset.
func (r *runner) read(ctx context.Context, end int64) error {
	log, err := follow.Open(follow.Options{Client: r.s.o.Client, Topic: StateTopic, Partition: r.partition, Wait: idleFetch})
	if err != nil {
		return err
	}
	defer log.Close()
	for log.At() < end {
		got, err := log.Next(ctx)
		if err != nil {
			return err
		}
		for _, rec := range got {
			if err := r.apply(rec); err != nil {
				return fmt.Errorf("the record at offset %d: %w", rec.Offset, err)
			}
		}
	}
	return nil
}

// apply takes over what a record says.
func (r *runner) apply(rec *kgo.Record) error {
	key := string(rec.Key)
	switch {
	case key == cursorKey:
		var c cursor
		if err := json.Unmarshal(rec.Value, &c); err != nil {
			return err
		}
		r.at = c.At
	case !strings.Contains(key, "/"):
	case rec.Value == nil:
		delete(r.lanes, key)
	default:
		var s course.State
		if err := json.Unmarshal(rec.Value, &s); err != nil {
			return err
		}
		of, err := course.Restore(s)
		if err != nil {
			return err
		}
		r.lanes[key] = &lane{Lane: of, key: key, loaded: map[int64]*parcel{}, kept: true}
	}
	return nil
}
