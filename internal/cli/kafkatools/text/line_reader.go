package text

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/words"
)

// LineClass is Kafka's reader of lines, the only one there is here.
const LineClass = "org.apache.kafka.tools.LineMessageReader"

// LineReader turns lines into records as Kafka's LineMessageReader does.
type LineReader struct {
	topic                                 string
	parseKey, parseHeaders, ignoreError   bool
	keySeparator, headersDelimiter        string
	headersSeparator, headersKeySeparator string
	nullMarker                            *string
	number                                int // of the line last read, from 1
}

// NewLineReader makes a reader of lines from the properties of Kafka's
// LineMessageReader.
func NewLineReader(topic string, p settings.Properties) (*LineReader, error) {
	or := func(name, otherwise string) string {
		if v, ok := p[name]; ok {
			return v
		}
		return otherwise
	}
	r := &LineReader{
		topic: topic, parseKey: isTrue(p["parse.key"]), parseHeaders: isTrue(p["parse.headers"]), ignoreError: isTrue(p["ignore.error"]),
		keySeparator: or("key.separator", "\t"), headersDelimiter: or("headers.delimiter", "\t"),
		headersSeparator: or("headers.separator", ","), headersKeySeparator: or("headers.key.separator", ":"),
	}
	if m, ok := p["null.marker"]; ok {
		r.nullMarker = &m
	}
	different := []struct{ a, b, x, y string }{
		{"headers.delimiter", "headers.separator", r.headersDelimiter, r.headersSeparator},
		{"headers.delimiter", "headers.key.separator", r.headersDelimiter, r.headersKeySeparator},
		{"headers.separator", "headers.key.separator", r.headersSeparator, r.headersKeySeparator},
	}
	if r.nullMarker != nil {
		for name, v := range map[string]string{"key.separator": r.keySeparator, "headers.separator": r.headersSeparator,
			"headers.delimiter": r.headersDelimiter, "headers.key.separator": r.headersKeySeparator} {
			different = append(different, struct{ a, b, x, y string }{"null.marker", name, *r.nullMarker, v})
		}
	}
	for _, d := range different {
		if d.x == d.y {
			return nil, words.New("%s and %s may not be equal", d.a, d.b)
		}
	}
	return r, nil
}

func isTrue(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "true") }

// Record parses one line.
func (r *LineReader) Record(line string) (*kgo.Record, error) {
	r.number++
	headers, rest, hasHeaders, err := r.cut(r.parseHeaders, line, line, r.headersDelimiter, "headers delimiter")
	if err != nil {
		return nil, err
	}
	key, value, hasKey, err := r.cut(r.parseKey, line, rest, r.keySeparator, "key separator")
	if err != nil {
		return nil, err
	}
	out := &kgo.Record{Topic: r.topic, Value: r.bytes(value)}
	if hasKey {
		out.Key = r.bytes(key)
	}
	if hasHeaders && !r.isNull(headers) {
		if out.Headers, err = r.headers(headers); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *LineReader) cut(enabled bool, line, rest, separator, name string) (before, after string, found bool, err error) {
	if !enabled {
		return "", rest, false, nil
	}
	before, after, found = strings.Cut(rest, separator)
	switch {
	case found:
		return before, after, true, nil
	case r.ignoreError:
		return "", rest, false, nil
	}
	return "", "", false, words.New("No %s found on line number %d: '%s'", name, r.number, line)
}

func (r *LineReader) isNull(s string) bool { return r.nullMarker != nil && s == *r.nullMarker }

func (r *LineReader) bytes(s string) []byte {
	if r.isNull(s) {
		return nil
	}
	return []byte(s)
}

func (r *LineReader) headers(list string) ([]kgo.RecordHeader, error) {
	var out []kgo.RecordHeader
	for pair := range strings.SplitSeq(list, r.headersSeparator) {
		key, value, found := strings.Cut(pair, r.headersKeySeparator)
		switch {
		case !found && !r.ignoreError:
			return nil, words.New("No header key separator found in pair '%s' on line number %d", pair, r.number)
		case !found:
			out = append(out, kgo.RecordHeader{Key: pair})
		case r.isNull(key):
			return nil, words.New("Header keys should not be equal to the null marker '%s' as they can't be null", key)
		default:
			out = append(out, kgo.RecordHeader{Key: key, Value: r.bytes(value)})
		}
	}
	return out, nil
}

// maxLine bounds one line; the server's limit (max.message.bytes) is usually
// far below.
const maxLine = 64 << 20

// EachLine hands every line of in to use; lines end as Java's readLine ends
// them: \n, \r or \r\n. prompt is called before each line is read.
func EachLine(in io.Reader, prompt func(), use func(string) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	lines.Split(javaLines)
	for prompt(); lines.Scan(); prompt() {
		if err := use(lines.Text()); err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("a line is longer than %d bytes: %w", maxLine, err)
	} else if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return nil
}

func javaLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && !atEOF, i == len(data)-1 && i >= 0 && data[i] == '\r' && !atEOF:
		return 0, nil, nil // more is needed: to end the line, or to see whether \n follows
	case i < 0 && len(data) == 0:
		return 0, nil, nil
	case i < 0:
		return len(data), data, nil
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	}
	return i + 1, data[:i], nil
}
