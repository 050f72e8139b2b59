package timers

import (
	"context"
	"math"
	"sync"
	"time"

	"ottla/internal/timer"
	"ottla/internal/timer/schema"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

const (
	// mostItems and mostBytes bound what one command stores: its records are one
	// batch of the timers' topic, and one frame between nodes.
	mostItems = 1000
	mostBytes = 1 << 20
	// askWithin bounds the wait for an answer, all tries together, where the caller
	// has no bound that is nearer.
	askWithin  = 30 * time.Second
	firstPause = 5 * time.Millisecond
	lastPause  = 200 * time.Millisecond
)

// Set implements timer.Timers.
func (f *Family) Set(ctx context.Context, timers []timer.Timer) []error {
	errs := make([]error, len(timers))
	keys := make([]string, len(timers))
	sizes := make([]int, len(timers))
	items := make([]own.TimerItem, len(timers))
	for i := range timers {
		x := &timers[i]
		v := value(x)
		keys[i] = x.Key
		items[i] = own.TimerItem{Key: x.Key, Value: schema.AppendTimer(nil, &v)}
		sizes[i] = len(items[i].Key) + len(items[i].Value)
	}
	f.everywhere(ctx, keys, sizes, errs, func(ctx context.Context, partition int32, at []int) ([]error, error) {
		q := question{partition: partition, op: own.TimersSet, firstMs: math.MaxInt64}
		for _, i := range at {
			q.firstMs = min(q.firstMs, timers[i].DueMs)
			q.items = append(q.items, items[i])
		}
		a, err := f.ask(ctx, q)
		return a.errs, err
	})
	return errs
}

// value is a timer as the log has it.
func value(x *timer.Timer) schema.Timer {
	return schema.Timer{DueMs: x.DueMs, Topic: x.Topic, Partition: x.Partition, RecordKey: x.RecordKey, Value: x.Value, Headers: x.Headers}
}

// timerOf is a timer from the log; it borrows what v does.
func timerOf(key string, v *schema.Timer) timer.Timer {
	return timer.Timer{Key: key, DueMs: v.DueMs, Topic: v.Topic, Partition: v.Partition, RecordKey: v.RecordKey, Value: v.Value, Headers: v.Headers}
}

// Cancel implements timer.Timers.
func (f *Family) Cancel(ctx context.Context, keys []string) []error {
	errs := make([]error, len(keys))
	sizes := make([]int, len(keys))
	for i := range keys {
		sizes[i] = len(keys[i])
	}
	f.everywhere(ctx, keys, sizes, errs, func(ctx context.Context, partition int32, at []int) ([]error, error) {
		q := question{partition: partition, op: own.TimersCancel}
		for _, i := range at {
			q.items = append(q.items, own.TimerItem{Key: keys[i]})
		}
		a, err := f.ask(ctx, q)
		return a.errs, err
	})
	return errs
}

// Get implements timer.Timers.
func (f *Family) Get(ctx context.Context, key string) (timer.Timer, bool, error) {
	partition, err := f.prepared(ctx, key)
	if err != nil {
		return timer.Timer{}, false, err
	}
	a, err := f.ask(ctx, question{partition: partition, op: own.TimersGet, items: []own.TimerItem{{Key: key}}})
	if err != nil || a.value == nil {
		return timer.Timer{}, false, err
	}
	v, err := schema.ParseTimer(a.value)
	if err != nil {
		return timer.Timer{}, false, wire.Errorf(wire.CorruptMessage, "the timer %q: %w", key, err)
	}
	return timerOf(key, &v), true, nil
}

// TakeUp stores the timers of a part of a delay line, and that it is read up to
// there: see timer.TakeUp.
func (f *Family) TakeUp(ctx context.Context, c timer.TakeUp) error {
	partition, err := f.prepared(ctx, c.Line)
	if err != nil {
		return err
	}
	q := question{partition: partition, op: own.TimersTakeUp, line: c.Line, from: c.From, to: c.To}
	for i := range c.Timers {
		v := value(&c.Timers[i])
		q.items = append(q.items, own.TimerItem{Key: c.Timers[i].Key, Value: schema.AppendTimer(nil, &v)})
	}
	_, err = f.ask(ctx, q)
	return err
}

// LineAt tells how far a delay line is read, -1 when it never was.
func (f *Family) LineAt(ctx context.Context, line string) (int64, error) {
	partition, err := f.prepared(ctx, line)
	if err != nil {
		return 0, err
	}
	a, err := f.ask(ctx, question{partition: partition, op: own.TimersLine, line: line})
	return a.offset, err
}

// prepared is the partition of a key, of a topic that is made if it is not there.
func (f *Family) prepared(ctx context.Context, key string) (int32, error) {
	if err := f.d.Prepare(ctx, Topic, key); err != nil {
		return -1, err
	}
	return f.d.Timers.PartitionFor(key)
}

// everywhere asks each coordinator for those of keys that are its, in pieces that
// are not too large, all at once; errs gets what each came to.
func (f *Family) everywhere(ctx context.Context, keys []string, sizes []int, errs []error, ask func(context.Context, int32, []int) ([]error, error)) {
	if len(keys) == 0 {
		return
	}
	if err := f.d.Prepare(ctx, Topic, keys[0]); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return
	}
	var wg sync.WaitGroup
	for _, p := range f.pieces(keys, sizes, errs) {
		wg.Go(func() {
			said, err := ask(ctx, p.partition, p.at)
			if err == nil && len(said) != len(p.at) {
				err = wire.Errorf(wire.UnknownServerError, "the coordinator of timers answered for %d of %d", len(said), len(p.at))
			}
			for k, i := range p.at {
				if errs[i] = err; err == nil {
					errs[i] = said[k]
				}
			}
		})
	}
	wg.Wait()
}

// piece is what one command is for: places in what was asked for.
type piece struct {
	partition int32
	at        []int
	bytes     int
}

// pieces sorts keys by their coordinators, and keeps the order of those of one.
func (f *Family) pieces(keys []string, sizes []int, errs []error) []*piece {
	var all []*piece
	last := map[int32]*piece{}
	for i, key := range keys {
		partition, err := f.d.Timers.PartitionFor(key)
		if err != nil {
			errs[i] = err
			continue
		}
		p := last[partition]
		if p == nil || len(p.at) == mostItems || p.bytes+sizes[i] > mostBytes {
			p = &piece{partition: partition}
			last[partition] = p
			all = append(all, p)
		}
		p.at, p.bytes = append(p.at, i), p.bytes+sizes[i]
	}
	return all
}
