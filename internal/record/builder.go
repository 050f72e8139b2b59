package record

// Builder makes one batch of our own (control markers, metadata, internal
// topics, tests). Its exported fields stay across Build; it is not safe for
// concurrent use.
type Builder struct {
	LeaderEpoch   int32
	ProducerID    int64
	ProducerEpoch int16
	BaseSequence  int32
	Transactional bool
	Control       bool
	Codec         Codec

	buf           []byte // room for a header, then the records, uncompressed
	count         int32
	baseMs, maxMs int64
}

// NewBuilder returns a builder with no producer (-1, -1, -1) and no leader
// epoch (-1).
func NewBuilder() *Builder {
	return &Builder{LeaderEpoch: -1, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}
}

// Add appends a record; nil key or value is null. The slices are copied.
func (b *Builder) Add(timestampMs int64, key, value []byte, headers ...RecordHeader) {
	if b.count == 0 {
		b.baseMs, b.maxMs = timestampMs, timestampMs
		if cap(b.buf) < HeaderSize {
			b.buf = make([]byte, HeaderSize, 512)
		}
		b.buf = b.buf[:HeaderSize]
	}
	b.maxMs = max(b.maxMs, timestampMs)
	r := Record{TimestampDelta: timestampMs - b.baseMs, OffsetDelta: b.count, Key: key, Value: value, Headers: headers}
	b.buf = appendRecord(b.buf, &r)
	b.count++
}

// Len is the number of records added.
func (b *Builder) Len() int { return int(b.count) }

// Size is the size of the batch so far in bytes, header included, before
// compression.
func (b *Builder) Size() int { return max(len(b.buf), HeaderSize) }

// Build returns the finished batch with the given base offset and resets the
// builder. The batch is the caller's. Without records it returns nil: a batch
// of none does not exist.
func (b *Builder) Build(baseOffset int64) []byte {
	if b.count == 0 {
		return nil
	}
	h := Header{
		BaseOffset:      baseOffset,
		LeaderEpoch:     b.LeaderEpoch,
		Magic:           2,
		Attributes:      int16(b.Codec & codecMask),
		LastOffsetDelta: b.count - 1,
		BaseTimestamp:   b.baseMs,
		MaxTimestamp:    b.maxMs,
		ProducerID:      b.ProducerID,
		ProducerEpoch:   b.ProducerEpoch,
		BaseSequence:    b.BaseSequence,
		Count:           b.count,
	}
	if b.Transactional {
		h.Attributes |= bitTransactional
	}
	if b.Control {
		h.Attributes |= bitControl
	}
	batch := b.pack(&h)
	seal(&h, batch)
	b.buf, b.count = b.buf[:0], 0
	return batch
}

// pack returns room for the header and the records, compressed as h says; what
// cannot be compressed (an unknown codec) stays plain, and h then says so.
func (b *Builder) pack(h *Header) []byte {
	if h.Codec() != None {
		p, err := newPacker(h.Codec(), 0, make([]byte, HeaderSize, HeaderSize+len(b.buf)/2), MaxDecompressed)
		if err == nil {
			defer p.close()
			if err = p.write(b.buf[HeaderSize:]); err == nil {
				var batch []byte
				if batch, err = p.finish(); err == nil {
					return batch
				}
			}
		}
		h.Attributes &^= codecMask
	}
	return append([]byte(nil), b.buf...)
}

// seal writes h, with the right length and CRC, in front of the records that
// batch holds already.
func seal(h *Header, batch []byte) {
	h.Length = int32(len(batch) - lengthOverhead)
	h.write(batch)
	setCRC(batch)
	h.read(batch)
}

// appendRecord encodes r.
func appendRecord(b []byte, r *Record) []byte {
	size := 1 + sizeVarlong(r.TimestampDelta) + sizeVarint(r.OffsetDelta) +
		sizeBytes(r.Key) + sizeBytes(r.Value) + sizeVarint(int32(len(r.Headers)))
	for i := range r.Headers {
		size += sizeVarint(int32(len(r.Headers[i].Key))) + len(r.Headers[i].Key) + sizeBytes(r.Headers[i].Value)
	}
	b = appendVarint(b, int32(size))
	b = append(b, byte(r.Attributes))
	b = appendVarlong(b, r.TimestampDelta)
	b = appendVarint(b, r.OffsetDelta)
	b = appendBytes(b, r.Key)
	b = appendBytes(b, r.Value)
	b = appendVarint(b, int32(len(r.Headers)))
	for i := range r.Headers {
		b = appendVarint(b, int32(len(r.Headers[i].Key)))
		b = append(b, r.Headers[i].Key...)
		b = appendBytes(b, r.Headers[i].Value)
	}
	return b
}

func sizeBytes(v []byte) int {
	if v == nil {
		return 1
	}
	return sizeVarint(int32(len(v))) + len(v)
}

func appendBytes(b, v []byte) []byte {
	if v == nil {
		return appendVarint(b, -1)
	}
	b = appendVarint(b, int32(len(v)))
	return append(b, v...)
}
