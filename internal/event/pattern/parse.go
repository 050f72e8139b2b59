package pattern

import (
	"slices"
	"strings"
)

// Pattern is what one rule asks of an event, checked and ready for a Set. It is
// immutable.
type Pattern struct {
	text string // as it was written, which explanations read again
	// branches are the alternatives of $or, multiplied out: an event fits the
	// pattern when it fits one of them. There is at least one.
	branches [][]condition
}

// condition is one field as a program has it.
type condition struct{ path, tests string }

// field is one name of a pattern with its tests: one of them must pass.
type field struct {
	path     string // names from the top, joined by dots
	tests    []test
	compiled string // tests, as a program has them
	at       place
	order    int // of the fields as they are written
}

// place is where something stands in a pattern's text.
type place struct{ line, column int32 }

// Parse reads a pattern. What is wrong is an *Error that names the operator, the
// field and the place.
func Parse(text []byte) (*Pattern, error) {
	if len(text) > MaxPatternBytes {
		return nil, &Error{Line: 1, Column: 1, Problem: "is longer than 65536 bytes"}
	}
	p := &Pattern{text: string(text)}
	branches, err := compile(p.text)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, b := range branches {
		n += len(b)
	}
	p.branches = make([][]condition, len(branches))
	all := make([]condition, 0, n)
	for i, b := range branches {
		slices.SortFunc(b, func(a, b field) int { return strings.Compare(a.path, b.path) })
		from := len(all)
		for j := range b {
			all = append(all, condition{b[j].path, b[j].compiled})
		}
		p.branches[i] = all[from:len(all):len(all)]
	}
	return p, nil
}

// compile reads a pattern's alternatives.
func compile(text string) ([][]field, error) {
	root, err := readText(text)
	if err != nil {
		return nil, err
	}
	if root.kind != nodeObject {
		return nil, root.wrong("", "", "a pattern is an object, as {\"source\": [\"orders\"]}")
	}
	c := compiler{branches: [][]field{make([]field, 0, 4)}}
	if err := c.object(root, "", false); err != nil {
		return nil, err
	}
	return c.branches, nil
}

// compiler multiplies a pattern's alternatives out.
type compiler struct {
	branches [][]field
	fields   int
}

// reserved are names that mean operators: inside $or they are taken for a slip.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// object adds the fields of an object; above are the names that lead to it, each
// with a dot behind it.
func (c *compiler) object(o *node, above string, inOr bool) error {
	if len(o.members) == 0 {
		return o.wrong(strings.TrimSuffix(above, "."), "", "an object must name a field; {} is taken for a slip")
	}
	for i := range o.members {
		m := &o.members[i]
		name := above + m.name
		switch {
		case m.name == "$or":
			if err := c.or(m, above); err != nil {
				return err
			}
		case inOr && slices.Contains(reserved, m.name):
			return m.wrong(name, m.name, "this is an operator, and $or holds objects of fields; name the field, and put the operator into its list")
		case m.value.kind == nodeObject:
			if err := c.object(m.value, name+".", inOr); err != nil {
				return err
			}
		case m.value.kind == nodeList:
			if err := c.field(m, name); err != nil {
				return err
			}
		default:
			return m.value.wrong(name, "", "the values of a field stand in a list: write ["+m.value.source()+"]")
		}
	}
	return nil
}

// field adds a field to all alternatives.
func (c *compiler) field(m *member, path string) error {
	if len(m.value.items) == 0 {
		return m.value.wrong(path, "", "an empty list would never match; name a value, or [{\"exists\": false}] for a field that is not there")
	}
	f := field{path: path, tests: make([]test, 0, len(m.value.items)), at: m.place, order: c.fields}
	c.fields++
	for _, item := range m.value.items {
		t, err := readTest(item, path)
		if err != nil {
			return err
		}
		f.tests = append(f.tests, t)
	}
	var room [128]byte
	f.compiled = string(appendTests(room[:0], f.tests))
	if len(c.branches[0]) == MaxFields || (len(c.branches[0])+1)*len(c.branches) > MaxFieldsInAll {
		return m.wrong(path, "", "too many fields: 256 in one alternative and 16384 in all those of $or are the most; split the pattern into several rules")
	}
	for i, b := range c.branches {
		for _, other := range b {
			if other.path == path {
				return m.wrong(path, "", "this field has tests already; put all of them into one list, or use $or")
			}
		}
		c.branches[i] = append(b, f)
	}
	return nil
}

// or multiplies what there is with each of the objects.
func (c *compiler) or(m *member, above string) error {
	name := strings.TrimSuffix(above, ".")
	if m.value.kind != nodeList || len(m.value.items) < 2 {
		return m.wrong(name, "$or", "wants a list of two objects of fields or more")
	}
	before, all := c.branches, [][]field(nil)
	for _, item := range m.value.items {
		if item.kind != nodeObject {
			return item.wrong(name, "$or", "holds objects of fields only, as {\"source\": [\"orders\"]}")
		}
		c.branches = make([][]field, len(before))
		for i, b := range before {
			c.branches[i] = slices.Clone(b)
		}
		if err := c.object(item, above, true); err != nil {
			return err
		}
		if all = append(all, c.branches...); len(all) > MaxBranches {
			return m.wrong(name, "$or", "makes more than 1000 combinations; split the pattern into several rules")
		}
	}
	c.branches = all
	return nil
}
