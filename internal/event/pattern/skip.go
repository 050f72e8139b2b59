package pattern

import (
	"encoding/binary"
	"math/bits"
)

// What no rule names is checked for JSON's grammar and not looked at: most of an
// event is that.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringEnd finds the quotation mark that ends the string whose content begins
// at i, eight bytes at a time. It is -1-offset of what is wrong.
func (m *Matcher) stringEnd(i int) (end int, escaped bool) {
	text := m.text
	for {
		for i+8 <= len(text) {
			x := binary.LittleEndian.Uint64(text[i:])
			// Bytes that are a quotation mark, a backslash or a control character
			// have their high bit set; above the lowest such byte others may, too.
			quote, slash := x^(ones*'"'), x^(ones*'\\')
			found := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
			if found != 0 {
				i += bits.TrailingZeros64(found) >> 3
				break
			}
			i += 8
		}
		for i < len(text) && text[i] != '"' && text[i] != '\\' && text[i] >= ' ' {
			i++
		}
		switch {
		case i == len(text):
			return m.bad(i, "a string has no end"), false
		case text[i] == '"':
			return i, escaped
		case text[i] != '\\':
			return m.bad(i, "a control character in a string must be escaped"), false
		}
		size := escapeSize(text[i:])
		if size == 0 {
			return m.bad(i, "this escape is none of JSON"), false
		}
		i, escaped = i+size, true
	}
}

// bad notes the first thing that is wrong, and is negative.
func (m *Matcher) bad(i int, problem string) int {
	if m.problem == "" {
		m.problem, m.problemAt = problem, i
	}
	return -1
}

func (m *Matcher) space(i int) int {
	for i < len(m.text) && m.text[i] <= ' ' && (m.text[i] == ' ' || m.text[i] == '\n' || m.text[i] == '\r' || m.text[i] == '\t') {
		i++
	}
	return i
}

// skip is where the value that begins at i ends.
func (m *Matcher) skip(i int) int {
	if i == len(m.text) {
		return m.bad(i, "ends too early")
	}
	switch c := m.text[i]; {
	case c == '"':
		if i, _ = m.stringEnd(i + 1); i < 0 {
			return i
		}
		return i + 1
	case c == '{':
		return m.skipObject(i + 1)
	case c == '[':
		return m.skipList(i + 1)
	}
	return m.scalarEnd(i)
}

// scalarEnd is where the number or word that begins at i ends.
func (m *Matcher) scalarEnd(i int) int {
	for _, w := range [...]string{"true", "false", "null"} {
		if m.text[i] == w[0] && hasPrefix(m.text[i:], w) {
			return i + len(w)
		}
	}
	if end := numberEnd(m.text, i); end >= 0 {
		return end
	}
	return m.bad(i, "no value of JSON begins like this")
}

func (m *Matcher) skipObject(i int) int {
	if m.depth++; m.depth > MaxEventDepth {
		return m.bad(i, "is nested deeper than 512")
	}
	if i = m.space(i); i < len(m.text) && m.text[i] == '}' {
		m.depth--
		return i + 1
	}
	for i >= 0 {
		if i, _, _ = m.name(i); i < 0 {
			return i
		}
		if i = m.skip(i); i < 0 {
			return i
		}
		if i = m.space(i); i < len(m.text) && m.text[i] == '}' {
			m.depth--
			return i + 1
		}
		i = m.comma(i)
	}
	return i
}

func (m *Matcher) skipList(i int) int {
	if m.depth++; m.depth > MaxEventDepth {
		return m.bad(i, "is nested deeper than 512")
	}
	if i = m.space(i); i < len(m.text) && m.text[i] == ']' {
		m.depth--
		return i + 1
	}
	for i >= 0 {
		if i = m.skip(i); i < 0 {
			return i
		}
		if i = m.space(i); i < len(m.text) && m.text[i] == ']' {
			m.depth--
			return i + 1
		}
		i = m.comma(i)
	}
	return i
}

// name reads "name": and the space round it; the content of the name lies
// between from and the returned place, as it is written.
func (m *Matcher) name(i int) (next int, name []byte, escaped bool) {
	if i >= len(m.text) || m.text[i] != '"' {
		return m.bad(i, "a name in quotation marks is wanted here"), nil, false
	}
	end, escaped := m.stringEnd(i + 1)
	if end < 0 {
		return end, nil, false
	}
	name = m.text[i+1 : end]
	if i = m.space(end + 1); i >= len(m.text) || m.text[i] != ':' {
		return m.bad(i, "a colon is wanted here"), nil, false
	}
	return m.space(i + 1), name, escaped
}

// comma reads a comma and the space behind it.
func (m *Matcher) comma(i int) int {
	if i >= len(m.text) || m.text[i] != ',' {
		return m.bad(i, "a comma or a closing bracket is wanted here")
	}
	return m.space(i + 1)
}
