//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
	"ottla/test/realfault"
)

// watcher reads the groups' committed offsets again and again.
type watcher struct {
	client     *kgo.Client
	admin      *kadm.Client
	w          *history.Writer
	process    int32
	topic      string
	partitions int32
	groups     []string

	mu     sync.Mutex // guards what follows
	latest map[string]map[int32]int64
	moved  map[string]time.Time     // when a group's offsets changed last
	stood  map[string]time.Duration // the longest that they did not
}

// lookEvery is how often a group's offsets are read.
const lookEvery = 250 * time.Millisecond

func newWatcher(o orders, w *history.Writer, partitions int32, groups []string) (*watcher, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(o.Address), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }))
	if err != nil {
		return nil, fmt.Errorf("make the watcher: %w", err)
	}
	v := &watcher{client: c, admin: kadm.NewClient(c), w: w, process: w.Process(), topic: o.Topic, partitions: partitions, groups: groups,
		latest: map[string]map[int32]int64{}, moved: map[string]time.Time{}, stood: map[string]time.Duration{}}
	for _, g := range groups {
		v.moved[g] = time.Now()
	}
	return v, nil
}

// watch looks until ctx ends.
func (v *watcher) watch(ctx context.Context) {
	for realfault.Pause(ctx, lookEvery) == nil {
		for _, g := range v.groups {
			one, cancel := context.WithTimeout(ctx, 5*time.Second)
			v.look(one, g)
			cancel()
		}
	}
}

// look reads one group's offsets; an answer that is none is no news.
func (v *watcher) look(ctx context.Context, group string) {
	op := history.Op{Process: v.process, Kind: history.Committed, Outcome: history.OK, Start: v.w.Now(), Group: group}
	got, err := v.admin.FetchOffsets(ctx, group)
	if err != nil {
		return
	}
	op.End = v.w.Now()
	now := map[int32]int64{}
	for p := range v.partitions {
		if o, ok := got.Lookup(v.topic, p); ok && o.Err == nil {
			op.Positions = append(op.Positions, history.Position{Partition: v.topic + "-" + strconv.Itoa(int(p)), Offset: o.At})
			now[p] = o.At
		}
	}
	if len(op.Positions) == 0 {
		return
	}
	v.w.Add(op)
	v.note(group, now)
}

func (v *watcher) note(group string, now map[int32]int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for p, at := range now {
		if v.latest[group][p] != at {
			v.stood[group] = max(v.stood[group], time.Since(v.moved[group]))
			v.moved[group] = time.Now()
			break
		}
	}
	v.latest[group] = now
}

// stuckAfter is how long a group may commit nothing, with nothing done to it,
// while there is something to read.
const stuckAfter = time.Minute

// caughtUp waits until every group has committed the ends.
func (v *watcher) caughtUp(ctx context.Context) error {
	ends, err := v.admin.ListEndOffsets(ctx, v.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("list the ends of %s: %w", v.topic, err)
	}
	for began := time.Now(); ; {
		group, left := v.behind(ends)
		if group == "" {
			return nil
		}
		v.mu.Lock()
		since := v.moved[group]
		v.mu.Unlock()
		if since.Before(began) {
			since = began
		}
		if time.Since(since) > stuckAfter {
			return fmt.Errorf("%s has committed nothing for %v, with %d records to go", group, stuckAfter, left)
		}
		if err := realfault.Pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// behind names a group that is, and by how much.
func (v *watcher) behind(ends kadm.ListedOffsets) (group string, left int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, g := range v.groups {
		ends.Each(func(e kadm.ListedOffset) {
			if at := max(v.latest[g][e.Partition], 0); at < e.Offset {
				left += e.Offset - at
			}
		})
		if left > 0 {
			return g, left
		}
	}
	return "", 0
}
