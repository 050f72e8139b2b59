package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/follow"
	"ottla/internal/event/name"
	"ottla/internal/event/place"
	"ottla/internal/event/schedule/course"
)

const (
	// loadTimeout bounds a load; more is a cluster that does not answer.
	loadTimeout = time.Minute
	// txnTimeout bounds a transaction of a turn.
	txnTimeout = 30 * time.Second
	// deliverTimeout is how long a record may take to be written to its topic,
	// before its run counts as failed and is tried again later.
	deliverTimeout = 5 * time.Second
	// idleFetch is how long a fetch of wakes waits that brings nothing.
	idleFetch = 5 * time.Second
	// fenceKey is the key of what a runner writes when it begins.
	fenceKey = "runner"
)

// load fences whoever ran the partition before, and reads what is known of its
// schedules. The order matters: wakes are read from where they end now, before
// schedules are looked at, so that none is missed; definitions are brought up to date
// after the fence.
func (r *runner) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	c, err := r.s.o.Client(
		kgo.TransactionalID("ottla-schedules-"+strconv.Itoa(int(r.partition))),
		kgo.TransactionTimeout(txnTimeout), kgo.ProducerLinger(0),
		kgo.RecordPartitioner(place.Partitioner()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(idleFetch),
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
	ends, err := kadm.NewClient(c).ListEndOffsets(ctx, WakeTopic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", WakeTopic, err)
	}
	end, ok := ends.Lookup(WakeTopic, r.partition)
	if !ok {
		return fmt.Errorf("%s has no partition %d", WakeTopic, r.partition)
	}
	c.AddConsumePartitions(map[string]map[int32]kgo.Offset{WakeTopic: {r.partition: kgo.NewOffset().At(end.Offset)}})
	fence, err := r.fence(ctx, c)
	if err != nil {
		return fmt.Errorf("begin in %s: %w", StateTopic, err)
	}
	states, err := r.read(ctx, fence)
	if err != nil {
		return fmt.Errorf("read %s: %w", StateTopic, err)
	}
	// What has a state and no definition was deleted: so all definitions must be
	// known here that were when the last runner was fenced.
	if err := r.s.current(ctx); err != nil {
		return err
	}
	r.states, r.wakes, r.queued, r.flying = states, map[string]int64{}, nil, 0
	r.flyingTo, r.leaving = map[string]int{}, map[string]bool{}
	r.mu.Lock()
	r.ended, r.done = nil, nil
	r.mu.Unlock()
	return nil
}

// fence writes a record behind everything that others have written, and tells where
// that ends.
func (r *runner) fence(ctx context.Context, c *kgo.Client) (int64, error) {
	if err := c.BeginTransaction(); err != nil {
		return 0, err
	}
	rec := &kgo.Record{Topic: StateTopic, Partition: r.partition, Key: []byte(fenceKey), Timestamp: r.s.o.Now()}
	if err := c.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return 0, err
	}
	return rec.Offset, commit.Commit(ctx, c, rec)
}

// read reads the partition up to an offset.
func (r *runner) read(ctx context.Context, end int64) (map[string]course.State, error) {
	log, err := follow.Open(follow.Options{Client: r.s.o.Client, Topic: StateTopic, Partition: r.partition, Wait: idleFetch})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	states := map[string]course.State{}
	for log.At() < end {
		got, err := log.Next(ctx)
		if err != nil {
			return nil, err
		}
		for _, rec := range got {
			if err := apply(states, rec); err != nil {
				return nil, err
			}
		}
	}
	return states, nil
}

// apply takes over what a record says of a schedule.
func apply(states map[string]course.State, rec *kgo.Record) error {
	key := string(rec.Key)
	switch {
	case !strings.HasPrefix(key, string(name.Schedule)+"/"):
	case rec.Value == nil:
		delete(states, key)
	default:
		var s course.State
		if err := json.Unmarshal(rec.Value, &s); err != nil {
			return fmt.Errorf("the record at offset %d: %w", rec.Offset, err)
		}
		states[key] = s.Resume()
	}
	return nil
}
