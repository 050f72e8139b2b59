package jsonwalk

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeSize is how long an escape of JSON is, 0 for none.
func EscapeSize(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	if strings.IndexByte(`"\/bfnrt`, text[1]) >= 0 {
		return 2
	}
	if text[1] != 'u' || len(text) < 6 {
		return 0
	}
	for _, c := range text[2:6] {
		if !isHex(c) {
			return 0
		}
	}
	return 6
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// Unescape adds what an escaped string means to out. Half of a pair of
// surrogates becomes U+FFFD.
func Unescape(out, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			out = append(out, text[i])
			i++
			continue
		}
		if text[i+1] != 'u' {
			out = append(out, escapes[text[i+1]])
			i += 2
			continue
		}
		c := fourHex(text[i+2:])
		i += 6
		if utf16.IsSurrogate(c) {
			both := rune(utf8.RuneError)
			if i+6 <= len(text) && text[i] == '\\' && text[i+1] == 'u' {
				both = utf16.DecodeRune(c, fourHex(text[i+2:]))
			}
			if c = both; c != utf8.RuneError {
				i += 6
			}
		}
		out = utf8.AppendRune(out, c)
	}
	return out
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func fourHex(text []byte) (c rune) {
	for _, h := range text[:4] {
		c = c<<4 | rune(HexDigit(h))
	}
	return c
}

// NumberEnd is where the number of JSON that begins at i ends, -1 if there is
// none.
func NumberEnd(text []byte, i int) int {
	if i < len(text) && text[i] == '-' {
		i++
	}
	switch {
	case i == len(text) || text[i]-'0' > 9:
		return -1
	case text[i] == '0':
		i++
	default:
		i = digitsEnd(text, i)
	}
	if i < len(text) && text[i] == '.' {
		from := i + 1
		if i = digitsEnd(text, from); i == from {
			return -1
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		from := i
		if i = digitsEnd(text, from); i == from {
			return -1
		}
	}
	return i
}

func digitsEnd(text []byte, i int) int {
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	return i
}

// HexDigit is what a hexadecimal digit means.
func HexDigit(c byte) int {
	switch {
	case c <= '9':
		return int(c - '0')
	case c <= 'F':
		return int(c-'A') + 10
	}
	return int(c-'a') + 10
}
