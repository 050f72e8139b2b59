package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"
)

// batch is a hand-made record batch. The zero value with records is a good one;
// each field of wrong bends it.
type batch struct {
	base                int64
	magic               int8 // 2 when 0; -1 writes 0
	attributes          int16
	lastOffsetDelta     int32 // right when 0 and not bent
	baseTime, maxTime   int64 // now when 0
	producerID          int64 // -1 when 0
	epoch               int16
	sequence            int32
	leaderEpoch         int32
	count               int32 // right when 0
	bendCount, bendLast bool  // count and lastOffsetDelta as they stand
	idempotent          bool  // producerID, epoch and sequence as they stand
	badCRC              bool
	records             []rec
	payload             []byte // instead of records, as it stands
}

// rec is one record; nil key and value are null.
type rec struct {
	key, value  []byte
	time        int64 // delta
	offsetDelta int32
}

// recsOf makes n small records with consecutive offsets.
func recsOf(n int) []rec {
	out := make([]rec, n)
	for i := range out {
		out[i] = rec{key: fmt.Appendf(nil, "k%d", i), value: fmt.Appendf(nil, "value %d", i), offsetDelta: int32(i)}
	}
	return out
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (b batch) bytes() []byte {
	payload := b.payload
	if payload == nil {
		payload = encodeRecords(b.records)
	}
	last, count := int32(len(b.records)-1), int32(len(b.records))
	if b.payload != nil {
		last = b.count - 1
	}
	if b.bendLast {
		last = b.lastOffsetDelta
	}
	if b.bendCount {
		count = b.count
	}
	if !b.idempotent {
		b.producerID, b.epoch, b.sequence = -1, -1, -1
	}
	if b.baseTime == 0 {
		b.baseTime = time.Now().UnixMilli()
	}
	if b.maxTime == 0 {
		b.maxTime = b.baseTime
		for _, r := range b.records {
			b.maxTime = max(b.maxTime, b.baseTime+r.time)
		}
	}
	be := binary.BigEndian
	var tail []byte // from the attributes on: what the checksum covers
	tail = be.AppendUint16(tail, uint16(b.attributes))
	tail = be.AppendUint32(tail, uint32(last))
	tail = be.AppendUint64(tail, uint64(b.baseTime))
	tail = be.AppendUint64(tail, uint64(b.maxTime))
	tail = be.AppendUint64(tail, uint64(b.producerID))
	tail = be.AppendUint16(tail, uint16(b.epoch))
	tail = be.AppendUint32(tail, uint32(b.sequence))
	tail = be.AppendUint32(tail, uint32(count))
	tail = append(tail, payload...)
	magic := b.magic
	if magic == 0 {
		magic = 2
	}
	if magic < 0 {
		magic = 0
	}
	crc := crc32.Checksum(tail, castagnoli)
	if b.badCRC {
		crc++
	}
	out := be.AppendUint64(nil, uint64(b.base))
	out = be.AppendUint32(out, uint32(9+len(tail)))
	out = be.AppendUint32(out, uint32(b.leaderEpoch))
	out = append(out, byte(magic))
	out = be.AppendUint32(out, crc)
	return append(out, tail...)
}

func encodeRecords(records []rec) []byte {
	var out []byte
	for _, r := range records {
		var body []byte
		body = append(body, 0)
		body = binary.AppendVarint(body, r.time)
		body = binary.AppendVarint(body, int64(r.offsetDelta))
		for _, field := range [][]byte{r.key, r.value} {
			if field == nil {
				body = binary.AppendVarint(body, -1)
				continue
			}
			body = append(binary.AppendVarint(body, int64(len(field))), field...)
		}
		body = binary.AppendVarint(body, 0)
		out = append(binary.AppendVarint(out, int64(len(body))), body...)
	}
	return out
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// batches adds lines for the batches of a fetch answer.
func (t *transcript) batches(step, path string, b []byte, null bool) {
	if null {
		t.add(step, path, "null")
		return
	}
	n := 0
	for len(b) >= 61 {
		size := 12 + int(binary.BigEndian.Uint32(b[8:]))
		if size < 61 || size > len(b) {
			break
		}
		t.header(step, fmt.Sprintf("%s[%d]", path, n), b[:size])
		b = b[size:]
		n++
	}
	t.add(step, path, fmt.Sprintf("%d batches and %d bytes", n, len(b)))
}

func (t *transcript) header(step, path string, b []byte) {
	be := binary.BigEndian
	stamp := func(at int) string {
		if ms := int64(be.Uint64(b[at:])); t.isNow(ms) {
			return "now"
		} else {
			return fmt.Sprint(ms)
		}
	}
	producer := "none"
	if id := int64(be.Uint64(b[43:])); id >= 0 {
		producer = "some"
	}
	size := fmt.Sprint(len(b))
	if b[22]&7 != 0 {
		size = "compressed" // no two encoders agree
	}
	crc := "good"
	if crc32.Checksum(b[21:], castagnoli) != be.Uint32(b[17:]) {
		crc = "bad"
	}
	t.add(step, path, fmt.Sprintf("base %d size %s epoch %d magic %d crc %s attributes %d last %d time %s max %s producer %s %d %d count %d",
		be.Uint64(b), size, int32(be.Uint32(b[12:])), b[16], crc, be.Uint16(b[21:]), int32(be.Uint32(b[23:])),
		stamp(27), stamp(35), producer, int16(be.Uint16(b[51:])), int32(be.Uint32(b[53:])), int32(be.Uint32(b[57:]))))
}
