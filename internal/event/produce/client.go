package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrClosed says that the node stops.
var ErrClosed = errors.New("the node stops")

// within is how long records are tried to be written.
const within = 30 * time.Second

// tries bounds how often a record is written whose topic was another, or that the client
// gave up because of others.
const tries = 5

// Client is a Kafka client that is made when somebody needs it, and serves all goroutines
// of who has it.
type Client struct {
	make func(opts ...kgo.Opt) (*kgo.Client, error)
	opts []kgo.Opt

	forgetting sync.Mutex // held while the client forgets topics

	mu     sync.Mutex // guards what follows
	kafka  *kgo.Client
	closed bool
	forgot map[string]int // how often, by topic: only those that were made anew are in it
}

// New has a client made by a function with options; Close must follow.
func New(make func(opts ...kgo.Opt) (*kgo.Client, error), opts ...kgo.Opt) *Client {
	return &Client{make: make, opts: opts, forgot: map[string]int{}}
}

// Kafka is the client, to ask and to order. It is not for writing: see All.
func (c *Client) Kafka() (*kgo.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.kafka == nil {
		k, err := c.make(c.opts...)
		if err != nil {
			return nil, fmt.Errorf("make a client: %w", err)
		}
		c.kafka = k
	}
	return c.kafka, nil
}

// Close ends the client; what is being written fails.
func (c *Client) Close() {
	c.mu.Lock()
	k := c.kafka
	c.kafka, c.closed = nil, true
	c.mu.Unlock()
	if k != nil {
		k.Close()
	}
}

// All writes records and returns when each is written or refused, with an error for each.
// A record's partition and offset are where it is. Records of a topic that is another
// than the client took it for were written nowhere, and are tried once more; so are those
// that the client gave up because of others.
func (c *Client) All(ctx context.Context, records []*kgo.Record) []error {
	asking := ctx
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	w := &writing{c: c, records: records, errs: make([]error, len(records)), asked: make([]int32, len(records)), renewed: map[string]int{}}
	k, err := c.Kafka()
	todo := make([]int, len(records))
	for i, r := range records {
		todo[i], w.asked[i], w.errs[i] = i, r.Partition, err
	}
	for try := 1; err == nil && len(todo) > 0; try++ {
		known := c.known(records, todo)
		w.some(ctx, k, todo)
		if try == tries || ctx.Err() != nil {
			break
		}
		todo = w.again(ctx, k, todo, known, try)
	}
	for i, r := range records {
		r.Context = nil // kgo's note of ours: who writes the record again has another
		if asking.Err() == nil {
			w.errs[i] = late(w.errs[i], within)
		}
	}
	return w.errs
}

// writing is one call of All.
type writing struct {
	c       *Client
	records []*kgo.Record
	asked   []int32 // their partitions
	errs    []error
	renewed map[string]int // in which try the client was made to forget a topic for them
}

// some writes those of the records.
func (w *writing) some(ctx context.Context, k *kgo.Client, of []int) {
	var waiting sync.WaitGroup
	waiting.Add(len(of))
	for _, i := range of {
		w.records[i].Partition, w.records[i].Context = w.asked[i], nil
		k.Produce(ctx, w.records[i], func(_ *kgo.Record, err error) {
			w.errs[i] = err
			waiting.Done()
		})
	}
	waiting.Wait()
}

// again tells which records are to be tried again; known is what the client knew when
// they were written.
func (w *writing) again(ctx context.Context, k *kgo.Client, of []int, known map[string]int, try int) []int {
	var out []int
	for _, i := range of {
		err, topic := w.errs[i], w.records[i].Topic
		switch at := w.renewed[topic]; {
		case ctx.Err() != nil, !swept(err) && !anew(err):
			continue
		case at > 0 && at < try && errors.Is(err, kerr.UnknownTopicOrPartition):
			continue // there is no such topic
		case anew(err) && at < try && w.c.forget(k, topic, known[topic]):
			w.renewed[topic] = try
		}
		out = append(out, i)
	}
	return out
}

// known counts how often the client forgot the topics of records.
func (c *Client) known(records []*kgo.Record, of []int) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for _, i := range of {
		out[records[i].Topic] = c.forgot[records[i].Topic]
	}
	return out
}

// forget has the client ask anew what a topic is, unless it did since it was known: what
// others are writing to the topic as it is now would fail.
func (c *Client) forget(k *kgo.Client, topic string, known int) bool {
	c.forgetting.Lock()
	defer c.forgetting.Unlock()
	c.mu.Lock()
	now := c.forgot[topic]
	c.mu.Unlock()
	if now != known {
		return false
	}
	k.PurgeTopicsFromProducing(topic)
	c.mu.Lock()
	c.forgot[topic] = now + 1
	c.mu.Unlock()
	return true
}

// anew tells of a topic that is another than the client takes it for.
func anew(err error) bool {
	return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition)
}

// purged is what kgo says of records whose topic it was made to forget.
const purged = "topic purged while buffered"

// swept tells of records that the client gave up with others of their partition: those
// were of somebody who went away, or their topic was to be asked for anew.
func swept(err error) bool {
	return err != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || err.Error() == purged)
}
