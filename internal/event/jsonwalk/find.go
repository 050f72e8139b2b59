package jsonwalk

import "math/bits"

// Valid tells whether a text is one value of JSON, with nothing but space round it,
// that may lie within so many more objects or lists.
func Valid(text []byte, within int) bool {
	var w Walker
	w.Begin(text)
	w.depth = within
	i := w.Skip(w.Space(0))
	return i >= 0 && w.Space(i) == len(text)
}

// Members gives an object's members, in their order, until yield says no: names as
// they are meant, values as they are written. It tells whether the text is an object
// and nothing else, as far as it was read.
func Members(object []byte, yield func(name string, value []byte) bool) bool {
	var w Walker
	w.Begin(object)
	return w.parts('{', '}', func(i int) (int, bool) {
		from, name, escaped := w.Name(i)
		if from < 0 {
			return from, false
		}
		end := w.Skip(from)
		if end < 0 {
			return end, false
		}
		if escaped {
			name = Unescape(nil, name)
		}
		return end, yield(string(name), object[from:end])
	})
}

// Elements gives a list's elements, as Members does.
func Elements(list []byte, yield func(value []byte) bool) bool {
	var w Walker
	w.Begin(list)
	return w.parts('[', ']', func(i int) (int, bool) {
		end := w.Skip(i)
		return end, end >= 0 && yield(list[i:end])
	})
}

// parts walks what stands between brackets and commas; part gives where one ends,
// and whether to go on.
func (w *Walker) parts(open, closed byte, part func(i int) (end int, more bool)) bool {
	i := w.Space(0)
	if !w.At(i, open) {
		return false
	}
	i = w.Enter(i + 1)
	for more := true; i >= 0 && !w.At(i, closed); {
		if i, more = part(i); i < 0 || !more {
			return i >= 0
		}
		if i = w.Space(i); w.At(i, closed) {
			break
		}
		if i = w.Comma(i); w.At(i, closed) {
			return false // a comma with nothing behind it
		}
	}
	return i >= 0 && w.Space(i+1) == len(w.Text)
}

// String is what a string of JSON means; ok is false where the value is none.
func String(value []byte) (text string, ok bool) {
	var w Walker
	w.Begin(value)
	if !w.At(0, '"') {
		return "", false
	}
	end, escaped := w.StringEnd(1)
	switch {
	case end != len(value)-1:
		return "", false
	case escaped:
		return string(Unescape(nil, value[1:end])), true
	}
	return string(value[1:end]), true
}

const hexDigits = "0123456789abcdef"

// AppendString writes a text as a string of JSON, eight bytes at a time where nothing is
// to be escaped. Bytes that are no UTF-8 are kept.
func AppendString[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); i++ {
		if i+8 <= len(text) {
			found := notPlain(eight(text[i : i+8]))
			if found == 0 {
				i += 7
				continue
			}
			i += bits.TrailingZeros64(found) >> 3
		}
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}

// eight are the first eight bytes of a text, the first lowest.
func eight[T string | []byte](text T) uint64 {
	_ = text[7]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}
