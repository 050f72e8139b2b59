package record

// Record is one record of a batch; the slices are views.
type Record struct {
	Attributes     int8
	TimestampDelta int64
	OffsetDelta    int32
	Key, Value     []byte // nil is null
	Headers        []RecordHeader
}

// TimeMs is the record's time in milliseconds since 1970; h is its batch's.
func (r *Record) TimeMs(h *Header) int64 {
	if h.LogAppendTime() {
		return h.MaxTimestamp
	}
	return h.BaseTimestamp + r.TimestampDelta
}

// RecordHeader is one header of a record (KIP-82). Keys may repeat.
type RecordHeader struct {
	Key   string
	Value []byte // nil is null
}

// Walk opens the batch at the start of b (bounded by maxDecompressed bytes, 0
// meaning MaxDecompressed) and calls fn for each record until it returns
// false. The record and its slices are valid during the call only; fn may walk
// another batch. Walk looks at the records, not at the CRC, and fails with an
// *Error when they are malformed or not as many as the header counts. A record
// is held whole, however large.
func Walk(b []byte, maxDecompressed int, fn func(*Record) bool) error {
	var r Record
	return walk(b, maxDecompressed, func(_ *Header, buf []byte, l *layout) bool {
		r.set(buf, l)
		return fn(&r)
	})
}

// walk calls fn with where each record lies until it returns false.
func walk(b []byte, maxDecompressed int, fn func(h *Header, buf []byte, l *layout) bool) error {
	h, err := ParseHeader(b)
	if err != nil {
		return err
	}
	if h.Size() > len(b) {
		return corrupt("batch at offset %d is cut short: %d of %d bytes", h.BaseOffset, len(b), h.Size())
	}
	w := walker{h: &h, fn: fn}
	payload := b[HeaderSize:h.Size()]
	if h.Codec() == None {
		_, err := w.run(payload, true)
		return err
	}
	o, err := newOpener(h.Codec(), payload, maxDecompressed, false)
	if err != nil {
		return err
	}
	s := o.startStream()
	defer s.close()
	for {
		n, err := w.run(s.rest(), s.end)
		if err != nil || w.stopped || s.end {
			return err
		}
		s.at += n
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// walker counts the records that it hands to fn.
type walker struct {
	h       *Header
	fn      func(h *Header, buf []byte, l *layout) bool
	seen    int32
	stopped bool
}

// run hands over every record that lies whole in buf and tells how many bytes
// they took. last says that nothing follows buf.
func (w *walker) run(buf []byte, last bool) (int, error) {
	var l layout
	i := 0
	for i < len(buf) {
		if f := l.parse(buf, i); f == short && !last {
			return i, nil
		} else if f != sound {
			return i, invalid("record %d of the batch at offset %d %s", w.seen, w.h.BaseOffset, f)
		}
		if !w.fn(w.h, buf, &l) {
			w.stopped = true
			return i, nil
		}
		i = l.end
		w.seen++
	}
	if last && w.seen != w.h.Count {
		return i, invalid("batch at offset %d holds %d records and its header counts %d", w.h.BaseOffset, w.seen, w.h.Count)
	}
	return i, nil
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
