package record

// Sifting says what Sift does to a batch.
type Sifting struct {
	// Keep tells whether a record stays; nil keeps all. It is asked in offset
	// order, up to twice for the same record, and answers the same both times.
	// key is valid during the call; nil is null.
	Keep func(offset int64, key []byte, tombstone bool) bool
	// HorizonMs becomes the delete horizon (KIP-534) of a batch that has none
	// and keeps a tombstone, or of any that has none with Always.
	HorizonMs int64
	Always    bool
}

// Keys calls fn with the offset and the key of each record of the batch at the
// start of b (nil is null; valid during the call) and whether its value is
// null, until fn returns false. It fails with an *Error when the records are
// malformed.
func Keys(b []byte, fn func(offset int64, key []byte, tombstone bool) bool) error {
	return walk(b, 0, func(h *Header, buf []byte, l *layout) bool { return l.tell(h, buf, fn) })
}

func (l *layout) tell(h *Header, buf []byte, fn func(int64, []byte, bool) bool) bool {
	return fn(h.BaseOffset+int64(l.offsetDelta), part(buf, l.keyAt, l.keyLen), l.valLen < 0)
}

// Sift makes of the batch at the start of b one that holds only the records
// that stay, as compaction wants it: offsets, timestamps, sequences, leader
// epoch and codec are what they were, the last offset too when its record is
// gone, and the header's largest timestamp is that of the records that stay. A
// delete horizon takes the place of the base timestamp.
//
// out is nil when no record stays, b's own bytes when nothing changes, else
// dst[:0] or what it grew into. dst does not overlap b. A compressed batch is
// opened piece by piece and compressed again only when it changes. It fails
// with an *Error.
func Sift(dst, b []byte, s *Sifting) (out []byte, err error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	v := survey{keep: s.Keep}
	if err := v.run(b); err != nil {
		return nil, err
	}
	horizon := (v.tombstones || s.Always) && !h.HasDeleteHorizon()
	switch {
	case v.kept == 0:
		return nil, nil
	case v.dropped == 0 && !horizon:
		return b[:h.Size()], nil
	}
	sh := shift{from: h.BaseTimestamp, to: h.BaseTimestamp}
	if horizon {
		sh.to = s.HorizonMs
		h.Attributes |= bitDeleteHorizon
	}
	if cap(dst) < HeaderSize {
		dst = make([]byte, HeaderSize, h.Size()+HeaderSize)
	}
	if out, err = sh.pack(dst[:HeaderSize], b, h.Codec(), s.Keep); err != nil {
		return nil, err
	}
	h.BaseTimestamp, h.Count = sh.to, v.kept
	if !h.LogAppendTime() {
		h.MaxTimestamp = v.maxMs
	}
	seal(&h, out)
	return out, nil
}

// EmptyBatch makes a batch without records in the place of the one that h
// heads, in dst[:0]: it keeps offsets, producer and sequence, so that neither
// the end of the log nor a producer's last sequence is lost with the records.
// Its bytes are the header alone.
func EmptyBatch(dst []byte, h *Header) []byte {
	e := *h
	e.Attributes &^= codecMask | bitDeleteHorizon
	e.BaseTimestamp, e.Count = -1, 0
	if cap(dst) < HeaderSize {
		dst = make([]byte, HeaderSize)
	}
	dst = dst[:HeaderSize]
	seal(&e, dst)
	return dst
}

// survey finds out what becomes of a batch.
type survey struct {
	keep          func(int64, []byte, bool) bool
	kept, dropped int32
	tombstones    bool // some that stay have no value
	maxMs         int64
}

func (v *survey) run(b []byte) error {
	return walk(b, 0, func(h *Header, buf []byte, l *layout) bool {
		if v.keep != nil && !l.tell(h, buf, v.keep) {
			v.dropped++
			return true
		}
		if ms := h.BaseTimestamp + l.timestampDelta; v.kept == 0 || ms > v.maxMs {
			v.maxMs = ms
		}
		v.kept++
		v.tombstones = v.tombstones || l.valLen < 0
		return true
	})
}

// shift writes records anew against another base timestamp.
type shift struct {
	from, to int64
	room     []byte
}

// pack appends the records that stay to out, compressed as they were.
func (sh *shift) pack(out, b []byte, codec Codec, keep func(int64, []byte, bool) bool) ([]byte, error) {
	var p *packer
	if codec != None {
		var err error
		if p, err = newPacker(codec, 0, out, MaxDecompressed); err != nil {
			return nil, err
		}
		defer p.close()
	}
	var failed error
	err := walk(b, 0, func(h *Header, buf []byte, l *layout) bool {
		if keep != nil && !l.tell(h, buf, keep) {
			return true
		}
		r := buf[l.start:l.end]
		if sh.from != sh.to {
			r = sh.move(buf, l)
		}
		if p == nil {
			out = append(out, r...)
			return true
		}
		failed = p.write(r)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	if p != nil {
		return p.finish()
	}
	return out, nil
}

// move is the record at l with its timestamp told from the new base. The rest
// of it is left as its producer wrote it.
func (sh *shift) move(buf []byte, l *layout) []byte {
	_, at := readVarint(buf, l.start) // parse has read these: they are sound
	attributes := buf[at]
	_, rest := readVarlong(buf, at+1)
	delta := sh.from + l.timestampDelta - sh.to
	b := appendVarint(sh.room[:0], int32(1+sizeVarlong(delta)+l.end-rest))
	b = append(b, attributes)
	b = appendVarlong(b, delta)
	sh.room = append(b, buf[rest:l.end]...)
	return sh.room
}
