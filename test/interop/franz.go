package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/interop/crowd"
)

// franz is the Go client at work.
type franz struct {
	addr, prefix string
	admin        *kadm.Client
	base         int64 // timestamp of record 0
}

// reaching are the options of every client of franz-go, and more.
func reaching(addr string, more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{kgo.SeedBrokers(crowd.Addresses(addr)...), kgo.AlwaysRetryEOF()}, more...)
}

func dial(addr string, more ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(reaching(addr, more...)...)
}

// runFranz is the client program for Go.
func runFranz(ctx context.Context, addr, prefix string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	f := &franz{addr: addr, prefix: prefix, admin: kadm.NewClient(c), base: time.Now().UnixMilli() - 3_600_000}
	fmt.Println("VERSION franz-go", franzVersion())
	crowd.Tell("create", f.create(ctx))
	for _, c := range []struct {
		name  string
		codec kgo.CompressionCodec
	}{
		{"none", kgo.NoCompression()}, {"gzip", kgo.GzipCompression()}, {"snappy", kgo.SnappyCompression()},
		{"lz4", kgo.Lz4Compression()}, {"zstd", kgo.ZstdCompression()},
	} {
		crowd.Tell("codec-"+c.name, f.codec(ctx, c.name, c.codec))
	}
	crowd.Tell("idempotent", f.idempotent(ctx))
	crowd.Tell("time", f.time(ctx))
	crowd.Tell("large", f.large(ctx))
	crowd.Tell("huge", f.huge(ctx))
	f.transactions(ctx) // before the restart, see the limits in clients.go
	crowd.Tell("restart", f.restart(ctx))
	return f.groups(ctx)
}

func franzVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/twmb/franz-go" {
			return m.Version
		}
	}
	return ""
}

func (f *franz) topic(ctx context.Context, name string, parts int32, configs map[string]*string) (string, error) {
	name = f.prefix + "-" + name
	_, err := f.admin.CreateTopic(ctx, parts, int16(crowd.Replicas()), configs, name)
	return name, err
}

func (f *franz) create(ctx context.Context) error {
	name, err := f.topic(ctx, "create", partitions, nil)
	if err != nil {
		return err
	}
	seen, err := f.admin.ListTopics(ctx, name)
	if err != nil {
		return err
	}
	if got := len(seen[name].Partitions); got != partitions {
		return fmt.Errorf("the topic has %d partitions, want %d", got, partitions)
	}
	if _, err := f.topic(ctx, "create", partitions, nil); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("creating it once more gives %v, want TOPIC_ALREADY_EXISTS", err)
	}
	return nil
}

func (f *franz) codec(ctx context.Context, name string, codec kgo.CompressionCodec) error {
	topic, err := f.topic(ctx, name, partitions, nil)
	if err != nil {
		return err
	}
	p, err := dial(f.addr, kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(10*time.Millisecond))
	if err != nil {
		return err
	}
	defer p.Close()
	var records []*kgo.Record
	for i := range contentCount {
		c := crowd.ContentOf(i, f.base)
		records = append(records, &kgo.Record{
			Topic: topic, Partition: int32(i % partitions), Key: c.Key, Value: c.Value, Timestamp: time.UnixMilli(c.Millis),
			Headers: []kgo.RecordHeader{{Key: "n", Value: []byte(c.N)}, {Key: "empty", Value: []byte{}}},
		})
	}
	if err := p.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	return f.read(ctx, topic, partitions, contentCount, func(nth int, r *kgo.Record) error {
		i := int(r.Partition) + nth*partitions
		return same(r, crowd.ContentOf(i, f.base))
	})
}

// same compares a record that was read with what was written.
func same(r *kgo.Record, want crowd.Content) error {
	equal := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	headers := len(r.Headers) == 2 && r.Headers[0].Key == "n" && string(r.Headers[0].Value) == want.N &&
		r.Headers[1].Key == "empty" && r.Headers[1].Value != nil && len(r.Headers[1].Value) == 0
	if !equal(r.Key, want.Key) || !equal(r.Value, want.Value) || !headers || r.Timestamp.UnixMilli() != want.Millis {
		return fmt.Errorf("partition %d offset %d holds key %q value %.20q headers %v time %d, want %q %.20q n=%s %d",
			r.Partition, r.Offset, r.Key, r.Value, r.Headers, r.Timestamp.UnixMilli(), want.Key, want.Value, want.N, want.Millis)
	}
	return nil
}

// read consumes count records by assignment from the beginning; check gets
// each with its number within its partition.
func (f *franz) read(ctx context.Context, topic string, parts, count int, check func(nth int, r *kgo.Record) error) error {
	start := map[int32]kgo.Offset{}
	for p := range parts {
		start[int32(p)] = kgo.NewOffset().AtStart()
	}
	c, err := dial(f.addr, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: start}))
	if err != nil {
		return err
	}
	defer c.Close()
	return drain(ctx, c, count, check)
}

func drain(ctx context.Context, c *kgo.Client, count int, check func(nth int, r *kgo.Record) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	next := map[int32]int{}
	for got := 0; got < count; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %d of %d records: %w", got, count, err)
		}
		for _, r := range fetches.Records() {
			if r.Offset != int64(next[r.Partition]) {
				return fmt.Errorf("partition %d: offset %d follows %d", r.Partition, r.Offset, next[r.Partition]-1)
			}
			if err := check(next[r.Partition], r); err != nil {
				return err
			}
			next[r.Partition]++
			got++
		}
	}
	return nil
}

func numbered(nth int, r *kgo.Record) error {
	if want := strconv.Itoa(nth); string(r.Value) != want {
		return fmt.Errorf("offset %d holds %q, want %q", r.Offset, r.Value, want)
	}
	return nil
}

func (f *franz) idempotent(ctx context.Context) error {
	topic, err := f.topic(ctx, "idempotent", 1, nil)
	if err != nil {
		return err
	}
	p, err := dial(f.addr, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.MaxBufferedRecords(manyCount), kgo.ProducerBatchMaxBytes(2000))
	if err != nil {
		return err
	}
	defer p.Close()
	var first kgo.FirstErrPromise
	for i := range manyCount {
		p.Produce(ctx, &kgo.Record{Topic: topic, Value: strconv.AppendInt(nil, int64(i), 10)}, first.Promise())
	}
	if err := first.Err(); err != nil {
		return err
	}
	return f.read(ctx, topic, 1, manyCount, numbered)
}

func (f *franz) time(ctx context.Context) error {
	topic := f.prefix + "-none"
	at, err := f.admin.ListOffsetsAfterMilli(ctx, f.base+100_000, topic)
	if err == nil {
		err = at.Error()
	}
	if err != nil {
		return err
	}
	for p := range int32(partitions) {
		want := int64((100 + 2 - int(p)) / partitions) // the first i >= 100 with i%3 = p has this offset
		if got, _ := at.Lookup(topic, p); got.Offset != want || got.Timestamp != f.base+(want*partitions+int64(p))*1000 {
			return fmt.Errorf("partition %d: offset %d (time %d) for base+100 s, want %d", p, got.Offset, got.Timestamp-f.base, want)
		}
	}
	after, err := f.admin.ListOffsetsAfterMilli(ctx, f.base+1_000_000_000, topic)
	if err != nil {
		return err
	}
	if got, _ := after.Lookup(topic, 0); got.Offset != contentCount/partitions { // the client's stand-in for none: the end
		return fmt.Errorf("offset %d for a time after the end, want the end", got.Offset)
	}
	return nil
}

func (f *franz) large(ctx context.Context) error {
	topic, err := f.topic(ctx, "large", 1, nil)
	if err != nil {
		return err
	}
	if err := f.roundTrip(ctx, topic, largeBytes); err != nil {
		return err
	}
	if err := f.roundTrip(ctx, topic, tooLarge); !errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("%d bytes give %v, want MESSAGE_TOO_LARGE", tooLarge, err)
	}
	return nil
}

func (f *franz) huge(ctx context.Context) error {
	limit := hugeLimit
	topic, err := f.topic(ctx, "huge", 1, map[string]*string{"max.message.bytes": &limit})
	if err != nil {
		return err
	}
	return f.roundTrip(ctx, topic, hugeBytes)
}

func (f *franz) roundTrip(ctx context.Context, topic string, size int) error {
	p, err := dial(f.addr, kgo.ProducerBatchMaxBytes(hugeBytes+1000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer p.Close()
	sent := noise(size)
	if err := p.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: sent}).FirstErr(); err != nil {
		return err
	}
	return f.read(ctx, topic, 1, 1, func(_ int, r *kgo.Record) error {
		if !bytes.Equal(r.Value, sent) {
			return fmt.Errorf("%d bytes came back and are not the %d sent", len(r.Value), size)
		}
		return nil
	})
}

// restart keeps a producer and a consumer going through a restart.
func (f *franz) restart(ctx context.Context) error {
	topic, err := f.topic(ctx, "restart", 1, nil)
	if err != nil {
		return err
	}
	c, err := dial(f.addr,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return err
	}
	defer c.Close()
	sent := make(chan result, 1)
	go func() {
		n, err := f.sendThrough(ctx, topic)
		sent <- result{n, err}
	}()
	next, total := 0, -1
	for total < 0 || next < total {
		select {
		case s := <-sent:
			if s.err != nil {
				return s.err
			}
			total = s.n
			continue
		default:
		}
		poll, cancel := context.WithTimeout(ctx, time.Second)
		fetches := c.PollFetches(poll)
		cancel()
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read %d of %d records: %w", next, total, err)
		}
		for _, r := range fetches.Records() {
			if err := numbered(next, r); err != nil {
				return err
			}
			next++
		}
	}
	if next != total {
		return fmt.Errorf("%d records were sent and %d read", total, next)
	}
	return nil
}

type result struct {
	n   int
	err error
}

// sendThrough sends numbers before, while and after the broker restarts, and
// tells how many.
func (f *franz) sendThrough(ctx context.Context, topic string) (int, error) {
	p, err := dial(f.addr)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	var first kgo.FirstErrPromise
	n := 0
	send := func() {
		p.Produce(ctx, &kgo.Record{Topic: topic, Value: strconv.AppendInt(nil, int64(n), 10)}, first.Promise())
		n++
	}
	for range 200 {
		send()
	}
	if err := p.Flush(ctx); err != nil {
		return n, err
	}
	back := crowd.AskRestart()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-tick.C:
			send()
			continue
		case <-back:
			tick.Stop()
		case <-ctx.Done():
			return n, ctx.Err()
		}
		break
	}
	for range 200 {
		send()
	}
	return n, first.Err()
}
