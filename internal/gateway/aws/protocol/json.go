package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"unicode/utf8"

	"ottla/internal/gateway/front"
)

// JSON is AWS JSON: the operation in a header, one object in, one object out.
type JSON struct {
	// Type is the content type: application/x-amz-json-1.0 or 1.1.
	Type string
	// Namespace stands before the names of errors, as in com.amazonaws.sqs.
	Namespace string
	// QueryCompatible adds the error codes of the query protocol, which
	// clients of services that had it before still look at.
	QueryCompatible bool
}

// Serve runs op.
func (f JSON) Serve(w http.ResponseWriter, r *http.Request, c *Call, op Op) *Error {
	return serve(f, w, r, c, op, readJSON(r))
}

func (f JSON) answer(w http.ResponseWriter, c *Call, _ Op, out any) *Error {
	return writeJSON(w, c, f.Type, http.StatusOK, out)
}

// readJSON reads a request's body into a struct.
func readJSON(r *http.Request) func(any) error {
	return func(into any) error {
		body, e := readBody(r)
		if e != nil {
			return e
		}
		defer release(body)
		return unmarshal(body.Bytes(), into)
	}
}

// Refuse writes an error.
func (f JSON) Refuse(w http.ResponseWriter, c *Call, e *Error) {
	if f.QueryCompatible {
		w.Header().Set("X-Amzn-Query-Error", e.QueryCode()+";"+e.Fault())
	}
	name := e.Shape
	if f.Namespace != "" {
		name = f.Namespace + "#" + name
	}
	writeJSON(w, c, f.Type, e.HTTPStatus(), struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{name, e.Message})
}

// unmarshal reads a body; an empty one is an empty object. Strings are copied
// out of it.
func unmarshal(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return unreadable("the body is not UTF-8")
	}
	if plain, ok := into.(Scanned); ok {
		if Scan(body, plain) {
			return nil
		}
		reflect.ValueOf(into).Elem().SetZero()
	}
	err := json.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return unreadable("%s is a %s where %s is wanted", typ.Field, typ.Value, typ.Type)
	}
	return unreadable("the body is not the JSON that this call wants: %v", err)
}

// writeJSON writes an answer with its length, so that the connection is kept.
// An answer without content is an empty object.
func writeJSON(w http.ResponseWriter, c *Call, contentType string, status int, out any) *Error {
	b := bodies.Get().(*bytes.Buffer)
	defer release(b)
	b.Reset()
	if plain, ok := out.(Appended); ok {
		b.Write(plain.AppendJSON(b.AvailableBuffer()))
	} else if out == nil {
		b.WriteString("{}")
	} else {
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(out); err != nil {
			e := Internal(err)
			http.Error(w, e.Message, e.HTTPStatus())
			return e
		}
		b.Truncate(b.Len() - 1) // the encoder's newline
	}
	writeBody(w, c, contentType, status, b.Bytes())
	return nil
}

func writeBody(w http.ResponseWriter, c *Call, contentType string, status int, body []byte) {
	h := w.Header()
	own := [...]string{c.ID, contentType, strconv.Itoa(len(body))} // one allocation for the three of them
	h["X-Amzn-Requestid"] = own[0:1:1]
	h["Content-Type"] = own[1:2:2]
	h["Content-Length"] = own[2:3:3]
	front.Later(h, status)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}
