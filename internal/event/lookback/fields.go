package lookback

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// field is a path into an event, as patterns see it.
type field []string

// String is the field as rules name it.
func (f field) String() string { return strings.Join(f, ".") }

// pattern is one that every event fits which has the field.
func (f field) pattern() string {
	var v any = []any{map[string]any{"exists": true}}
	for _, part := range slices.Backward(f) {
		v = map[string]any{part: v}
	}
	text, _ := json.Marshal(v) // texts, lists and maps can be written
	return string(text)
}

// fields are those that an event must have to fit a pattern, or one of its
// alternatives; those that may be absent are not among them.
func fields(pattern string) []field {
	var top map[string]any
	if json.Unmarshal([]byte(pattern), &top) != nil {
		return nil
	}
	var out []field
	walk(nil, top, &out)
	return out
}

func walk(at field, level map[string]any, out *[]field) {
	for _, called := range slices.Sorted(maps.Keys(level)) {
		switch v := level[called].(type) {
		case map[string]any:
			walk(at.at(called), v, out)
		case []any:
			if alternatives(called, v) {
				for _, x := range v {
					walk(at, x.(map[string]any), out)
				}
			} else if !slices.ContainsFunc(v, absent) {
				*out = append(*out, at.at(called))
			}
		}
	}
}

// at is a field within another; at the top CloudEvents' names are EventBridge's.
func (f field) at(called string) field {
	if len(f) == 0 {
		switch called {
		case "type":
			called = "detail-type"
		case "data":
			called = "detail"
		}
	}
	return append(slices.Clone(f), called)
}

// alternatives tells a list of patterns from one of tests.
func alternatives(called string, list []any) bool {
	return called == "$or" && len(list) > 0 && !slices.ContainsFunc(list, func(x any) bool { _, is := x.(map[string]any); return !is })
}

// absent tells the test that wants no value.
func absent(test any) bool {
	m, _ := test.(map[string]any)
	exists, is := m["exists"].(bool)
	return is && !exists
}
