//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
)

// Where the fields of a batch of version 2 lie.
const (
	lengthAt, magicAt, crcAt, attributesAt, deltaAt, countAt, recordsAt = 8, 16, 17, 21, 23, 57, 61
)

// codecs by their number in the attributes of a batch.
var codecs = []struct {
	name  string
	codec kgo.CompressionCodec
}{
	{"none", kgo.NoCompression()}, {"gzip", kgo.GzipCompression()}, {"snappy", kgo.SnappyCompression()},
	{"lz4", kgo.Lz4Compression()}, {"zstd", kgo.ZstdCompression()},
}

// batch builds one of n records.
func batch(codec, n, size int) ([]byte, error) {
	var plain []byte
	for i := range n {
		r := kmsg.Record{OffsetDelta: int32(i), Value: make([]byte, size)}
		body := r.AppendTo(nil)[1:] // without the length, which is a single byte while it is 0
		plain = append(binary.AppendVarint(plain, int64(len(body))), body...)
	}
	c, err := kgo.DefaultCompressor(codecs[codec].codec)
	if err != nil {
		return nil, err
	}
	if c != nil {
		var buffer bytes.Buffer
		plain, _ = c.Compress(&buffer, plain)
	}
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(codec), LastOffsetDelta: int32(n - 1),
		FirstTimestamp: 1_700_000_000_000, MaxTimestamp: 1_700_000_000_000,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(n), Records: plain,
	}
	return seal(b.AppendTo(nil)), nil
}

// seal sets length and checksum to what they must be.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)-lengthAt-4))
	binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[attributesAt:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// damage is one way to break a good batch.
type damage struct {
	name string
	do   func(b []byte) []byte
}

func put32(at int, v int32) func(b []byte) []byte {
	return func(b []byte) []byte { binary.BigEndian.PutUint32(b[at:], uint32(v)); return seal(b) }
}

func damages() []damage {
	all := []damage{
		{"count -1", put32(countAt, -1)}, {"count 0", put32(countAt, 0)}, {"a record more counted", put32(countAt, 6)},
		{"a record less counted", put32(countAt, 4)}, {"count 2^31-1", put32(countAt, 1<<31-1)},
		{"a negative last offset", put32(deltaAt, -5)}, {"a wrong last offset", put32(deltaAt, 9)},
		{"magic 3", func(b []byte) []byte { b[magicAt] = 3; return b }},
		{"codec 7", func(b []byte) []byte { b[attributesAt+1] |= 7; return seal(b) }},
		{"a control batch", func(b []byte) []byte { b[attributesAt+1] |= 0x20; return seal(b) }},
		{"cut payload", func(b []byte) []byte { return seal(b[:len(b)-3]) }},
		{"no payload", func(b []byte) []byte { return seal(b[:recordsAt]) }},
		{"cut header", func(b []byte) []byte { return b[:recordsAt-10] }},
		{"garbage after the header", func(b []byte) []byte {
			for i := recordsAt; i < len(b); i++ {
				b[i] = byte(i*7 + 3)
			}
			return seal(b)
		}},
		{"a length beyond the end", func(b []byte) []byte {
			binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)))
			return b
		}},
		{"a length before the end", func(b []byte) []byte {
			binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)-lengthAt-4-5))
			return b
		}},
		{"a negative length", func(b []byte) []byte { binary.BigEndian.PutUint32(b[lengthAt:], 1<<31); return b }},
		{"a wrong checksum", func(b []byte) []byte { b[crcAt] ^= 1; return b }},
	}
	for _, at := range []int{attributesAt + 1, deltaAt + 3, 30, 40, 45, countAt + 3, recordsAt, recordsAt + 5, -1} {
		all = append(all, damage{fmt.Sprintf("a bit flipped at byte %d", at), func(b []byte) []byte {
			if at < 0 {
				b[len(b)-1] ^= 4
			} else {
				b[at] ^= 4
			}
			return b
		}})
	}
	return all
}

// refusals are the codes that say that the batch is bad.
var refusals = []int16{2, 32, 42, 43, 76, 87}

// corruptBatches is row 26: bad batches, with a good checksum where the damage
// is not in it, are refused; nothing is appended, the connection stays.
func corruptBatches(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.createTopic(ctx, "bad", nil); err != nil {
		return err
	}
	c, err := net.DialTimeout("tcp", s.address, answerWithin)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it has done its work
	for codec := range codecs {
		good, err := batch(codec, 5, 20)
		if err != nil {
			return err
		}
		if code, err := produce(c, "bad", good); err != nil || code != 0 {
			return fmt.Errorf("a good batch of codec %s is answered with code %d (%w)", codecs[codec].name, code, err)
		}
		for _, d := range damages() {
			code, err := produce(c, "bad", d.do(slices.Clone(good)))
			if err != nil {
				return fmt.Errorf("%s, codec %s, costs the connection: %w", d.name, codecs[codec].name, err)
			}
			if !slices.Contains(refusals, code) {
				return fmt.Errorf("%s, codec %s, is answered with code %d", d.name, codecs[codec].name, code)
			}
			s.hits++
		}
	}
	end, err := s.end(ctx, "bad")
	if err != nil {
		return err
	}
	if want := int64(5 * len(codecs)); end != want {
		return fmt.Errorf("%d records are there, %d good ones were sent", end, want)
	}
	return s.finish(ctx)
}

// produce sends one batch to partition 0 and returns the code of the answer.
func produce(c net.Conn, topic string, b []byte) (int16, error) { return produceTo(c, topic, 0, b) }

// produceTo sends one batch and returns the code of the answer.
func produceTo(c net.Conn, topic string, partition int32, b []byte) (int16, error) {
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(7)
	r.Acks, r.TimeoutMillis = -1, 10_000
	t, p := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	t.Topic, p.Partition, p.Records = topic, partition, b
	t.Partitions = append(t.Partitions, p)
	r.Topics = append(r.Topics, t)
	resp := kmsg.NewPtrProduceResponse()
	resp.SetVersion(7)
	if err := exchange(c, r, resp); err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("an answer about %d topics", len(resp.Topics))
	}
	return resp.Topics[0].Partitions[0].ErrorCode, nil
}

// exchange sends a request and takes its answer, which is given a minute.
func exchange(c net.Conn, r kmsg.Request, resp kmsg.Response) error {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := c.Write(frame(r, 5)); err != nil {
		return err
	}
	a, err := answer(c)
	if err != nil {
		return err
	}
	if len(a) < 4 {
		return fmt.Errorf("an answer of %d bytes", len(a))
	}
	return resp.ReadFrom(a[4:])
}

// admin is a client for what a row needs beside the load.
func (s *scene) admin() (*kadm.Client, error) {
	return kadm.NewOptClient(kgo.SeedBrokers(s.address))
}

func (s *scene) createTopic(ctx context.Context, name string, settings map[string]*string) error {
	a, err := s.admin()
	if err != nil {
		return err
	}
	defer a.Close()
	r, err := a.CreateTopic(ctx, 1, 1, settings, name)
	if err == nil {
		err = r.Err
	}
	return err
}

// end is the end offset of a topic's partition 0.
func (s *scene) end(ctx context.Context, topic string) (int64, error) {
	a, err := s.admin()
	if err != nil {
		return 0, err
	}
	defer a.Close()
	ends, err := a.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	o, _ := ends.Lookup(topic, 0)
	return o.Offset, o.Err
}

// bombs is row 27: batches of less than a mebibyte that open into hundreds.
// Where the topic bounds what a batch may open into they are refused, and they
// cost little memory anywhere: 64 MiB over twice what was sent, since the
// collector lags behind.
func bombs(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	few := "1048576"
	for name, settings := range map[string]map[string]*string{"open": nil, "bounded": {"max.decompressed.message.bytes": &few}} {
		if err := s.createTopic(ctx, name, settings); err != nil {
			return err
		}
	}
	var costs []string
	for codec, size := range []int{0, 256 << 20, 12 << 20, 128 << 20, 256 << 20} {
		if size == 0 {
			continue // uncompressed
		}
		b, err := batch(codec, 1, size)
		if err != nil {
			return err
		}
		base, err := realfault.Resident(s.node.PID()) // what the codec before has left is not ours
		if err != nil {
			return err
		}
		mem := watchMemory(s.node.PID())
		err = s.explode(b, codec, bombsAtOnce)
		grown := mem.stop() - base
		costs = append(costs, fmt.Sprintf("%s %d", codecs[codec].name, mebibytes(grown)))
		switch {
		case err != nil:
			return err
		case grown > 64<<20:
			return fmt.Errorf("%d bombs at once of codec %s and %d bytes cost %d MiB, at most 64",
				bombsAtOnce, codecs[codec].name, len(b), mebibytes(grown))
		}
	}
	s.note("MiB more at the peak: %s", strings.Join(costs, ", "))
	return s.finish(ctx)
}

// bombsAtOnce is how many are opened at a time.
const bombsAtOnce = 50

// explode sends one bomb many times at once, by turns to both topics.
func (s *scene) explode(b []byte, codec, n int) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			c, err := net.DialTimeout("tcp", s.address, answerWithin)
			if err != nil {
				errs[i] = err
				return
			}
			defer func() { _ = c.Close() }() // it has done its work
			topic := []string{"bounded", "open"}[i%2]
			code, err := produce(c, topic, b)
			switch {
			case err != nil:
				errs[i] = fmt.Errorf("a bomb of codec %s costs the connection: %w", codecs[codec].name, err)
			case topic == "bounded" && code == 0:
				errs[i] = fmt.Errorf("a bomb of codec %s is taken beyond max.decompressed.message.bytes", codecs[codec].name)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
		s.hits++
	}
	return nil
}
