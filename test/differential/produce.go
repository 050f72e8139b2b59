package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// produceTo asks to append bytes to partition 0 of a topic.
func produceTo(t topic, version, acks int16, records []byte) *kmsg.ProduceRequest {
	return producePart(t, version, acks, 0, records)
}

func producePart(t topic, version, acks int16, partition int32, records []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(version)
	req.Acks, req.TimeoutMillis = acks, 5000
	row := kmsg.NewProduceRequestTopic()
	row.Topic, row.TopicID = t.name, t.id
	part := kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = partition, records
	row.Partitions = append(row.Partitions, part)
	req.Topics = append(req.Topics, row)
	return req
}

// look puts what lies in partition 0 into the transcript.
func (s *scene) look(t topic) {
	s.send("then fetched", fetchOf(t, 12, 0, func(r *kmsg.FetchRequest) { r.MaxWaitMillis = 0 }))
}

// badBatchVersions are where bad batches are tried: the oldest version, one of
// before and one of after flexible encoding, the newest.
var badBatchVersions = []int16{3, 8, 9, 13}

func produceStories() []story {
	out := []story{
		{"produce/every version", produceEveryVersion},
		{"produce/acks", produceAcks},
		{"produce/topics that are not there", produceNowhere},
		{"produce/sizes", produceSizes},
		{"produce/timestamps", produceTimestamps},
		{"produce/log append time", produceAppendTime},
		{"produce/compacted topic", produceCompacted},
		{"produce/zstd by version", produceZstd},
		{"produce/decompressed size", produceBomb},
		{"produce/recompressed by the broker", produceRecompressed},
		{"produce/pipelined", producePipelined},
	}
	for _, b := range batches() {
		out = append(out, story{"produce/batch/" + b.name, func(s *scene) {
			t := s.create("t", 1)
			for _, v := range badBatchVersions {
				s.send(fmt.Sprintf("v%d", v), produceTo(t, v, -1, b.bytes()))
			}
			s.look(t)
		}})
	}
	return out
}

type namedBatch struct {
	name  string
	bytes func() []byte
}

// batches are good and bent record batches.
func batches() []namedBatch {
	two := recsOf(2)
	of := func(name string, b batch) namedBatch { return namedBatch{name, b.bytes} }
	good := batch{records: two}
	gz := func(b []byte) []byte { return gzipped(b) }
	return []namedBatch{
		of("good", good),
		of("wrong crc", batch{records: two, badCRC: true}),
		of("magic 3", batch{records: two, magic: 3}),
		of("magic 1", batch{records: two, magic: 1}),
		of("magic 0", batch{records: two, magic: -1}),
		{"no bytes", func() []byte { return []byte{} }},
		{"null records", func() []byte { return nil }},
		{"two batches", func() []byte { return append(good.bytes(), good.bytes()...) }},
		{"truncated by one", func() []byte { b := good.bytes(); return b[:len(b)-1] }},
		{"truncated in the header", func() []byte { return good.bytes()[:40] }},
		{"ten bytes", func() []byte { return good.bytes()[:10] }},
		{"trailing bytes", func() []byte { return append(good.bytes(), 1, 2, 3) }},
		{"length in the header too large", func() []byte { b := good.bytes(); b[8] = 0x7f; return b }},
		{"length in the header negative", func() []byte { b := good.bytes(); b[8] = 0xff; return b }},
		{"length in the header small", func() []byte { b := good.bytes(); binary.BigEndian.PutUint32(b[8:], 20); return b }},
		of("count 0", batch{bendCount: true, bendLast: true, lastOffsetDelta: -1}),
		of("count 0 with records", batch{records: two, bendCount: true}),
		of("count too large", batch{records: two, bendCount: true, count: 3}),
		of("count too small", batch{records: two, bendCount: true, count: 1}),
		of("count and last too large", batch{records: two, bendCount: true, count: 3, bendLast: true, lastOffsetDelta: 2}),
		of("count and last too small", batch{records: two, bendCount: true, count: 1, bendLast: true, lastOffsetDelta: 0}),
		of("count negative", batch{records: two, bendCount: true, count: -1}),
		of("last offset delta too large", batch{records: two, bendLast: true, lastOffsetDelta: 5}),
		of("last offset delta negative", batch{records: two, bendLast: true, lastOffsetDelta: -1}),
		of("base offset 7", batch{records: two, base: 7}),
		of("control batch", batch{records: two, attributes: 1 << 5}),
		of("sequence -1 with a producer id", batch{records: two, idempotent: true, producerID: 4000, sequence: -1}),
		of("epoch -1 with a producer id", batch{records: two, idempotent: true, producerID: 4001, epoch: -1}),
		of("sequence without a producer id", batch{records: two, idempotent: true, producerID: -1, epoch: 0, sequence: 5}),
		of("transactional bit", batch{records: two, attributes: 1 << 4, idempotent: true, producerID: 4002}),
		of("transactional bit without a producer id", batch{records: two, attributes: 1 << 4}),
		of("attribute bit 7", batch{records: two, attributes: 1 << 7}),
		of("attribute bit 12", batch{records: two, attributes: 1 << 12}),
		of("delete horizon bit", batch{records: two, attributes: 1 << 6}),
		of("log append time bit", batch{records: two, attributes: 1 << 3}),
		of("timestamps below 0", batch{records: two, baseTime: -5}),
		of("wrong max timestamp", batch{records: two, maxTime: 99}),
		of("leader epoch 77", batch{records: two, leaderEpoch: 77}),
		of("first offset delta 3", batch{records: []rec{{offsetDelta: 3}, {offsetDelta: 4}}}),
		of("offset deltas not rising", batch{records: []rec{{offsetDelta: 0}, {offsetDelta: 0}}}),
		of("null keys and values", batch{records: []rec{{}, {offsetDelta: 1}}}),
		of("garbage records", batch{payload: []byte{1, 2, 3, 4, 5, 6, 7}, bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("record longer than the batch", batch{payload: []byte{0x7e, 0, 0, 0, 1, 1, 0}, bendCount: true, count: 1}),
		of("gzip", batch{attributes: 1, payload: gz(encodeRecords(two)), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("gzip garbage", batch{attributes: 1, payload: []byte("not gzip at all"), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("gzip of garbage", batch{attributes: 1, payload: gz([]byte{1, 2, 3, 4, 5}), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("gzip with bytes behind the records", batch{attributes: 1, payload: gz(append(encodeRecords(two), 9, 9)), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("gzip with offset deltas from 3", batch{attributes: 1, payload: gz(encodeRecords([]rec{{offsetDelta: 3}, {offsetDelta: 4}})), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("gzip count too large", batch{attributes: 1, payload: gz(encodeRecords(two)), bendCount: true, count: 3, bendLast: true, lastOffsetDelta: 2}),
		of("snappy garbage", batch{attributes: 2, payload: []byte("not snappy at all"), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("lz4 garbage", batch{attributes: 3, payload: []byte("not lz4 at all.."), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("zstd garbage", batch{attributes: 4, payload: []byte("not zstd at all."), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}),
		of("codec 5", batch{records: two, attributes: 5}),
		of("codec 7", batch{records: two, attributes: 7}),
	}
}

func produceEveryVersion(s *scene) {
	t := s.create("t", 1)
	for v := int16(0); v <= 14; v++ {
		s.send(fmt.Sprintf("v%d", v), produceTo(t, v, 1, batch{records: recsOf(2)}.bytes()))
	}
	s.look(t)
}

func produceAcks(s *scene) {
	t := s.create("t", 1)
	for _, acks := range []int16{-1, 0, 1, 2, -2, 100} {
		for _, v := range []int16{3, 9, 13} {
			label, req := fmt.Sprintf("acks %d v%d", acks, v), produceTo(t, v, acks, batch{records: recsOf(1)}.bytes())
			if acks == 0 {
				end := s.endOf(t)
				s.quietly(label, req)
				s.hangUp()
				s.until(func() bool { return s.endOf(t) > end })
				continue
			}
			s.send(label, req)
		}
	}
	s.send("acks 0 to a bad batch", produceTo(t, 9, 0, batch{records: recsOf(1), badCRC: true}.bytes())) // ends the connection
	s.hangUp()
	s.look(t)
}

func produceNowhere(s *scene) {
	t := s.create("t", 1)
	gone := topic{name: t.name + "-gone", id: [16]byte{1, 2, 3}}
	for _, v := range badBatchVersions {
		s.send(fmt.Sprintf("unknown topic v%d", v), produceTo(gone, v, 1, batch{records: recsOf(1)}.bytes()))
		s.send(fmt.Sprintf("unknown partition v%d", v), producePart(t, v, 1, 9, batch{records: recsOf(1)}.bytes()))
		s.send(fmt.Sprintf("negative partition v%d", v), producePart(t, v, 1, -1, batch{records: recsOf(1)}.bytes()))
		s.send(fmt.Sprintf("invalid name v%d", v), produceTo(topic{name: "not a name!"}, v, 1, batch{records: recsOf(1)}.bytes()))
		empty := produceTo(t, v, 1, nil)
		empty.Topics = nil
		s.send(fmt.Sprintf("no topics v%d", v), empty)
		transactional := produceTo(t, v, 1, batch{records: recsOf(1)}.bytes())
		transactional.TransactionID = kmsg.StringPtr("x")
		s.send(fmt.Sprintf("transactional id, plain batch v%d", v), transactional)
	}
	s.look(t)
}

func produceSizes(s *scene) {
	t := s.create("t", 1, "max.message.bytes", "1000")
	// The batch has 61 bytes of header, the record 9 of its own around a value
	// of some hundred bytes.
	for _, size := range []int{800, 928, 929, 930, 931, 2000} {
		b := batch{records: []rec{{value: bytes.Repeat([]byte("x"), size)}}}.bytes()
		s.send(fmt.Sprintf("%d bytes of 1000", len(b)), produceTo(t, 9, 1, b))
	}
	s.look(t)
	small := s.create("small", 1, "segment.bytes", "1048576", "max.message.bytes", "4000000")
	big := batch{records: []rec{{value: bytes.Repeat([]byte("x"), 1100000)}}}.bytes()
	s.send("larger than a segment", produceTo(small, 9, 1, big))
}

func produceTimestamps(s *scene) {
	t := s.create("t", 1)
	bounded := s.create("bounded", 1, "message.timestamp.before.max.ms", "60000", "message.timestamp.after.max.ms", "60000")
	now := time.Now().UnixMilli()
	for _, c := range []struct {
		what  string
		delta int64
	}{{"now", 0}, {"2 minutes ago", -120_000}, {"2 minutes ahead", 120_000}, {"2 hours ahead", 7_200_000}, {"a year ago", -31_536_000_000}} {
		for _, v := range []int16{3, 8, 13} {
			s.send(fmt.Sprintf("%s, defaults v%d", c.what, v), produceTo(t, v, 1, batch{records: recsOf(2), baseTime: now + c.delta}.bytes()))
			s.send(fmt.Sprintf("%s, bounds v%d", c.what, v), produceTo(bounded, v, 1, batch{records: recsOf(2), baseTime: now + c.delta}.bytes()))
		}
	}
	mixed := recsOf(3)
	mixed[1].time = -100_000_000
	s.send("one of three too old", produceTo(bounded, 9, 1, batch{records: mixed, baseTime: now}.bytes()))
}

func produceAppendTime(s *scene) {
	t := s.create("t", 1, "message.timestamp.type", "LogAppendTime")
	s.send("old time", produceTo(t, 9, 1, batch{records: recsOf(2), baseTime: 1000}.bytes()))
	far := time.Now().UnixMilli() + 1e9
	s.lines.hide(fmt.Sprint(far), "FAR")
	s.send("far future", produceTo(t, 9, 1, batch{records: recsOf(2), baseTime: far}.bytes()))
	first := batch{records: recsOf(2), idempotent: true, producerID: 5000, baseTime: 1000}.bytes()
	s.send("idempotent", produceTo(t, 9, -1, first))
	s.send("its duplicate", produceTo(t, 9, -1, first))
	s.look(t)
}

func produceCompacted(s *scene) {
	t := s.create("t", 1, "cleanup.policy", "compact")
	for _, v := range badBatchVersions {
		s.send(fmt.Sprintf("good v%d", v), produceTo(t, v, 1, batch{records: recsOf(1)}.bytes()))
		nulls := recsOf(4)
		nulls[1].key, nulls[3].key = nil, nil
		s.send(fmt.Sprintf("null keys v%d", v), produceTo(t, v, 1, batch{records: nulls}.bytes()))
		gz := batch{attributes: 1, payload: gzipped(encodeRecords(nulls)), bendCount: true, count: 4, bendLast: true, lastOffsetDelta: 3}
		s.send(fmt.Sprintf("null keys in gzip v%d", v), produceTo(t, v, 1, gz.bytes()))
	}
	s.look(t)
}

func zstdOf(b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(broken{err})
	}
	return w.EncodeAll(b, nil)
}

func produceZstd(s *scene) {
	t := s.create("t", 1)
	b := batch{attributes: 4, payload: zstdOf(encodeRecords(recsOf(2))), bendCount: true, count: 2, bendLast: true, lastOffsetDelta: 1}
	for v := int16(3); v <= 13; v++ {
		s.send(fmt.Sprintf("v%d", v), produceTo(t, v, 1, b.bytes()))
	}
	for _, v := range []int16{4, 9, 10, 12} {
		s.send(fmt.Sprintf("fetched with v%d", v), fetchOf(t, v, 0, nil))
	}
	topicOf := s.create("zstd", 1, "compression.type", "zstd")
	s.send("recompressed v6", produceTo(topicOf, 6, 1, batch{records: recsOf(2)}.bytes()))
	s.send("fetched with v9", fetchOf(topicOf, 9, 0, nil))
	s.send("fetched with v10", fetchOf(topicOf, 10, 0, nil))
}

func produceBomb(s *scene) {
	t := s.create("t", 1, "max.decompressed.message.bytes", "100000")
	for _, size := range []int{1000, 90_000, 200_000} {
		payload := gzipped(encodeRecords([]rec{{value: bytes.Repeat([]byte("x"), size)}}))
		s.send(fmt.Sprintf("%d bytes", size), produceTo(t, 9, 1, batch{attributes: 1, payload: payload, bendCount: true, count: 1}.bytes()))
	}
}

func produceRecompressed(s *scene) {
	for _, codec := range []string{"uncompressed", "gzip", "snappy", "lz4", "zstd"} {
		t := s.create(codec, 1, "compression.type", codec)
		s.send(codec+" from plain", produceTo(t, 9, 1, batch{records: recsOf(3)}.bytes()))
		s.send(codec+" from gzip", produceTo(t, 9, 1,
			batch{attributes: 1, payload: gzipped(encodeRecords(recsOf(3))), bendCount: true, count: 3, bendLast: true, lastOffsetDelta: 2}.bytes()))
		s.look(t)
	}
}

// producePipelined sends five requests before it reads an answer.
func producePipelined(s *scene) {
	t := s.create("t", 1)
	for i := range 5 {
		acks := int16(-1)
		if i == 2 {
			acks = 1
		}
		req := produceTo(t, 9, acks, batch{records: recsOf(1 + i)}.bytes())
		if _, err := s.dial().Write(frameOf(req, int32(1000+i))); err != nil {
			panic(broken{err})
		}
	}
	for i := range 5 {
		frame, err := readFrame(s.conn, patience)
		if err != nil {
			panic(broken{err})
		}
		req := kmsg.NewPtrProduceRequest()
		req.SetVersion(9)
		resp, err := decode(req, frame, int32(1000+i))
		if err != nil {
			panic(broken{err})
		}
		s.lines.answer(s.step("answer"), resp)
	}
}
