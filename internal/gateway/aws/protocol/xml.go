package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const xmlType = "text/xml"

// Refuse writes an error.
func (f *Query) Refuse(w http.ResponseWriter, c *Call, e *Error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	open(&b, "ErrorResponse", f.XMLNamespace)
	b.WriteString("<Error>")
	element(&b, "Type", e.Fault())
	element(&b, "Code", e.QueryCode())
	element(&b, "Message", e.Message)
	b.WriteString("<Detail/></Error>")
	element(&b, "RequestId", c.ID)
	b.WriteString("</ErrorResponse>")
	writeBody(w, c, xmlType, e.HTTPStatus(), b.Bytes())
}

// writeXML writes an operation's answer.
func writeXML(w http.ResponseWriter, c *Call, name, namespace string, out any) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	open(&b, name+"Response", namespace)
	if v := reflect.Indirect(reflect.ValueOf(out)); v.IsValid() && v.NumField() > 0 {
		b.WriteString("<" + name + "Result>")
		encode(&b, v)
		b.WriteString("</" + name + "Result>")
	}
	b.WriteString("<ResponseMetadata>")
	element(&b, "RequestId", c.ID)
	b.WriteString("</ResponseMetadata></" + name + "Response>")
	writeBody(w, c, xmlType, http.StatusOK, b.Bytes())
}

func open(b *bytes.Buffer, name, namespace string) {
	b.WriteString("<" + name)
	if namespace != "" {
		b.WriteString(` xmlns="`)
		text(b, namespace)
		b.WriteByte('"')
	}
	b.WriteByte('>')
}

func element(b *bytes.Buffer, name, value string) {
	b.WriteString("<" + name + ">")
	text(b, value)
	b.WriteString("</" + name + ">")
}

func text(b *bytes.Buffer, s string) {
	// Escaping into a buffer has no way to fail.
	_ = xml.EscapeText(b, []byte(s))
}

// encode writes the fields of a struct, flattened as the query protocol wants.
func encode(b *bytes.Buffer, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if t := tagOf(v.Type().Field(i)); !t.omit || !f.IsZero() {
			encodeField(b, f, t)
		}
	}
}

func encodeField(b *bytes.Buffer, v reflect.Value, t tag) {
	name := t.names[0]
	if outer, inner, ok := strings.Cut(name, "."); ok {
		b.WriteString("<" + outer + ">")
		encodeField(b, v, tag{names: []string{inner}, key: t.key, value: t.value})
		b.WriteString("</" + outer + ">")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			encodeField(b, v.Elem(), t)
		}
	case reflect.Struct:
		b.WriteString("<" + name + ">")
		encode(b, v)
		b.WriteString("</" + name + ">")
	case reflect.Map:
		encodeMap(b, v, t)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			element(b, name, base64.StdEncoding.EncodeToString(v.Bytes()))
			return
		}
		for i := range v.Len() {
			encodeField(b, v.Index(i), t)
		}
	case reflect.Bool:
		element(b, name, strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int32, reflect.Int64:
		element(b, name, strconv.FormatInt(v.Int(), 10))
	case reflect.String:
		element(b, name, v.String())
	}
}

func encodeMap(b *bytes.Buffer, v reflect.Value, t tag) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	for _, k := range keys {
		b.WriteString("<" + t.names[0] + ">")
		element(b, t.key, k.String())
		encodeField(b, v.MapIndex(k), tag{names: []string{t.value}})
		b.WriteString("</" + t.names[0] + ">")
	}
}
