package pattern

import (
	"slices"
	"strings"
)

// Pattern is what one rule asks of an event, checked and ready for a Set. It is
// immutable.
type Pattern struct {
	// branches are the alternatives of $or, multiplied out: an event fits the
	// pattern when it fits one of them. There is at least one.
	branches [][]field
}

// field is one name of a pattern with its tests: one of them must pass.
type field struct {
	path  string // names from the top, joined by dots
	tests []test
	at    place
	order int // of the fields as they are written
}

// place is where something stands in a pattern's text.
type place struct{ line, column int }

// Parse reads a pattern. What is wrong is an *Error that names the operator, the
// field and the place.
func Parse(text []byte) (*Pattern, error) {
	root, err := readText(text)
	if err != nil {
		return nil, err
	}
	if root.kind != nodeObject {
		return nil, root.wrong("", "", "a pattern is an object, as {\"source\": [\"orders\"]}")
	}
	c := compiler{branches: [][]field{nil}}
	if err := c.object(root, nil, false); err != nil {
		return nil, err
	}
	for _, b := range c.branches {
		slices.SortFunc(b, func(a, b field) int { return strings.Compare(a.path, b.path) })
	}
	return &Pattern{branches: c.branches}, nil
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

// object adds the fields of an object; path are the names that lead to it.
func (c *compiler) object(o *node, path []string, inOr bool) error {
	if len(o.members) == 0 {
		return o.wrong(strings.Join(path, "."), "", "an object must name a field; {} is taken for a slip")
	}
	for i := range o.members {
		m := &o.members[i]
		here := append(path, m.name)
		name := strings.Join(here, ".")
		switch {
		case m.name == "$or":
			if err := c.or(m, path); err != nil {
				return err
			}
		case inOr && slices.Contains(reserved, m.name):
			return m.wrong(name, m.name, "this is an operator, and $or holds objects of fields; name the field, and put the operator into its list")
		case m.value.kind == nodeObject:
			if err := c.object(m.value, here, inOr); err != nil {
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
	f := field{path: path, at: m.place, order: c.fields}
	c.fields++
	for _, item := range m.value.items {
		t, err := readTest(item, path)
		if err != nil {
			return err
		}
		f.tests = append(f.tests, t)
	}
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
func (c *compiler) or(m *member, path []string) error {
	name := strings.Join(path, ".")
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
		if err := c.object(item, path, true); err != nil {
			return err
		}
		if all = append(all, c.branches...); len(all) > MaxBranches {
			return m.wrong(name, "$or", "makes more than 1000 combinations; split the pattern into several rules")
		}
	}
	c.branches = all
	return nil
}
