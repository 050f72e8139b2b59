package record

// Record is one record of a batch; the slices are views.
type Record struct {
	Attributes     int8
	TimestampDelta int64
	OffsetDelta    int32
	Key, Value     []byte // nil is null
	Headers        []RecordHeader
}

// RecordHeader is one header of a record (KIP-82). Keys may repeat.
type RecordHeader struct {
	Key   string
	Value []byte // nil is null
}

// Walk opens the batch (bounded by maxDecompressed bytes) and calls fn for each
// record until it returns false. The record and its slices are valid during
// the call only. It looks at the records, not at the CRC, and fails with an
// *Error when they are malformed or fewer than the header counts.
func Walk(b []byte, maxDecompressed int, fn func(*Record) bool) error {
	h, err := ParseHeader(b)
	if err != nil {
		return err
	}
	if h.Size() > len(b) {
		return corrupt("batch at offset %d is cut short: %d of %d bytes", h.BaseOffset, len(b), h.Size())
	}
	payload := b[HeaderSize:h.Size()]
	if h.Codec() != None {
		return invalid("compressed")
	}
	var r Record
	var l layout
	i, seen := 0, int32(0)
	for i < len(payload) {
		if f := l.parse(payload, i); f != sound {
			return invalid("record %d of the batch at offset %d %s", seen, h.BaseOffset, f)
		}
		r.set(payload, &l)
		if !fn(&r) {
			return nil
		}
		i, seen = l.end, seen+1
	}
	if seen != h.Count {
		return invalid("batch at offset %d holds %d records and counts %d", h.BaseOffset, seen, h.Count)
	}
	return nil
}

// set makes r the record that l describes in b.
func (r *Record) set(b []byte, l *layout) {
	r.Attributes, r.TimestampDelta, r.OffsetDelta = l.attributes, l.timestampDelta, l.offsetDelta
	r.Key = part(b, l.keyAt, l.keyLen)
	r.Value = part(b, l.valueAt, l.valLen)
	r.Headers = r.Headers[:0]
	at := l.headersAt
	for range l.count { // parse has walked them already: nothing can fail
		n, next := readVarint(b, at)
		key := string(b[next : next+int(n)])
		n, at = readVarint(b, next+int(n))
		r.Headers = append(r.Headers, RecordHeader{Key: key, Value: part(b, at, int(n))})
		at += max(int(n), 0)
	}
}
