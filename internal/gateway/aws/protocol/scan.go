package protocol

import (
	"bytes"
	"iter"
	"strconv"
	"unicode/utf8"
)

// Scanned are inputs that read themselves from JSON as clients write it, without
// reflection: those of calls that are made all the time.
type Scanned interface {
	// ScanJSON reads an object. Whatever is not as it expects it gives up; then
	// the object is read by reflection, from nothing.
	ScanJSON(s *Scanner)
}

// Scanner reads the JSON that clients write: known names, each once, texts, whole
// numbers, lists and objects. Anything else, valid or not, it gives up; so there is
// one judge of what is right, encoding/json.
type Scanner struct {
	b     []byte
	at    int
	fresh bool // an object or a list was opened, and nothing of it read
	bad   bool
}

// Scan reads a whole body, which is UTF-8; false when it was given up, and into has
// something of it or nothing.
func Scan(body []byte, into Scanned) bool {
	s := Scanner{b: body}
	into.ScanJSON(&s)
	s.space()
	return !s.bad && s.at == len(s.b)
}

// GiveUp ends the reading.
func (s *Scanner) GiveUp() { s.bad = true }

func (s *Scanner) space() {
	for s.at < len(s.b) && (s.b[s.at] == ' ' || s.b[s.at] == '\n' || s.b[s.at] == '\r' || s.b[s.at] == '\t') {
		s.at++
	}
}

// take reads one byte behind spaces, if it is that one.
func (s *Scanner) take(c byte) bool {
	if s.bad {
		return false
	}
	s.space()
	if s.at >= len(s.b) || s.b[s.at] != c {
		return false
	}
	s.at++
	return true
}

func (s *Scanner) want(c byte) {
	if !s.take(c) {
		s.bad = true
	}
}

// Fields reads an object: the names of its fields, views, in turn. Each one's value is
// to be read before the next.
func (s *Scanner) Fields() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s.begin('{')
		for s.more('}') {
			if name, ok := s.name(); !ok || !yield(name) {
				return
			}
		}
	}
}

// name reads a field's name and its colon.
func (s *Scanner) name() ([]byte, bool) {
	s.want('"')
	if s.bad {
		return nil, false
	}
	n := bytes.IndexByte(s.b[s.at:], '"')
	if n < 0 || !bare(s.b[s.at:][:n]) {
		s.bad = true
		return nil, false
	}
	name := s.b[s.at:][:n]
	s.at += n + 1
	s.want(':')
	return name, !s.bad
}

// List begins a list; Item reads on.
func (s *Scanner) List() { s.begin('[') }

// Item tells whether a list has another item, which is to be read then.
func (s *Scanner) Item() bool { return s.more(']') }

func (s *Scanner) begin(c byte) {
	s.want(c)
	s.fresh = true
}

func (s *Scanner) more(end byte) bool {
	fresh := s.fresh
	s.fresh = false
	if s.take(end) {
		return false
	}
	if !fresh {
		s.want(',')
	}
	return !s.bad
}

// bare tells a text that is as it is written.
func bare(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == '\\' {
			return false
		}
	}
	return true
}

// Text reads a text.
func (s *Scanner) Text() string {
	s.want('"')
	if s.bad {
		return ""
	}
	rest := s.b[s.at:]
	for i, c := range rest {
		switch {
		case c == '"':
			s.at += i + 1
			return string(rest[:i])
		case c == '\\':
			return s.escaped(i)
		case c < ' ':
			s.bad = true
			return ""
		}
	}
	s.bad = true
	return ""
}

// escaped reads a text whose first n bytes are bare.
func (s *Scanner) escaped(n int) string {
	rest := s.b[s.at:]
	end := n
	for end < len(rest) && rest[end] != '"' {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(rest) {
		s.bad = true
		return ""
	}
	s.at += end + 1
	out := append(make([]byte, 0, end), rest[:n]...)
	for rest = rest[n:end]; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			i = len(rest)
		}
		if !bare(rest[:i]) {
			s.bad = true
			return ""
		}
		out, rest = append(out, rest[:i]...), rest[i:]
		if len(rest) > 0 {
			out, rest = s.escape(out, rest)
		}
	}
	return string(out)
}

// escape reads one escape; surrogates are given up.
func (s *Scanner) escape(out, rest []byte) ([]byte, []byte) {
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), rest[1]); i >= 0 {
		return append(out, "\"\\/\b\f\n\r\t"[i]), rest[2:]
	}
	if rest[1] == 'u' && len(rest) >= 6 {
		n, err := strconv.ParseUint(string(rest[2:6]), 16, 16)
		if err == nil && (n < 0xD800 || n > 0xDFFF) {
			return utf8.AppendRune(out, rune(n)), rest[6:]
		}
	}
	s.bad = true
	return out, nil
}

// mostDigits keeps numbers far from what 64 bits hold.
const mostDigits = 15

// Number reads a whole number.
func (s *Scanner) Number() int64 {
	negative := s.take('-') // or it has passed spaces, which none may follow a sign
	begin, n := s.at, int64(0)
	for s.at < len(s.b) && s.b[s.at]-'0' < 10 {
		n = n*10 + int64(s.b[s.at]-'0')
		if s.at++; s.at-begin > mostDigits {
			s.bad = true
			return 0
		}
	}
	if s.at == begin || s.b[begin] == '0' && s.at > begin+1 {
		s.bad = true
	}
	if negative {
		return -n
	}
	return n
}
