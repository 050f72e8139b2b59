package record

// layout says where the parts of one record lie in the buffer it was parsed
// from. Lengths of -1 mean null.
type layout struct {
	start, end       int // of the record, its length included
	timestampDelta   int64
	offsetDelta      int32
	attributes       int8
	keyAt, keyLen    int
	valueAt, valLen  int
	headersAt, count int // the first header, and how many there are
}

// flaw is what is wrong with a record's bytes.
type flaw int8

const (
	sound flaw = iota
	short      // the buffer ends inside the record: more bytes may mend it
	badLength
	badVarint
	badKey
	badValue
	badHeaders
	badEnd
)

var flawText = [...]string{
	short:      "ends before it is complete",
	badLength:  "has a length below what a record needs",
	badVarint:  "has a malformed number",
	badKey:     "has a key that does not fit into it",
	badValue:   "has a value that does not fit into it",
	badHeaders: "has headers that do not fit into it",
	badEnd:     "is longer than its parts",
}

// String is what is wrong, in words.
func (f flaw) String() string { return flawText[f] }

// minRecord is the size in bytes of the smallest record body: attributes, two
// deltas, two lengths and a header count.
const minRecord = 6

// parse finds the parts of the record at b[i:]. It allocates nothing and
// trusts no length.
func (l *layout) parse(b []byte, i int) flaw {
	l.start = i
	size, at := readVarint(b, i)
	if at <= 0 {
		return numberFlaw(at)
	}
	if size < minRecord {
		return badLength
	}
	if int(size) > len(b)-at {
		return short
	}
	l.end = at + int(size)
	body := b[:l.end]
	l.attributes = int8(body[at])
	if l.timestampDelta, at = readVarlong(body, at+1); at <= 0 {
		return badVarint
	}
	if l.offsetDelta, at = readVarint(body, at); at <= 0 {
		return badVarint
	}
	n, at := readVarint(body, at)
	if at <= 0 || n < -1 || int(n) > len(body)-at {
		return badKey
	}
	l.keyAt, l.keyLen = at, int(n)
	at += max(int(n), 0)
	n, at = readVarint(body, at)
	if at <= 0 || n < -1 || int(n) > len(body)-at {
		return badValue
	}
	l.valueAt, l.valLen = at, int(n)
	at += max(int(n), 0)
	n, at = readVarint(body, at)
	if at <= 0 || n < 0 {
		return badHeaders
	}
	l.headersAt, l.count = at, int(n)
	if n > 0 {
		if at = skipHeaders(body, at, int(n)); at < 0 {
			return badHeaders
		}
	}
	if at != l.end {
		return badEnd
	}
	return sound
}

func numberFlaw(at int) flaw {
	if at == 0 {
		return short
	}
	return badVarint
}

// skipHeaders walks n headers at b[at:] and answers the index after them, -1
// when they do not fit. A header key is never null (KIP-82).
func skipHeaders(b []byte, at, n int) int {
	if n > (len(b)-at)/2 { // a header needs two bytes at least
		return -1
	}
	for range n {
		size, next := readVarint(b, at)
		if next <= 0 || size < 0 || int(size) > len(b)-next {
			return -1
		}
		size, at = readVarint(b, next+int(size))
		if at <= 0 || size < -1 || int(size) > len(b)-at {
			return -1
		}
		at += max(int(size), 0)
	}
	return at
}

// part is the bytes at b[at:at+n], nil when n is -1.
func part(b []byte, at, n int) []byte {
	if n < 0 {
		return nil
	}
	return b[at : at+n : at+n]
}
