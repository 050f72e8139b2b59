package protocol

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a query request: the largest honest one is a batch of ten messages
// with ten attributes each.
const (
	maxParameters = 2_000
	maxDepth      = 8
)

// Query is the query protocol: parameters of a form in, XML out.
type Query struct {
	// XMLNamespace is the service's, which stands at the answer's root.
	XMLNamespace string
	// Values are the parameters of address and body, already read.
	Values url.Values
}

// ReadQuery gives the parameters of a request's address and of its body, where
// that is a form.
func ReadQuery(r *http.Request) (url.Values, *Error) {
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		body, e := readBody(r)
		if e != nil {
			return nil, e
		}
		defer release(body)
		form, err := url.ParseQuery(body.String())
		if err != nil {
			return nil, unreadable("the form cannot be read: %v", err)
		}
		for k, v := range form {
			values[k] = v
		}
	}
	if len(values) > maxParameters {
		return nil, unreadable("%d parameters: no call has more than %d", len(values), maxParameters)
	}
	return values, nil
}

// Serve runs op.
func (f *Query) Serve(w http.ResponseWriter, r *http.Request, c *Call, op Op) *Error {
	return serve(f, w, r, c, op, func(into any) error {
		root := grow(f.Values)
		f.Values = nil // a call that waits holds no parameters
		return decode(root, reflect.ValueOf(into).Elem(), "")
	})
}

func (f *Query) answer(w http.ResponseWriter, c *Call, op Op, out any) *Error {
	writeXML(w, c, op.Name, f.XMLNamespace, out)
	return nil
}

// node is one step of dotted parameter names.
type node struct {
	value string
	set   bool
	kids  map[string]*node
}

// grow makes a tree of parameters. Names deeper than any call's are left out.
func grow(values url.Values) *node {
	root := &node{}
	for name, all := range values {
		if len(all) == 0 || strings.Count(name, ".") > maxDepth {
			continue
		}
		at := root
		for step := range strings.SplitSeq(name, ".") {
			if at.kids == nil {
				at.kids = map[string]*node{}
			}
			next := at.kids[step]
			if next == nil {
				next = &node{}
				at.kids[step] = next
			}
			at = next
		}
		at.value, at.set = all[0], true
	}
	return root
}

// at is the node of a name, which may have steps with dots between them; nil for
// none.
func (n *node) at(name string) *node {
	for step := range strings.SplitSeq(name, ".") {
		if n = n.kids[step]; n == nil {
			return nil
		}
	}
	return n
}

// items are the members of a flattened list, by their numbers.
func (n *node) items() []*node {
	type item struct {
		index int
		n     *node
	}
	var all []item
	for step, kid := range n.kids {
		if i, err := strconv.Atoi(step); err == nil && i >= 0 {
			all = append(all, item{i, kid})
		}
	}
	slices.SortFunc(all, func(a, b item) int { return a.index - b.index })
	out := make([]*node, len(all))
	for i, it := range all {
		out[i] = it.n
	}
	return out
}

// tag is what a field is called.
type tag struct {
	names      []string // the first one is written
	key, value string   // of a map's entries
	omit       bool
}

func tagOf(f reflect.StructField) tag {
	name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
	t := tag{names: []string{name}, key: "Name", value: "Value", omit: strings.Contains(opts, "omitempty")}
	if name == "" {
		t.names[0] = f.Name
	}
	if q := f.Tag.Get("query"); q != "" {
		parts := strings.Split(q, ",")
		t.names = strings.Split(parts[0], "|")
		if len(parts) == 3 {
			t.key, t.value = parts[1], parts[2]
		}
	}
	return t
}

// decode puts parameters into a struct; path names it in errors.
func decode(n *node, into reflect.Value, path string) error {
	for i := range into.NumField() {
		t := tagOf(into.Type().Field(i))
		for _, name := range t.names {
			kid := n.at(name)
			if kid == nil {
				continue
			}
			if err := decodeField(kid, into.Field(i), t, path+name); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

func decodeField(n *node, v reflect.Value, t tag, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decodeField(n, v.Elem(), t, path)
	case reflect.Struct:
		return decode(n, v, path+".")
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			return decodeList(n, v, t, path)
		}
	case reflect.Map:
		return decodeMap(n, v, t, path)
	}
	if !n.set {
		return unreadable("%s has parts where one value is wanted", path)
	}
	return decodeValue(n.value, v, path)
}

func decodeList(n *node, v reflect.Value, t tag, path string) error {
	items := n.items()
	if len(items) == 0 && n.set { // one value without a number
		items = []*node{n}
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := decodeField(item, v.Index(i), t, path+"."+strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	return nil
}

func decodeMap(n *node, v reflect.Value, t tag, path string) error {
	v.Set(reflect.MakeMap(v.Type()))
	items := n.items()
	if len(items) == 0 && n.kids[t.key] != nil { // one entry without a number
		items = []*node{n}
	}
	for i, item := range items {
		at := path + "." + strconv.Itoa(i+1)
		key, value := item.kids[t.key], item.kids[t.value]
		if key == nil || !key.set {
			return unreadable("%s has no %s", at, t.key)
		}
		entry := reflect.New(v.Type().Elem()).Elem()
		if value != nil {
			if err := decodeField(value, entry, t, at+"."+t.value); err != nil {
				return err
			}
		}
		v.SetMapIndex(reflect.ValueOf(key.value), entry)
	}
	return nil
}

func decodeValue(text string, v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return unreadable("%s is %q where true or false is wanted", path, text)
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return unreadable("%s is %q where a number is wanted", path, text)
		}
		v.SetInt(i)
	case reflect.Slice:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return unreadable("%s is not base64: %v", path, err)
		}
		v.SetBytes(b)
	default:
		return unreadable("%s cannot be given as a parameter", path)
	}
	return nil
}
