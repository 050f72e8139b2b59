package protocol

import (
	"encoding/base64"
	"unicode/utf8"
)

// Appended are answers that write themselves as encoding/json would, without
// reflection: those of calls that are made all the time.
type Appended interface {
	// AppendJSON appends the answer.
	AppendJSON(b []byte) []byte
}

// AppendText appends a text in quotes, as encoding/json writes it.
func AppendText(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	begin := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				b = append(append(b, text[begin:i]...), `\ufffd`...)
			case r == '\u2028' || r == '\u2029':
				b = append(append(b, text[begin:i]...), `\u202`...)
				b = append(b, hex[r&0xF])
			default:
				i += size
				continue
			}
			i += size
			begin = i
			continue
		}
		b = append(b, text[begin:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		}
		i++
		begin = i
	}
	return append(append(b, text[begin:]...), '"')
}

// AppendField appends a name that needs no escapes, behind what is before it in its
// object, and its colon.
func AppendField(b []byte, name string) []byte {
	return append(append(append(comma(b), '"'), name...), '"', ':')
}

// AppendKey is AppendField for any text.
func AppendKey(b []byte, name string) []byte {
	return append(AppendText(comma(b), name), ':')
}

// comma parts what comes from what is before it in an object.
func comma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// AppendTextField appends a name and a text.
func AppendTextField(b []byte, name, text string) []byte {
	return AppendText(AppendField(b, name), text)
}

// AppendBytes appends bytes in base64, as encoding/json writes them.
func AppendBytes(b, raw []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), raw), '"')
}

// AppendList appends the items of a list.
func AppendList[T any](b []byte, items []T, item func([]byte, *T) []byte) []byte {
	b = append(b, '[')
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, &items[i])
	}
	return append(b, ']')
}
