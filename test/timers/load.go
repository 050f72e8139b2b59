package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	lineTopic = "later"
	topic     = "orders"
)

// load writes to the line until it is stopped, through every end of a node.
type load struct {
	client *kgo.Client
	rate   int
	most   time.Duration // the longest delay
	rng    *rand.Rand

	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // guards both
	acked  map[string]bool
	failed error
}

// clientOf makes a client that outlives every end of a node.
func clientOf(addrs []string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addrs...), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }), kgo.UnknownTopicRetries(-1),
	}, opts...)...)
}

// prepare makes the line and its topic.
func prepare(ctx context.Context, addrs []string, replicas int16) error {
	c, err := clientOf(addrs)
	if err != nil {
		return err
	}
	defer c.Close()
	to := topic
	for name, set := range map[string]map[string]*string{topic: nil, runsTopic: nil, lineTopic: {"deliver.to": &to}} {
		r, err := kadm.NewClient(c).CreateTopic(ctx, 4, replicas, set, name)
		if err := errors.Join(err, r.Err); err != nil {
			return fmt.Errorf("make the topic %s: %w", name, err)
		}
	}
	return nil
}

// start begins to write.
func (l *load) start(ctx context.Context, addrs []string) error {
	var err error
	if l.client, err = clientOf(addrs, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(2000)); err != nil {
		return err
	}
	l.acked = map[string]bool{}
	ctx, l.cancel = context.WithCancel(ctx)
	l.wg.Go(func() { l.write(ctx) })
	return nil
}

// write is the producer: every tick a handful of records.
func (l *load) write(ctx context.Context) {
	const ticks = 100 // a second
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for range max(1, l.rate/ticks) {
			id := "id-" + strconv.Itoa(n)
			n++
			after := strconv.FormatInt(l.rng.Int64N(l.most.Milliseconds()+1), 10)
			r := &kgo.Record{Topic: lineTopic, Key: []byte(id), Value: []byte("v of " + id), Headers: []kgo.RecordHeader{{Key: "deliver-after", Value: []byte(after)}}}
			l.client.Produce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) { l.noted(id, err) })
		}
	}
}

func (l *load) noted(id string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = errors.Join(l.failed, fmt.Errorf("produce %s: %w", id, err))
		return
	}
	l.acked[id] = true
}

// stop ends the load and waits for all answers.
func (l *load) stop(ctx context.Context) error {
	l.cancel()
	l.wg.Wait()
	defer l.client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := l.client.Flush(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(err, l.failed)
}

// missing tells which records were acknowledged and are not in the line.
func (l *load) missing(line []sent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[string]bool{}
	for _, s := range line {
		if seen[s.id] {
			return fmt.Errorf("%s is in the line twice: its producer is idempotent", s.id)
		}
		seen[s.id] = true
	}
	for id := range l.acked {
		if !seen[id] {
			return fmt.Errorf("%s was acknowledged, and is not in the line", id)
		}
	}
	return nil
}

// ends counts the records of a topic.
func ends(ctx context.Context, c *kgo.Client, name string) (n int64, err error) {
	all, err := kadm.NewClient(c).ListEndOffsets(ctx, name)
	if err := errors.Join(err, all.Error()); err != nil {
		return 0, err
	}
	all.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n, nil
}

// read reads a topic whole, as one does who does not ask for what is committed.
func read(ctx context.Context, addrs []string, name string, each func(*kgo.Record)) error {
	c, err := clientOf(addrs, kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer c.Close()
	left, err := ends(ctx, c, name)
	if err != nil {
		return err
	}
	for left > 0 {
		f := c.PollFetches(ctx)
		if err := f.Err0(); err != nil {
			return fmt.Errorf("read %s, of which %d records are left: %w", name, left, err)
		}
		f.EachRecord(func(r *kgo.Record) {
			left--
			each(r)
		})
	}
	return nil
}

// readCommitted reads what is committed of a topic.
func readCommitted(ctx context.Context, addrs []string, name string, each func(*kgo.Record) error) error {
	c, err := clientOf(addrs, kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer c.Close()
	ends, err := kadm.NewClient(c).ListCommittedOffsets(ctx, name)
	if err := errors.Join(err, ends.Error()); err != nil {
		return fmt.Errorf("find the end of %s: %w", name, err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var errs []error
	for len(left) > 0 {
		f := c.PollFetches(ctx)
		if err := f.Err0(); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		f.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok && r.Offset < end && !r.Attrs.IsControl() {
				errs = append(errs, each(r))
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return errors.Join(errs...)
}

// readLine and readTopic are what there is in both.
func readLine(ctx context.Context, addrs []string) (all []sent, err error) {
	err = read(ctx, addrs, lineTopic, func(r *kgo.Record) {
		ms, _ := strconv.ParseInt(string(r.Headers[0].Value), 10, 64) // this program wrote it
		all = append(all, sent{string(r.Key), r.Timestamp.Add(time.Duration(ms) * time.Millisecond)})
	})
	return all, err
}

func readTopic(ctx context.Context, addrs []string) (all []came, err error) {
	err = read(ctx, addrs, topic, func(r *kgo.Record) {
		id := string(r.Key)
		if string(r.Value) != "v of "+id {
			id += " with the value " + string(r.Value)
		}
		all = append(all, came{id, r.Timestamp})
	})
	return all, err
}
