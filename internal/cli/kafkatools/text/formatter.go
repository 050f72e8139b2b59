package text

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/words"
)

const FormatterPackage = "org.apache.kafka.tools.consumer."

// Formatter writes one record.
type Formatter func(io.Writer, *kgo.Record) error

// NewFormatter finds the formatter of a class name of Kafka's.
func NewFormatter(class string, p settings.Properties) (Formatter, error) {
	switch strings.TrimPrefix(class, FormatterPackage) {
	case "DefaultMessageFormatter", "kafka.tools.DefaultMessageFormatter":
		f, err := newDefaultFormatter(p)
		if err != nil {
			return nil, err
		}
		return f.write, nil
	case "NoOpMessageFormatter", "kafka.tools.NoOpMessageFormatter":
		return func(io.Writer, *kgo.Record) error { return nil }, nil
	case "LoggingMessageFormatter", "kafka.tools.LoggingMessageFormatter":
		f, err := newDefaultFormatter(p)
		if err != nil {
			return nil, err
		}
		return f.logged, nil
	case "OffsetsMessageFormatter":
		return offsetsFormat, nil
	case "GroupMetadataMessageFormatter":
		return groupMetadataFormat, nil
	}
	return nil, words.New("The formatter %s is Java code, which this tool cannot run; it has DefaultMessageFormatter, LoggingMessageFormatter, NoOpMessageFormatter, OffsetsMessageFormatter and GroupMetadataMessageFormatter of %s", class, strings.TrimSuffix(FormatterPackage, "."))
}

// defaultFormatter is Kafka's DefaultMessageFormatter: fields that were asked
// for, between separators, in a fixed order.
type defaultFormatter struct {
	timestamp, partition, offset, delivery, epoch, headers, key, value bool
	keySeparator, lineSeparator, headersSeparator, nullLiteral         string
	keyText, valueText, headerText                                     decoder
}

func newDefaultFormatter(p settings.Properties) (*defaultFormatter, error) {
	or := func(name, otherwise string) string {
		if v, ok := p[name]; ok {
			return v
		}
		return otherwise
	}
	f := &defaultFormatter{
		timestamp: isTrue(p["print.timestamp"]), partition: isTrue(p["print.partition"]), offset: isTrue(p["print.offset"]),
		delivery: isTrue(p["print.delivery"]), epoch: isTrue(p["print.epoch"]), headers: isTrue(p["print.headers"]),
		key: isTrue(p["print.key"]), value: isTrue(or("print.value", "true")),
		keySeparator: or("key.separator", "\t"), lineSeparator: or("line.separator", "\n"),
		headersSeparator: or("headers.separator", ","), nullLiteral: or("null.literal", "null"),
	}
	var err error
	for name, into := range map[string]*decoder{"key.deserializer": &f.keyText, "value.deserializer": &f.valueText, "headers.deserializer": &f.headerText} {
		if *into, err = decoderOf(p[name]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *defaultFormatter) write(w io.Writer, r *kgo.Record) error {
	var fields []string
	if f.timestamp {
		fields = append(fields, timestampOf(r))
	}
	if f.partition {
		fields = append(fields, fmt.Sprintf("Partition:%d", r.Partition))
	}
	if f.offset {
		fields = append(fields, fmt.Sprintf("Offset:%d", r.Offset))
	}
	if f.delivery {
		fields = append(fields, "Delivery:NOT_PRESENT")
	}
	if f.epoch {
		fields = append(fields, "Epoch:NOT_PRESENT") // Kafka's console consumer drops the epoch before it prints
	}
	if f.headers {
		text, err := f.headerList(r)
		if err != nil {
			return err
		}
		fields = append(fields, text)
	}
	if f.key {
		text, err := f.decode(f.keyText, r.Key)
		if err != nil {
			return fmt.Errorf("key of %s-%d at %d: %w", r.Topic, r.Partition, r.Offset, err)
		}
		fields = append(fields, text)
	}
	if f.value {
		text, err := f.decode(f.valueText, r.Value)
		if err != nil {
			return fmt.Errorf("value of %s-%d at %d: %w", r.Topic, r.Partition, r.Offset, err)
		}
		fields = append(fields, text)
	}
	if len(fields) == 0 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(fields, f.keySeparator)+f.lineSeparator)
	return err
}

// logged is Kafka's LoggingMessageFormatter, whose log goes to the output.
func (f *defaultFormatter) logged(w io.Writer, r *kgo.Record) error {
	if err := f.write(w, r); err != nil {
		return err
	}
	stamp := ""
	if t := timestampOf(r); t != noTimestamp {
		stamp = t + ", "
	}
	_, err := fmt.Fprintf(w, "%skey:%s, value:%s\n", stamp, textOrNull(r.Key), textOrNull(r.Value))
	return err
}

func (f *defaultFormatter) headerList(r *kgo.Record) (string, error) {
	if len(r.Headers) == 0 {
		return "NO_HEADERS", nil
	}
	var all []string
	for _, h := range r.Headers {
		text, err := f.decode(f.headerText, h.Value)
		if err != nil {
			return "", fmt.Errorf("header %s of %s-%d at %d: %w", h.Key, r.Topic, r.Partition, r.Offset, err)
		}
		all = append(all, h.Key+":"+text)
	}
	return strings.Join(all, f.headersSeparator), nil
}

func (f *defaultFormatter) decode(d decoder, b []byte) (string, error) {
	if b == nil {
		return f.nullLiteral, nil
	}
	if d == nil {
		return string(b), nil
	}
	return d(b)
}

func textOrNull(b []byte) string {
	if b == nil {
		return "null"
	}
	return string(b)
}

const noTimestamp = "NO_TIMESTAMP"

func timestampOf(r *kgo.Record) string {
	switch r.Attrs.TimestampType() {
	case 0:
		return fmt.Sprintf("CreateTime:%d", r.Timestamp.UnixMilli())
	case 1:
		return fmt.Sprintf("LogAppendTime:%d", r.Timestamp.UnixMilli())
	}
	return noTimestamp
}

// decoder turns bytes into what Java's toString of the value prints.
type decoder func([]byte) (string, error)

func decoderOf(class string) (decoder, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(class, "org.apache.kafka.common.serialization."), "Deserializer")
	sized := func(n int, text func([]byte) string) decoder {
		return func(b []byte) (string, error) {
			if len(b) != n {
				return "", words.New("Size of data received by %sDeserializer is not %d", name, n)
			}
			return text(b), nil
		}
	}
	switch name {
	case "", "ByteArray", "Bytes", "ByteBuffer":
		return nil, nil
	case "String":
		return func(b []byte) (string, error) { return string(bytes.ToValidUTF8(b, []byte("\uFFFD"))), nil }, nil
	case "Long":
		return sized(8, func(b []byte) string { return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10) }), nil
	case "Integer":
		return sized(4, func(b []byte) string { return strconv.FormatInt(int64(int32(binary.BigEndian.Uint32(b))), 10) }), nil
	case "Short":
		return sized(2, func(b []byte) string { return strconv.FormatInt(int64(int16(binary.BigEndian.Uint16(b))), 10) }), nil
	case "Double":
		return sized(8, func(b []byte) string { return words.JavaDouble(math.Float64frombits(binary.BigEndian.Uint64(b))) }), nil
	case "Float":
		return sized(4, func(b []byte) string {
			return words.JavaDouble(float64(math.Float32frombits(binary.BigEndian.Uint32(b))))
		}), nil
	case "Boolean":
		return sized(1, func(b []byte) string { return strconv.FormatBool(b[0] == 1) }), nil
	case "UUID":
		return func(b []byte) (string, error) { return string(b), nil }, nil
	}
	return nil, words.New("The deserializer %s is Java code, which this tool cannot run", class)
}
