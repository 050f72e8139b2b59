package config

import (
	"fmt"
	"maps"
	"strconv"
)

// Static are the values a node was started with: defaults of the command
// (dev, serve), file, environment, flags, in rising precedence, each with its
// origin. It is immutable; a nil *Static has no values.
type Static struct {
	values map[string]Setting
}

// Setting is one value as it was given.
type Setting struct {
	Name  string
	Value string // normal form once it is part of a Static
	From  Place
	key   Place // where the name stands, when that is not From
	units bool  // its source may write spans and sizes with units
}

// Place is where a value was written down.
type Place struct {
	What string // "ottla dev", a file's name, "environment", "--set"
	Line int    // 1 and up, 0 when the place has no lines
	Col  int    // 1 and up, 0 when unknown
	Key  string // as it stood there, when that differs from the setting's name
	text string // the line itself, "" when it shall not be shown
}

// String is where a value was set, for people: file and line, or variable or
// flag.
func (p Place) String() string {
	s := p.What
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, p.Line)
		if p.Col > 0 {
			s = fmt.Sprintf("%s:%d", s, p.Col)
		}
	}
	if p.Key != "" {
		s += " (" + p.Key + ")"
	}
	return s
}

// nameAt is where the name stands.
func (s *Setting) nameAt() Place {
	if s.key.What != "" {
		return s.key
	}
	return s.From
}

// Get returns a broker setting's static value in normal form.
func (s *Static) Get(name string) (string, bool) {
	if s == nil {
		return "", false
	}
	v, ok := s.values[name]
	return v.Value, ok
}

// Origin tells where a static value was set.
func (s *Static) Origin(name string) (Place, bool) {
	if s == nil {
		return Place{}, false
	}
	v, ok := s.values[name]
	return v.From, ok
}

// WithNode is s with the number that the node has, under both its names, as
// Kafka shows it (node.id and broker.id stand for each other): the number may
// have been given out at the start, and stands in no file then. where says
// where it is from. s may be nil and is left as it is.
func (s *Static) WithNode(id int32, where string) *Static {
	out := &Static{values: map[string]Setting{}}
	if s != nil {
		maps.Copy(out.values, s.values)
	}
	number := strconv.Itoa(int(id))
	from := Place{What: where}
	for _, name := range []string{"node.id", "broker.id"} {
		given, ok := out.values[name]
		if !ok || given.Value != number {
			given = Setting{Name: name, Value: number, From: from}
		}
		from = given.From
		out.values[name] = given
	}
	return out
}

// With is these settings and another, whose value the node found out itself; where names
// by what.
func (s *Static) With(name, value, where string) *Static {
	out := &Static{values: maps.Clone(s.values)}
	if given, ok := out.values[name]; !ok || given.Value != value {
		out.values[name] = Setting{Name: name, Value: value, From: Place{What: where}}
	}
	return out
}

// StaticOf makes a Static from names and values: for tests and embedding. Each
// is looked up, checked and, as at a start, refused where it asks for what
// cannot be kept; where names the origin.
func StaticOf(where string, values map[string]string) (*Static, error) {
	s := &Static{values: make(map[string]Setting, len(values))}
	for name, value := range values {
		d := Lookup(ScopeBroker, name)
		if d == nil {
			return nil, unknown(name, Place{What: where})
		}
		normal, err := d.Check(value)
		if err != nil {
			return nil, err
		}
		given := Setting{Name: name, Value: normal, From: Place{What: where}}
		if why := refusal(name, normal, d); why != "" {
			return nil, &RefusedError{Lines: []ReportLine{{Setting: Setting{Name: name, Value: d.masked(normal), From: given.From}, Why: why}}}
		}
		s.values[name] = given
	}
	return s, nil
}

// unknown says that there is no setting of a name, and which one is near.
func unknown(name string, at Place) *Mistake {
	what := fmt.Sprintf("there is no setting %q", name)
	if near := Nearest(ScopeBroker, name); near != "" {
		return &Mistake{At: at, What: what + "; did you mean " + near + "?"}
	}
	return &Mistake{At: at, What: what + "; docs/configuration.md lists them all"}
}
