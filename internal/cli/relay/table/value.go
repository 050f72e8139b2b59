package table

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// mostID bounds the bytes of an id: those of many rows are written down at once.
const mostID = 1024

// idOf takes what rows are found by again.
func idOf(v any) (any, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case string:
		if len(v) > mostID {
			return nil, fmt.Errorf("it has %d bytes; an id has up to %d", len(v), mostID)
		}
		return v, nil
	case nil:
		return nil, errors.New("it is NULL")
	}
	return nil, fmt.Errorf("an id is a whole number or a text, and this is %T", v)
}

// textOf gives a value as text; NULL is "".
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case int32, int16:
		return fmt.Sprint(v), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	}
	return "", fmt.Errorf("%T is not understood", v)
}

// bytesOf gives a payload; NULL is nil.
func bytesOf(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return append([]byte{}, v...), nil
	}
	text, err := textOf(v)
	return []byte(text), err
}

// layouts are how databases without times write them, in UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999"}

// timeOf gives a time as RFC 3339; NULL is "".
func timeOf(v any) (string, error) {
	text, err := textOf(v)
	if err != nil || text == "" {
		return "", err
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, text); err == nil {
			return t.UTC().Format(time.RFC3339Nano), nil
		}
	}
	return "", fmt.Errorf("%.60q is no time; want a timestamp, or a text as 2026-11-26T16:00:00Z", text)
}
