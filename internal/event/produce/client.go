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

	mu      sync.Mutex // guards what follows
	kafka   *kgo.Client
	closed  bool
	now     *writer              // who writes next; nil: one is to be made
	writers map[*writer]struct{} // that are not closed: now, and those who still wait for answers
}

// writer is a Kafka client that only writes. It keeps to what it took a topic for, and to
// how far it numbered its records there; a new one takes its place where that may be wrong.
type writer struct {
	k       *kgo.Client
	wrote   map[string]bool // topics that took a record; guarded by Client.mu
	users   int             // guarded by Client.mu
	retired bool            // it ends with its last user; guarded by Client.mu
}

// New has a client made by a function with options; Close must follow.
func New(make func(opts ...kgo.Opt) (*kgo.Client, error), opts ...kgo.Opt) *Client {
	return &Client{make: make, opts: opts, writers: map[*writer]struct{}{}}
}

// Kafka is the client, to ask and to order. It is not for writing: see All.
func (c *Client) Kafka() (*kgo.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kafka == nil {
		k, err := c.begin(c.make)
		if err != nil {
			return nil, err
		}
		c.kafka = k
	}
	return c.kafka, nil
}

// begin makes a client in a way. mu held.
func (c *Client) begin(made func(opts ...kgo.Opt) (*kgo.Client, error)) (*kgo.Client, error) {
	if c.closed {
		return nil, ErrClosed
	}
	k, err := made(c.opts...)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return k, nil
}

// Close ends the client; what is being written fails.
func (c *Client) Close() {
	c.mu.Lock()
	var ends []*kgo.Client
	if c.kafka != nil {
		ends = append(ends, c.kafka)
	}
	for by := range c.writers {
		ends = append(ends, by.k)
	}
	clear(c.writers)
	c.kafka, c.now, c.closed = nil, nil, true
	c.mu.Unlock()
	for _, k := range ends {
		k.Close()
	}
}

// take gives who writes; release must follow.
func (c *Client) take() (*writer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		k, err := c.begin(Steady(c.make))
		if err != nil {
			return nil, err
		}
		c.now = &writer{k: k, wrote: map[string]bool{}}
		c.writers[c.now] = struct{}{}
	}
	c.now.users++
	return c.now, nil
}

// release gives a writer back.
func (c *Client) release(by *writer) {
	c.mu.Lock()
	by.users--
	_, open := c.writers[by]
	ends := open && by.retired && by.users == 0
	if ends {
		delete(c.writers, by)
	}
	c.mu.Unlock()
	if ends {
		by.k.Close()
	}
}

// retire has others written by a new writer: this one ends when all that it was given is
// answered. kgo's way to forget a topic (PurgeTopicsFromProducing) fails what is on its
// way, which may have been written, and numbers the next records from 0 again.
func (c *Client) retire(by *writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if by.retired = true; c.now == by {
		c.now = nil
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
	w := &writing{c: c, records: records, errs: make([]error, len(records)), asked: make([]int32, len(records)), unknown: map[string]int{}}
	todo := make([]int, len(records))
	for i, r := range records {
		todo[i], w.asked[i] = i, r.Partition
	}
	for try := 1; len(todo) > 0; try++ {
		by, err := c.take()
		if err != nil {
			for _, i := range todo {
				w.errs[i] = err
			}
			break
		}
		w.some(ctx, by.k, todo)
		w.note(by, todo)
		if try < tries && ctx.Err() == nil {
			todo = w.again(ctx, by, todo, try)
		} else {
			todo = nil
		}
		c.release(by)
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
	unknown map[string]int // in which try a topic was first said to be another, or none
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

// note notes which topics took records.
func (w *writing) note(by *writer, of []int) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	for _, i := range of {
		if w.errs[i] == nil {
			by.wrote[w.records[i].Topic] = true
		}
	}
}

// again tells which records are to be tried again.
func (w *writing) again(ctx context.Context, by *writer, of []int, try int) []int {
	var out []int
	for _, i := range of {
		err, topic := w.errs[i], w.records[i].Topic
		switch {
		case ctx.Err() != nil, !swept(err) && !anew(err):
			continue
		case !anew(err):
		case w.unknown[topic] == 0:
			w.unknown[topic] = try
		case w.unknown[topic] < try && errors.Is(err, kerr.UnknownTopicOrPartition):
			continue // there is no such topic
		}
		if anew(err) && w.c.mistakes(by, topic, err) {
			w.c.retire(by)
		}
		out = append(out, i)
	}
	return out
}

// mistakes tells whether a writer may take a topic for another: what it does not know it
// asks for by itself.
func (c *Client) mistakes(by *writer, topic string, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return by.wrote[topic] || errors.Is(err, kerr.UnknownTopicID)
}

// anew tells of a topic that is another than the client takes it for.
func anew(err error) bool {
	return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition)
}

// swept tells of records that the client gave up with others of their partition, which
// were of somebody who went away.
func swept(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
