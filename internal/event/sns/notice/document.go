package notice

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/plan"
)

// Members of the document that filter policies see.
const (
	attributesMember = "a"
	bodyMember       = "b"
)

// bodyFirst begins a document that has the body.
const bodyFirst = `{"` + bodyMember + `":`

// deepest bounds how deep a body is nested that policies look into, below what a
// pattern's event may be.
const deepest = 500

// Document appends what filter policies see of a message: its attributes as a JSON
// object, and, where it is an object itself, its body.
func (m *Message) Document(into []byte) []byte {
	if isObject(m.Body) {
		into = append(into, bodyFirst...)
		into = append(append(into, m.Body...), `,"`...)
	} else {
		into = append(into, `{"`...)
	}
	into = append(into, attributesMember+`":{`...)
	first := true
	for i := range m.Attributes {
		value := attributeValue(&m.Attributes[i])
		if value == nil {
			continue
		}
		if !first {
			into = append(into, ',')
		}
		first = false
		into = append(append(append(into, text(m.Attributes[i].Name)...), ':'), value...)
	}
	return append(into, "}}"...)
}

// hasBody tells whether a document has the body: policies of bodies fit no other.
func hasBody(doc []byte) bool { return bytes.HasPrefix(doc, []byte(bodyFirst)) }

// attributeValue is an attribute as policies see it: a text, a number, or the list
// of String.Array; nil for bytes, which none looks into.
func attributeValue(a *plan.Attribute) []byte {
	base, label, _ := strings.Cut(a.Type, ".")
	switch {
	case base == "Binary":
		return nil
	case base == "Number":
		if n := number(string(a.Value)); n != nil {
			return n
		}
	case base == "String" && label == "Array" && isList(a.Value):
		return a.Value
	}
	return text(string(a.Value))
}

// number is a decimal number as JSON; nil when it is none.
func number(s string) []byte {
	s = strings.TrimSpace(s)
	if json.Valid([]byte(s)) {
		return []byte(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return strconv.AppendFloat(nil, f, 'f', -1, 64)
}

// isList tells the JSON of a list of texts, numbers, truths and nulls.
func isList(b []byte) bool {
	var all []any
	if !utf8.Valid(b) || json.Unmarshal(b, &all) != nil {
		return false
	}
	for _, v := range all {
		switch v.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return all != nil
}

// isObject tells a JSON object that is not too deep.
func isObject(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 || b[0] != '{' || !utf8.Valid(b) || !json.Valid(b) {
		return false
	}
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > deepest {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// text is a text as JSON. Only &, < and > stay as they are, beside encoding/json.
func text(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text has no way to fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
