package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ottla/internal/nearest"
)

// Strict reads one JSON value that has no fields but those which are known. What is wrong
// it tells in the words of who wrote it: which field is unknown and which is near it, or
// what a field takes.
func Strict(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return misread(err, reflect.TypeOf(into))
	}
	if dec.More() {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

func misread(err error, into reflect.Type) error {
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) && other.Field != "" {
		return fmt.Errorf("%s: it takes %s, and this is a JSON %s", other.Field, takes(other.Type), other.Value)
	}
	quoted, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !unknown {
		return err
	}
	field := strings.Trim(quoted, `"`)
	fields := fieldsOf(into, nil, nil)
	known := slices.Clone(fields)
	for _, f := range fields { // the unit is what is forgotten most
		if plain, timed := strings.CutSuffix(f, "_ms"); timed {
			known = append(known, plain)
		}
	}
	if near := nearest.Of(field, known); near != "" {
		if !slices.Contains(fields, near) {
			near += "_ms"
		}
		return fmt.Errorf("there is no field %q; did you mean %q?", field, near)
	}
	return fmt.Errorf("there is no field %q; there are %s", field, strings.Join(fields, ", "))
}

// takes is what a field of a Go type is in JSON.
func takes(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Pointer:
		return takes(t.Elem())
	}
	return "a whole number"
}

// fieldsOf are the fields of a type in JSON, and of what is in it: the decoder does not
// tell where an unknown one stands.
func fieldsOf(t reflect.Type, had []reflect.Type, out []string) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return fieldsOf(t.Elem(), had, out)
	case reflect.Struct:
	default:
		return out
	}
	if slices.Contains(had, t) {
		return out
	}
	had = append(had, t)
	for i := range t.NumField() {
		f := t.Field(i)
		called, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || called == "-" {
			continue
		}
		if called != "" && !slices.Contains(out, called) {
			out = append(out, called)
		}
		out = fieldsOf(f.Type, had, out)
	}
	return out
}
