package jsonwalk

import (
	"encoding/binary"
	"math/bits"
)

// MaxDepth bounds how deep objects and lists lie in each other.
const MaxDepth = 512

const tooDeep = "is nested deeper than 512"

// Walker is the memory of one walk; Begin starts it. Problem is the first thing
// that was wrong, at ProblemAt.
type Walker struct {
	Text      []byte
	Problem   string
	ProblemAt int

	depth int
}

// Begin starts a walk of a text, which is borrowed until the next one.
func (w *Walker) Begin(text []byte) {
	*w = Walker{Text: text}
}

// Enter notes an object or list that begins at i; Leave its end.
func (w *Walker) Enter(i int) int {
	if w.depth++; w.depth > MaxDepth {
		return w.Bad(i, tooDeep)
	}
	return w.Space(i)
}

// Leave is behind the bracket at i.
func (w *Walker) Leave(i int) int {
	w.depth--
	return i + 1
}

// At tells whether the byte at i is c.
func (w *Walker) At(i int, c byte) bool { return i >= 0 && i < len(w.Text) && w.Text[i] == c }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// StringEnd finds the quotation mark that ends the string whose content begins
// at i, eight bytes at a time. It is -1-offset of what is wrong.
func (w *Walker) StringEnd(i int) (end int, escaped bool) {
	text := w.Text
	for {
		for i+8 <= len(text) {
			if found := notPlain(binary.LittleEndian.Uint64(text[i:])); found != 0 {
				if i += bits.TrailingZeros64(found) >> 3; text[i] == '"' {
					return i, escaped
				}
				break
			}
			i += 8
		}
		for i < len(text) && text[i] != '"' && text[i] != '\\' && text[i] >= ' ' {
			i++
		}
		switch {
		case i == len(text):
			return w.Bad(i, "a string has no end"), false
		case text[i] == '"':
			return i, escaped
		case text[i] != '\\':
			return w.Bad(i, "a control character in a string must be escaped"), false
		}
		size := EscapeSize(text[i:])
		if size == 0 {
			return w.Bad(i, "this escape is none of JSON"), false
		}
		i, escaped = i+size, true
	}
}

// notPlain sets the high bit of bytes that are a quotation mark, a backslash or a
// control character; above the lowest such byte others may have it, too.
func notPlain(x uint64) uint64 {
	// With its second bit turned a quotation mark is a space, and control
	// characters, which stay what they are, come before it.
	slash := x ^ ones*'\\'
	return ((x^ones*2-ones*(' '+1))&^x | (slash-ones)&^slash) & highs
}

// Bad notes the first thing that is wrong, and is negative.
func (w *Walker) Bad(i int, problem string) int {
	if w.Problem == "" {
		w.Problem, w.ProblemAt = problem, i
	}
	return -1
}

// Space is the first place from i on that holds no space.
func (w *Walker) Space(i int) int {
	for i < len(w.Text) && w.Text[i] <= ' ' && (w.Text[i] == ' ' || w.Text[i] == '\n' || w.Text[i] == '\r' || w.Text[i] == '\t') {
		i++
	}
	return i
}

// Skip is where the value that begins at i ends.
func (w *Walker) Skip(i int) int {
	if i == len(w.Text) {
		return w.Bad(i, "ends too early")
	}
	switch c := w.Text[i]; {
	case c == '"':
		if i, _ = w.StringEnd(i + 1); i < 0 {
			return i
		}
		return i + 1
	case c == '{':
		return w.SkipObject(i + 1)
	case c == '[':
		return w.SkipList(i + 1)
	}
	return w.ScalarEnd(i)
}

// ScalarEnd is where the number or word that begins at i ends.
func (w *Walker) ScalarEnd(i int) int {
	word := ""
	switch w.Text[i] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		if end := NumberEnd(w.Text, i); end >= 0 {
			return end
		}
	}
	if rest := w.Text[i:]; word != "" && len(rest) >= len(word) && string(rest[:len(word)]) == word {
		return i + len(word)
	}
	return w.Bad(i, "no value of JSON begins like this")
}

// SkipObject is behind the object whose first bracket is before i.
func (w *Walker) SkipObject(i int) int {
	if i = w.Enter(i); w.At(i, '}') {
		return w.Leave(i)
	}
	for i >= 0 {
		if i, _, _ = w.Name(i); i < 0 {
			return i
		}
		if i = w.Skip(i); i < 0 {
			return i
		}
		if i = w.Space(i); w.At(i, '}') {
			return w.Leave(i)
		}
		i = w.Comma(i)
	}
	return i
}

// SkipList is behind the list whose first bracket is before i.
func (w *Walker) SkipList(i int) int {
	if i = w.Enter(i); w.At(i, ']') {
		return w.Leave(i)
	}
	for i >= 0 {
		if i = w.Skip(i); i < 0 {
			return i
		}
		if i = w.Space(i); w.At(i, ']') {
			return w.Leave(i)
		}
		i = w.Comma(i)
	}
	return i
}

// Name reads "name": and the space round it; the content of the name lies
// between from and the returned place, as it is written.
func (w *Walker) Name(i int) (next int, name []byte, escaped bool) {
	if i >= len(w.Text) || w.Text[i] != '"' {
		return w.Bad(i, "a name in quotation marks is wanted here"), nil, false
	}
	end, escaped := w.StringEnd(i + 1)
	if end < 0 {
		return end, nil, false
	}
	name = w.Text[i+1 : end]
	if i = w.Space(end + 1); i >= len(w.Text) || w.Text[i] != ':' {
		return w.Bad(i, "a colon is wanted here"), nil, false
	}
	return w.Space(i + 1), name, escaped
}

// Comma reads a comma and the space behind it.
func (w *Walker) Comma(i int) int {
	if i >= len(w.Text) || w.Text[i] != ',' {
		return w.Bad(i, "a comma or a closing bracket is wanted here")
	}
	return w.Space(i + 1)
}
