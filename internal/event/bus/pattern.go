package bus

import (
	"bytes"
	"encoding/json"
	"errors"

	"ottla/internal/event/pattern"
)

// meant are the names of CloudEvents' attributes at the top of a pattern, and what
// the event that patterns see calls them.
var meant = map[string]string{"type": "detail-type", "data": "detail"}

// ParsePattern reads an event pattern in EventBridge's words or in CloudEvents': type
// stands for detail-type, data for detail. An error is an *InvalidError whose Cause is
// a *pattern.Error.
func ParsePattern(text string) (*pattern.Pattern, error) {
	p, err := pattern.Parse([]byte(text))
	if err != nil {
		return nil, because("pattern", err)
	}
	translated, changed, err := translate([]byte(text))
	if err != nil || !changed {
		if err != nil {
			return nil, because("pattern", err)
		}
		return p, nil
	}
	if p, err = pattern.Parse(translated); err != nil {
		return nil, because("pattern", err)
	}
	return p, nil
}

var errTwice = errors.New("type is detail-type and data is detail: a pattern names each once")

// translate renames what stands at the top of a pattern, also in $or there.
func translate(text []byte) (out []byte, changed bool, err error) {
	fields, err := members(text)
	if err != nil {
		return nil, false, err
	}
	var b bytes.Buffer
	seen := map[string]bool{}
	b.WriteByte('{')
	for i, f := range fields {
		if to, ok := meant[f.name]; ok {
			f.name, changed = to, true
		}
		if f.name == "$or" {
			value, inside, err := translateAll(f.value)
			if err != nil {
				return nil, false, err
			}
			f.value, changed = value, changed || inside
		}
		if seen[f.name] {
			return nil, false, errTwice
		}
		seen[f.name] = true
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, false, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(f.value)
	}
	b.WriteByte('}')
	return b.Bytes(), changed, nil
}

// translateAll translates the alternatives of $or; what is no list of objects is a
// field of that name.
func translateAll(list json.RawMessage) (out json.RawMessage, changed bool, err error) {
	var all []json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return list, false, nil
	}
	for i := range all {
		if !bytes.HasPrefix(bytes.TrimSpace(all[i]), []byte("{")) {
			continue
		}
		one, inside, err := translate(all[i])
		if err != nil {
			return nil, false, err
		}
		if inside {
			all[i], changed = one, true
		}
	}
	if !changed {
		return list, false, nil
	}
	out, err = json.Marshal(all)
	return out, true, err
}

type member struct {
	name  string
	value json.RawMessage
}

// members are those of a JSON object, in their order.
func members(text []byte) (out []member, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err = dec.Token(); err != nil {
		return nil, err
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		called, ok := t.(string)
		if !ok {
			return nil, errors.New("it is no JSON object")
		}
		m := member{name: called}
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
