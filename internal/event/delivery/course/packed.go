package course

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
)

// What waits of a lane is packed: a thousand deliveries are written again whenever
// something of their target changed. Base64 is of the version, the texts (reasons and
// codes, each once: how many, then the length and the bytes of each), and the
// deliveries. Numbers are varints; offsets and times are told by what they differ from
// those before.
const packedVersion = 1

// Flags of a delivery: what is there beside its offset and time.
const (
	packedKey = 1 << iota
	packedTried
	packedDue
	packedGroup
	packedSpent
	packedReason // a code and a why
	packedAll    = 1<<iota - 1
)

// errPacked says that a text is no pack.
var errPacked = errors.New("what is kept of a target cannot be read")

// pack writes what waits.
func pack(all []Item) string {
	if len(all) == 0 {
		return ""
	}
	var texts []string
	index := map[string]int{}
	number := func(text string) uint64 {
		n, known := index[text]
		if !known {
			n = len(texts)
			index[text], texts = n, append(texts, text)
		}
		return uint64(n)
	}
	var of []byte
	var offset, putMs int64
	for i := range all {
		it := &all[i]
		of = append(of, flagsOf(it))
		of = binary.AppendVarint(binary.AppendVarint(of, it.Offset-offset), it.PutMs-putMs)
		offset, putMs = it.Offset, it.PutMs
		if it.Key != 0 {
			of = binary.BigEndian.AppendUint64(of, it.Key)
		}
		if it.Attempts != 0 {
			of = binary.AppendVarint(of, int64(it.Attempts))
		}
		if it.DueMs != 0 {
			of = binary.AppendVarint(of, it.DueMs-it.PutMs)
		}
		if it.Group != -1 {
			of = binary.AppendVarint(of, it.Group-it.Offset)
		}
		if it.Spent != "" {
			of = binary.AppendUvarint(of, number(it.Spent))
		}
		if it.Code != "" || it.Why != "" {
			of = binary.AppendUvarint(binary.AppendUvarint(of, number(it.Code)), number(it.Why))
		}
	}
	out := binary.AppendUvarint([]byte{packedVersion}, uint64(len(texts)))
	for _, text := range texts {
		out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
	}
	return base64.StdEncoding.EncodeToString(append(out, of...))
}

func flagsOf(it *Item) byte {
	var f byte
	for i, there := range []bool{it.Key != 0, it.Attempts != 0, it.DueMs != 0, it.Group != -1, it.Spent != "", it.Code != "" || it.Why != ""} {
		if there {
			f |= 1 << i
		}
	}
	return f
}

// unpack reads what pack wrote.
func unpack(text string) ([]Item, error) {
	if text == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != packedVersion {
		return nil, errPacked
	}
	r := packedReader{b: b[1:]}
	r.texts()
	var out []Item
	for last := (Item{}); len(r.b) > 0 && !r.bad; out = append(out, last) {
		if last = r.item(&last); len(out) > 0 && last.Offset <= out[len(out)-1].Offset {
			return nil, errPacked
		}
	}
	if r.bad {
		return nil, errPacked
	}
	return slices.Clip(out), nil
}

// packedReader takes a pack apart; bad says that it is none.
type packedReader struct {
	b    []byte
	said []string
	bad  bool
}

func (r *packedReader) texts() {
	for n := r.unsigned(); n > 0 && !r.bad; n-- {
		size := r.unsigned()
		if size > uint64(len(r.b)) {
			r.bad = true
			return
		}
		r.said, r.b = append(r.said, string(r.b[:size])), r.b[size:]
	}
}

// item reads one delivery that follows another.
func (r *packedReader) item(last *Item) Item {
	flags := r.b[0]
	r.b = r.b[1:]
	r.bad = r.bad || flags > packedAll
	it := Item{Offset: last.Offset + r.signed(), PutMs: last.PutMs + r.signed(), Group: -1}
	if flags&packedKey != 0 {
		if len(r.b) < 8 {
			r.bad = true
			return it
		}
		it.Key, r.b = binary.BigEndian.Uint64(r.b), r.b[8:]
	}
	if flags&packedTried != 0 {
		it.Attempts = int(r.signed())
	}
	if flags&packedDue != 0 {
		it.DueMs = it.PutMs + r.signed()
	}
	if flags&packedGroup != 0 {
		it.Group = it.Offset + r.signed()
	}
	if flags&packedSpent != 0 {
		it.Spent = r.text()
	}
	if flags&packedReason != 0 {
		it.Code = r.text()
		it.Why = r.text()
	}
	return it
}

func (r *packedReader) text() string {
	n := r.unsigned()
	if n >= uint64(len(r.said)) {
		r.bad = true
		return ""
	}
	return r.said[n]
}

func (r *packedReader) signed() int64 {
	v, n := binary.Varint(r.b)
	return v * r.advance(n)
}

func (r *packedReader) unsigned() uint64 {
	v, n := binary.Uvarint(r.b)
	return v * uint64(r.advance(n))
}

// advance passes what was read over; 0 where there was nothing to read.
func (r *packedReader) advance(n int) int64 {
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return 1
}
