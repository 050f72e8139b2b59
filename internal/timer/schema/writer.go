package schema

import (
	"encoding/binary"
	"fmt"

	"ottla/internal/wire/field"
)

func appendInt16(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }
func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendInt64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

func appendText(b []byte, s string) []byte { return append(appendCount(b, len(s)), s...) }

// appendMaybe writes bytes that may be null.
func appendMaybe(b, v []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	return append(appendCount(b, len(v)), v...)
}

// reader takes the fields of a value off its bytes.
type reader struct{ field.Reader }

// value begins to read a value: only version 0 is known.
func value(b []byte) (*reader, error) {
	r := &reader{field.Reader{Rest: b}}
	if v := r.Int16(); r.Err == nil && v != 0 {
		return nil, fmt.Errorf("version %d is not known, this release reads 0", v)
	}
	return r, r.Err
}

// end is the end of a value: tagged fields, and nothing after them.
func (r *reader) end(what string, size int) error {
	r.Tags(nil)
	if r.Err == nil && len(r.Rest) > 0 {
		r.Err = field.ErrLength
	}
	if r.Err != nil {
		return fmt.Errorf("%s record of %d bytes: %w", what, size, r.Err)
	}
	return nil
}

// maybe reads bytes that may be null, borrowed.
func (r *reader) maybe() []byte {
	n := r.Uvarint() - 1
	if r.Err != nil || n < 0 {
		return nil
	}
	b := r.Take(n)
	if b == nil && r.Err == nil {
		b = []byte{}
	}
	return b
}
