package notice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ottla/internal/event/pattern"
)

// Scopes of filter policies.
const (
	ScopeAttributes = "MessageAttributes"
	ScopeBody       = "MessageBody"
)

// Bounds of a policy, as SNS has them.
const (
	mostKeys         = 5
	mostCombinations = 150
	mostPolicyBytes  = 256 << 10
)

// ParseFilter reads a filter policy; nil for the empty one, which all messages fit.
func ParseFilter(scope, policy string) (*pattern.Pattern, error) {
	member := attributesMember
	switch {
	case scope == ScopeBody:
		member = bodyMember
	case scope != ScopeAttributes:
		return nil, fmt.Errorf("the scope %q is neither %s nor %s", scope, ScopeAttributes, ScopeBody)
	}
	if len(policy) > mostPolicyBytes {
		return nil, fmt.Errorf("the policy has %d bytes; %d are possible", len(policy), mostPolicyBytes)
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal([]byte(policy), &root); err != nil {
		return nil, errors.New("the policy is no JSON object")
	}
	if len(root) == 0 {
		return nil, nil
	}
	if err := checkShape([]byte(policy), scope == ScopeBody); err != nil {
		return nil, err
	}
	p, err := pattern.Parse([]byte(`{"` + member + `":` + policy + `}`))
	var bad *pattern.Error
	if errors.As(err, &bad) && bad.Path != "" {
		return nil, fmt.Errorf("field %q: %s", trimMember(bad.Path), operatorAnd(bad))
	}
	if bad != nil {
		return nil, errors.New(operatorAnd(bad))
	}
	return p, err
}

func operatorAnd(e *pattern.Error) string {
	if e.Operator == "" {
		return e.Problem
	}
	return fmt.Sprintf("operator %q: %s", e.Operator, e.Problem)
}

// trimMember takes our member away from a path.
func trimMember(path string) string {
	if len(path) > len(bodyMember)+1 {
		return path[len(bodyMember)+1:]
	}
	return path
}

// checkShape counts a policy's keys, and the combinations of its values, each times
// how deep its key lies.
func checkShape(policy []byte, nested bool) error {
	var c counted
	d := json.NewDecoder(bytes.NewReader(policy))
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("the policy is no JSON: %w", err)
	}
	c.combinations = 1
	if err := c.object(d, 1, nested); err != nil {
		return err
	}
	if c.keys > mostKeys {
		return fmt.Errorf("the policy has %d keys; %d are possible", c.keys, mostKeys)
	}
	if c.combinations > mostCombinations {
		return fmt.Errorf("the policy has more than %d combinations of values", mostCombinations)
	}
	return nil
}

// counted is what a policy has.
type counted struct{ keys, combinations int }

// mostDeep bounds how deep a policy is.
const mostDeep = 64

// object counts the members of an object whose beginning was read.
func (c *counted) object(d *json.Decoder, depth int, nested bool) error {
	if depth > mostDeep {
		return fmt.Errorf("the policy is deeper than %d objects", mostDeep)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("the policy is no JSON: %w", err)
		}
		begin, err := d.Token()
		switch {
		case err != nil:
			return fmt.Errorf("the policy is no JSON: %w", err)
		case begin == json.Delim('[') && name == "$or":
			if err := c.alternatives(d, depth, nested); err != nil {
				return err
			}
		case begin == json.Delim('['):
			n, err := items(d)
			if err != nil {
				return err
			}
			c.keys++
			if c.combinations <= mostCombinations {
				c.combinations *= max(n, 1) * depth
			}
		case begin == json.Delim('{') && nested:
			if err := c.object(d, depth+1, nested); err != nil {
				return err
			}
		default:
			return fmt.Errorf("field %q: a key's value is a list of what it may be", name)
		}
	}
	_, err := d.Token()
	return err
}

// alternatives counts the objects of an $or.
func (c *counted) alternatives(d *json.Decoder, depth int, nested bool) error {
	for d.More() {
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			return errors.New("$or holds objects of keys")
		}
		if err := c.object(d, depth, nested); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// items counts the rest of a list and reads it.
func items(d *json.Decoder) (n int, err error) {
	for d.More() {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return 0, fmt.Errorf("the policy is no JSON: %w", err)
		}
		n++
	}
	_, err = d.Token()
	return n, err
}

// Filters are the policies of all subscriptions of a topic. They are immutable, and
// many goroutines may use them, each Match with a Matcher of its own.
type Filters struct {
	set  *pattern.Set
	open []int        // that have none
	body map[int]bool // of ScopeBody
}

// NewFilters takes the policies by number; nil is none.
func NewFilters(all []*pattern.Pattern, ofBody func(i int) bool) *Filters {
	f := &Filters{body: map[int]bool{}}
	e := pattern.NewSet().Edit()
	for i, p := range all {
		if p == nil {
			f.open = append(f.open, i)
			continue
		}
		e.Put(pattern.ID(i), p)
		if ofBody(i) {
			f.body[i] = true
		}
	}
	f.set = e.Set()
	return f
}

// Match appends the numbers of the policies that a document fits, in order.
func (f *Filters) Match(into []int, doc []byte, m *pattern.Matcher) ([]int, error) {
	found, err := f.set.Match(doc, m, nil)
	if err != nil {
		return into, fmt.Errorf("match a message: %w", err)
	}
	body, open := hasBody(doc), f.open
	for _, id := range found {
		i := int(id)
		if f.body[i] && !body {
			continue
		}
		for len(open) > 0 && open[0] < i {
			into, open = append(into, open[0]), open[1:]
		}
		into = append(into, i)
	}
	return append(into, open...), nil
}
