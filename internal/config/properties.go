package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parseProperties reads Java's properties format as Kafka reads its
// server.properties: comments with # or !, a key ended by =, : or space, lines
// continued by a backslash, escapes. The last of two equal keys wins, as in
// Java. Unlike Java, bytes above ASCII are read as UTF-8.
func parseProperties(file, content string) ([]Setting, error) {
	if !utf8.ValidString(content) {
		return nil, fmt.Errorf("%s is not a text in UTF-8", file)
	}
	var out []Setting
	p := propertyLines{lines: splitLines(content)}
	for p.next() {
		key, value, col := splitProperty(p.logical)
		at := Place{What: file, Line: p.line, Col: p.indent + 1, text: p.first}
		k, err := unescape(key)
		if err != nil {
			return nil, Mistakes{{At: at, What: err.Error()}}
		}
		at.Col = p.indent + col
		v, err := unescape(value)
		if err != nil {
			return nil, Mistakes{{At: at, What: err.Error()}}
		}
		if at.Col > len(p.first) { // the value stands on a continued line
			at.Col = p.indent + 1
		}
		name := at
		name.Col = p.indent + 1
		out = append(out, Setting{Name: k, Value: v, From: at, key: name})
	}
	return out, nil
}

func splitLines(s string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n")
}

// propertyLines joins natural lines into logical ones.
type propertyLines struct {
	lines []string
	at    int

	line    int    // number of the first natural line, from 1
	first   string // that line
	indent  int    // bytes of blanks in front of it
	logical string
}

func (p *propertyLines) next() bool {
	for p.at < len(p.lines) {
		p.first = p.lines[p.at]
		p.at++
		text := strings.TrimLeft(p.first, " \t\f")
		if text == "" || text[0] == '#' || text[0] == '!' {
			continue
		}
		p.line, p.indent = p.at, len(p.first)-len(text)
		var b strings.Builder
		for continued(text) {
			b.WriteString(text[:len(text)-1])
			if p.at >= len(p.lines) {
				text = ""
				break
			}
			text = strings.TrimLeft(p.lines[p.at], " \t\f")
			p.at++
		}
		b.WriteString(text)
		p.logical = b.String()
		return true
	}
	return false
}

// continued tells whether a line ends in an odd number of backslashes.
func continued(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

// splitProperty finds key and value; col is the value's column in line, from 1.
func splitProperty(line string) (key, value string, col int) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if c := line[i]; c == '\\' {
			i++
		} else if c == '=' || c == ':' || c == ' ' || c == '\t' || c == '\f' {
			end = i
			break
		}
	}
	rest := strings.TrimLeft(line[end:], " \t\f")
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], " \t\f")
	}
	return line[:end], rest, len(line) - len(rest) + 1
}

var errEscape = `\u needs four hexadecimal digits`

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			r, n, err := unicodeEscape(s[i-1:])
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			i += n - 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// unicodeEscape reads \uXXXX, or two of them that form a surrogate pair, and
// tells how many bytes it took.
func unicodeEscape(s string) (rune, int, error) {
	one := func(s string) (rune, bool) {
		if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(s[2:6], 16, 16)
		return rune(n), err == nil
	}
	r, ok := one(s)
	if !ok {
		return 0, 0, fmt.Errorf("%s", errEscape)
	}
	if utf16.IsSurrogate(r) {
		if low, ok := one(s[6:]); ok {
			return utf16.DecodeRune(r, low), 12, nil
		}
		return utf8.RuneError, 6, nil
	}
	return r, 6, nil
}
