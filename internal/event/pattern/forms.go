package pattern

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A wildcard's payload is its literal parts, each behind a byte of what stands
// before it: literalStar or literalNone, and its length; a star at the end is a
// part of no bytes. So "a*b" is [none, 1, a] [star, 1, b].

const (
	literalNone = 0
	literalStar = 1
)

// compileWildcard reads a text in which * stands for any characters, \* for a
// star and \\ for a backslash; problem says what is wrong with it.
func compileWildcard(text string) (payload, problem string) {
	var out, part []byte
	before, open := byte(literalNone), false
	flush := func() { out = append(appendSize(append(out, before), len(part)), part...) }
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '*':
			if open && len(part) == 0 && before == literalStar {
				return "", "two stars beside each other mean what one does; write one"
			}
			if open || len(part) > 0 {
				flush()
			}
			before, part, open = literalStar, part[:0], true
		case c == '\\':
			if i++; i == len(text) || text[i] != '*' && text[i] != '\\' {
				return "", "a backslash stands before * or another backslash only; write \\\\ for a backslash"
			}
			part, open = append(part, text[i]), true
		default:
			part, open = append(part, c), true
		}
	}
	flush()
	return string(out), ""
}

// fitsWildcard tells whether text is what the payload says. Each part is looked
// for as early as it can be, which is right because only stars lie between.
func fitsWildcard(text []byte, payload string) bool {
	for at := 0; at < len(payload); {
		star := payload[at] == literalStar
		size, next := readSize(payload, at+1)
		part := payload[next : next+size]
		at = next + size
		switch last := at == len(payload); {
		case !star && last:
			return string(text) == part
		case !star:
			if !hasPrefix(text, part) {
				return false
			}
			text = text[size:]
		case last:
			return hasSuffix(text, part)
		default:
			i := indexOf(text, part)
			if i < 0 {
				return false
			}
			text = text[i+size:]
		}
	}
	return false
}

// indexOf is bytes.Index for a string, without a copy of it.
func indexOf(text []byte, part string) int {
	for from := 0; len(text)-from >= len(part); {
		i := bytes.IndexByte(text[from:len(text)-len(part)+1], part[0])
		if i < 0 {
			return -1
		}
		if from += i; string(text[from:from+len(part)]) == part {
			return from
		}
		from++
	}
	return -1
}

// wildcardEnds are the literal text before the first star and behind the last.
func wildcardEnds(payload string) (head, tail string) {
	for at := 0; at < len(payload); {
		star := payload[at] == literalStar
		size, next := readSize(payload, at+1)
		at = next + size
		if !star {
			head = payload[next:at]
		}
		if star || at == len(payload) {
			tail = payload[next:at]
		}
	}
	return head, tail
}

// Equals-ignore-case compares character by character: a character of the pattern
// fits its lower-case form and its upper-case form, in full, so ß fits ß and SS.
// It is no folding of both sides: what another character becomes is not asked, so
// k does not fit the Kelvin sign, though the Kelvin sign fits k. This is what
// EventBridge does.

// wideUpper are upper-case forms of more than one character (Unicode,
// SpecialCasing.txt, the entries without conditions), by the character.
var wideUpper = func() map[rune]string {
	m := map[rune]string{
		0x00df: "SS", 0x0149: "\u02bcN", 0x01f0: "J\u030c", 0x0390: "\u0399\u0308\u0301",
		0x03b0: "\u03a5\u0308\u0301", 0x0587: "\u0535\u0552", 0x1e96: "H\u0331", 0x1e97: "T\u0308",
		0x1e98: "W\u030a", 0x1e99: "Y\u030a", 0x1e9a: "A\u02be", 0x1f50: "\u03a5\u0313",
		0x1f52: "\u03a5\u0313\u0300", 0x1f54: "\u03a5\u0313\u0301", 0x1f56: "\u03a5\u0313\u0342", 0x1fb6: "\u0391\u0342",
		0x1fc6: "\u0397\u0342", 0x1fd2: "\u0399\u0308\u0300", 0x1fd3: "\u0399\u0308\u0301", 0x1fd6: "\u0399\u0342",
		0x1fd7: "\u0399\u0308\u0342", 0x1fe2: "\u03a5\u0308\u0300", 0x1fe3: "\u03a5\u0308\u0301", 0x1fe4: "\u03a1\u0313",
		0x1fe6: "\u03a5\u0342", 0x1fe7: "\u03a5\u0308\u0342", 0x1ff6: "\u03a9\u0342", 0x1fb3: "\u0391\u0399",
		0x1fbc: "\u0391\u0399", 0x1fc3: "\u0397\u0399", 0x1fcc: "\u0397\u0399", 0x1ff3: "\u03a9\u0399",
		0x1ffc: "\u03a9\u0399", 0x1fb2: "\u1fba\u0399", 0x1fb4: "\u0386\u0399", 0x1fc2: "\u1fca\u0399",
		0x1fc4: "\u0389\u0399", 0x1ff2: "\u1ffa\u0399", 0x1ff4: "\u038f\u0399", 0x1fb7: "\u0391\u0342\u0399",
		0x1fc7: "\u0397\u0342\u0399", 0x1ff7: "\u03a9\u0342\u0399", 0xfb00: "FF", 0xfb01: "FI",
		0xfb02: "FL", 0xfb03: "FFI", 0xfb04: "FFL", 0xfb05: "ST",
		0xfb06: "ST", 0xfb13: "\u0544\u0546", 0xfb14: "\u0544\u0535", 0xfb15: "\u0544\u053b",
		0xfb16: "\u054e\u0546", 0xfb17: "\u0544\u053d",
	}
	// Greek with iota below: the capital, and a capital iota.
	for _, row := range []struct{ first, capital rune }{{0x1f80, 0x1f08}, {0x1f90, 0x1f28}, {0x1fa0, 0x1f68}} {
		for i := range rune(16) {
			m[row.first+i] = string(row.capital+i%8) + "\u0399"
		}
	}
	return m
}()

// cases are the forms of one character.
func cases(r rune) (lower, upper string) {
	lower, upper = string(unicode.ToLower(r)), string(unicode.ToUpper(r))
	if r == 0x130 { // capital I with a dot
		lower = "i\u0307"
	}
	if wide, ok := wideUpper[r]; ok {
		upper = wide
	}
	return lower, upper
}

// isASCII tells that a text has no other characters.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldWide is what wide tests hold: per character its two forms, each behind its
// length.
func foldWide(s string) string {
	var b strings.Builder
	for _, r := range s {
		lower, upper := cases(r)
		b.WriteByte(byte(len(lower)))
		b.WriteString(lower)
		b.WriteByte(byte(len(upper)))
		b.WriteString(upper)
	}
	return b.String()
}

// fitsASCII tells whether text is folded, an ASCII text in lower case, but for
// the case of its letters.
func fitsASCII(text []byte, folded string) bool {
	if len(text) != len(folded) {
		return false
	}
	for i, c := range text {
		if lowerASCII(c) != folded[i] {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

// fitsWideHead tells whether text begins with what wide says, and how many bytes
// that takes. No form of a character is the beginning of its other one, so there
// is at most one way.
func fitsWideHead(text []byte, wide string) (size int, ok bool) {
	for at := 0; at < len(wide); {
		lower, upper, next := wideCases(wide, at)
		switch rest := text[size:]; {
		case hasPrefix(rest, lower):
			size += len(lower)
		case hasPrefix(rest, upper):
			size += len(upper)
		default:
			return 0, false
		}
		at = next
	}
	return size, true
}

// fitsWideTail tells whether text ends with what wide says.
func fitsWideTail(text []byte, wide string) bool {
	// Forms differ in length, so the place where the end may begin is not known:
	// each is tried. There are at most as many as the longest forms have bytes.
	shortest, longest := 0, 0
	for at := 0; at < len(wide); {
		lower, upper, next := wideCases(wide, at)
		shortest += min(len(lower), len(upper))
		longest += max(len(lower), len(upper))
		at = next
	}
	for size := shortest; size <= min(longest, len(text)); size++ {
		if got, ok := fitsWideHead(text[len(text)-size:], wide); ok && got == size {
			return true
		}
	}
	return false
}

func wideCases(wide string, at int) (lower, upper string, next int) {
	n := int(wide[at])
	lower = wide[at+1 : at+1+n]
	at += 1 + n
	n = int(wide[at])
	return lower, wide[at+1 : at+1+n], at + 1 + n
}

func hasPrefix(text []byte, p string) bool {
	return len(text) >= len(p) && string(text[:len(p)]) == p
}

func hasSuffix(text []byte, p string) bool {
	return len(text) >= len(p) && string(text[len(text)-len(p):]) == p
}
