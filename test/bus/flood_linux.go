package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"ottla/internal/record"
	"ottla/test/beside/raw"
)

const (
	// perBatch events fill about 128 KiB; unlike is how many batches there are that
	// differ.
	perBatch = 210
	unlike   = 16
	// inFlight is how many requests are unanswered at once, as many as an idempotent
	// producer may have.
	inFlight = 5
)

// order is the data of an event that is put: as an envelope it has about 670 bytes.
func order(rng *rand.Rand, due time.Duration) []byte {
	return fmt.Appendf(nil, `{"due":"%016d","orderId":"o-%08d","customer":{"id":"c-%06d","tier":"tier-%02d","email":"ann.smith%d@mail%02d.example.com"},"status":"placed",`+
		`"gift":false,"total":%d.%02d,"currency":"EUR","ip":"10.%d.%d.%d","items":[{"sku":"sku-%05d","qty":%d,"price":%d.50},{"sku":"sku-%05d","qty":%d,"price":%d.25}],`+
		`"note":"leave at gate %03d, ring the bell twice"}`,
		due.Nanoseconds(), rng.IntN(100_000), rng.IntN(1_000_000), rng.IntN(50), rng.IntN(10), rng.IntN(100), rng.IntN(1000), rng.IntN(100),
		rng.IntN(256), rng.IntN(256), rng.IntN(256), rng.IntN(100_000), 1+rng.IntN(5), rng.IntN(100), rng.IntN(100_000), 1+rng.IntN(5), rng.IntN(100), rng.IntN(1000))
}

// attributes are those of an event, in CloudEvents' binary mode.
func attributes(id string) []record.RecordHeader {
	var out []record.RecordHeader
	for _, h := range [][2]string{
		{"ce_specversion", "1.0"}, {"ce_id", id}, {"ce_source", "shop.orders"}, {"ce_type", "OrderPlaced"}, {"ce_time", "2026-01-02T03:04:05Z"},
		{"ce_subject", "order/" + id}, {"content-type", "application/json"},
	} {
		out = append(out, record.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	return out
}

// batches are requests to produce, written beforehand: what puts them costs next to
// nothing, so that the node's own limit shows.
type batches struct {
	requests [][]byte
	each     int   // events of one
	atMs     int64 // the time of all
}

func newBatches(topic string) *batches {
	rng := rand.New(rand.NewPCG(1, 2))
	out := &batches{each: perBatch, atMs: time.Now().UnixMilli()}
	for range unlike {
		b := record.NewBuilder()
		for range perBatch {
			id := fmt.Sprintf("%08x-4c1e-4f3a-9d1b-%012x", rng.Uint32(), rng.Uint64()>>16)
			b.Add(out.atMs, nil, order(rng, 0), attributes(id)...)
		}
		out.requests = append(out.requests, raw.Produce("bus", topic, 0, b.Build(0)))
	}
	return out
}

// flood puts so many events, about, into partition 0 of a topic, as fast as they are
// taken. It tells how many there were.
func (n *node) flood(ctx context.Context, topic string, count int) (put int, took time.Duration, err error) {
	b := newBatches(topic)
	n.putMs = b.atMs
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", n.kafka)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(doneWithin))
	begun := time.Now()
	tokens, failed := make(chan struct{}, inFlight-1), make(chan error, 1) // the one that is read for is out of it
	go func() { failed <- answers(c, tokens) }()
	for i := 0; put < count; i++ {
		select {
		case tokens <- struct{}{}:
		case err := <-failed:
			return put, 0, err
		}
		if _, err := c.Write(b.requests[i%unlike]); err != nil {
			close(tokens)
			return put, 0, errors.Join(fmt.Errorf("send a batch: %w", err), <-failed)
		}
		put += b.each
	}
	close(tokens)
	err = <-failed
	return put, time.Since(begun), err
}

// answers reads an answer for each token.
func answers(c net.Conn, tokens <-chan struct{}) error {
	in := bufio.NewReader(c)
	for range tokens {
		if err := raw.Answer(in); err != nil {
			return fmt.Errorf("answer to a batch: %w", err)
		}
	}
	return nil
}
