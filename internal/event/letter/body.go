package letter

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
)

// body is a body that is parsed when it is first asked for.
type body struct {
	parsed bool
	value  any // nil where it is no JSON
}

// at gives the value at a path as a text: a string as it is, numbers as they are
// written, objects and arrays as JSON. It is false where there is none.
func (b *body) at(raw []byte, path []string) (string, bool) {
	if !b.parsed {
		b.parsed, b.value = true, parseBody(raw)
	}
	v := b.value
	for _, name := range path {
		switch at := v.(type) {
		case map[string]any:
			inner, ok := at[name]
			if !ok {
				return "", false
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return "", false
			}
			v = at[i]
		default:
			return "", false
		}
	}
	return textOf(v)
}

// parseBody reads one JSON value; nil when it is none.
func parseBody(raw []byte) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	return v
}

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	out, err := json.Marshal(v)
	return string(out), err == nil
}
