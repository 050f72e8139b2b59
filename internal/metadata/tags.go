package metadata

import (
	"encoding/binary"

	"ottla/internal/uuid"
)

// Tagged fields (KIP-482): a count, then per field its tag, its size and its
// bytes, by rising tag. A field that has its default is left out.

// unknownTags are the tagged fields of a parsed record that this version does
// not know, with their tags and sizes, as they stood. They are newer than the
// known ones, so they are written after them.
type unknownTags struct {
	n   uint32
	raw string // a string, so that types that hold it stay comparable
}

// tagWriter collects the tagged fields that are to be written.
type tagWriter struct {
	n   uint32
	buf []byte
}

// add writes field tag; body appends its value.
func (w *tagWriter) add(tag uint32, value []byte) {
	w.n++
	w.buf = binary.AppendUvarint(w.buf, uint64(tag))
	w.buf = binary.AppendUvarint(w.buf, uint64(len(value)))
	w.buf = append(w.buf, value...)
}

// end appends the whole section to dst.
func (w *tagWriter) end(dst []byte, unknown unknownTags) []byte {
	dst = binary.AppendUvarint(dst, uint64(w.n)+uint64(unknown.n))
	dst = append(dst, w.buf...)
	return append(dst, unknown.raw...)
}

// appendTags appends a section that has only unknown fields, or none.
func appendTags(dst []byte, unknown unknownTags) []byte {
	return (&tagWriter{}).end(dst, unknown)
}

// tags walks the tagged fields. known reads the value of a field it knows from
// a reader that holds this value alone and answers true; the others are kept.
func (r *reader) tags(known func(tag uint32, value *reader) bool) unknownTags {
	n := r.uvarint()
	if int64(n)*2 > int64(r.left()) {
		r.fail(errLength)
		return unknownTags{}
	}
	var u unknownTags
	var raw []byte
	last := int64(-1)
	for range n {
		start := r.off
		tag := r.uvarint()
		size := r.uvarint()
		if r.err == nil && (int64(tag) <= last || int64(size) > int64(r.left())) {
			r.fail(errLength)
		}
		last = int64(tag)
		value := reader{b: r.take(int(size))}
		if r.err != nil {
			return unknownTags{}
		}
		if known != nil && known(tag, &value) {
			if value.err == nil && value.left() > 0 {
				value.fail(errLength)
			}
			if value.err != nil {
				r.fail(value.err)
			}
			continue
		}
		u.n++
		raw = append(raw, r.b[start:r.off]...)
	}
	u.raw = string(raw)
	return u
}

// addInt32s writes a list; nil, the default, is left out.
func (w *tagWriter) addInt32s(tag uint32, list []int32) {
	if list != nil {
		w.add(tag, appendInt32s(nil, list))
	}
}

// addUUIDs is addInt32s for identifiers.
func (w *tagWriter) addUUIDs(tag uint32, list []uuid.UUID) {
	if list != nil {
		w.add(tag, appendUUIDs(nil, list))
	}
}
