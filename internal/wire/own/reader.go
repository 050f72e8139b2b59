package own

import (
	"errors"

	"ottla/internal/wire/field"
)

// Why a message cannot be decoded.
var (
	errTags = errors.New("the message has too many tagged fields")
	errRest = errors.New("the message has bytes after its end")
)

// maxTags bounds the tagged fields of one section; a release adds a few.
const maxTags = 64

// reader decodes what writer wrote; the first failure sticks, and everything
// after it reads as zero.
type reader struct{ field.Reader }

func (r *reader) fail(err error) {
	if r.Err == nil {
		r.Err = err
	}
}

func (r *reader) bool() bool { return r.Int8() != 0 }

// length reads a compact length of elements that take at least size bytes
// each; null counts as none.
func (r *reader) length(size int) int { return r.MaybeCount(true, size) }

func (r *reader) string() string { return string(r.Take(r.length(1))) }

// bytes is nil when there are none.
func (r *reader) bytes() []byte {
	if b := r.Take(r.length(1)); len(b) > 0 {
		return append([]byte(nil), b...)
	}
	return nil
}

// tags steps over a section of tagged fields.
func (r *reader) tags() {
	n := 0
	r.TagsOr(func(int, []byte) error {
		if n++; n > maxTags {
			return errTags
		}
		return nil
	})
}

// end asks that all was read.
func (r *reader) end() {
	if len(r.Rest) > 0 {
		r.fail(errRest)
	}
}

// list reads an array whose elements take at least size bytes each; nil when
// it is empty.
func list[E any](r *reader, size int, element func(*reader) E) []E {
	n := r.length(size)
	if n == 0 {
		return nil
	}
	out := make([]E, 0, n)
	for range n {
		e := element(r)
		r.tags()
		if r.Err != nil {
			return nil
		}
		out = append(out, e)
	}
	return out
}
