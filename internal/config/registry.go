package config

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// settingsTable declares every setting, one a line; its head names the columns.
//
//go:embed settings.tsv
var settingsTable string

// registry is the parsed table. It is made on first use and never changes.
type registry struct {
	byName map[Scope]map[string]*Def
	sorted map[Scope][]*Def
}

var settings = sync.OnceValue(func() *registry {
	r, err := parseTable(settingsTable)
	if err != nil {
		panic("settings.tsv: " + err.Error()) // our own file, checked by a test
	}
	return r
})

// Lookup finds a definition, nil when there is none.
func Lookup(s Scope, name string) *Def { return settings().byName[s][name] }

// All lists a scope's definitions by name. The slice is shared.
func All(s Scope) []*Def { return settings().sorted[s] }

// must finds a definition that is known to exist.
func must(s Scope, name string) *Def {
	d := Lookup(s, name)
	if d == nil {
		panic(fmt.Sprintf("config: no %s setting %q in settings.tsv", s, name))
	}
	return d
}

const tableColumns = 9

func parseTable(text string) (*registry, error) {
	r := &registry{byName: map[Scope]map[string]*Def{}, sorted: map[Scope][]*Def{}}
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		d, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		scope := r.byName[d.Scope]
		if scope == nil {
			scope = map[string]*Def{}
			r.byName[d.Scope] = scope
		}
		if scope[d.Name] != nil {
			return nil, fmt.Errorf("line %d: %s setting %s stands twice", n+1, d.Scope, d.Name)
		}
		scope[d.Name] = d
		r.sorted[d.Scope] = append(r.sorted[d.Scope], d)
	}
	for _, defs := range r.sorted {
		slices.SortFunc(defs, func(a, b *Def) int { return strings.Compare(a.Name, b.Name) })
	}
	return r, nil
}

func parseRow(line string) (*Def, error) {
	col := strings.Split(line, "\t")
	if len(col) != tableColumns {
		return nil, fmt.Errorf("%d columns, want %d", len(col), tableColumns)
	}
	for i := range col {
		if col[i] == "-" {
			col[i] = ""
		}
	}
	d := &Def{Scope: Scope(col[0]), Name: col[1], Type: col[2], Valid: col[4], Mode: Mode(col[5]), Doc: col[8]}
	switch col[3] {
	case "null":
		d.NullDefault = true
	case `""`:
	default:
		d.Default = col[3]
	}
	if col[6] != "" {
		d.Synonyms = strings.Split(col[6], ",")
	}
	if err := d.setFlags(col[7]); err != nil {
		return nil, err
	}
	check, err := parseValid(d.Type, d.Valid)
	if err != nil {
		return nil, err
	}
	d.check = check
	d.Refused = d.Scope == ScopeBroker && refusable(d.Name)
	return d, nil
}

func (d *Def) setFlags(list string) error {
	for f := range strings.SplitSeq(list, ",") {
		switch f {
		case "":
		case "acts":
			d.Acts = true
		case "own":
			d.Own = true
		case "sensitive":
			d.Sensitive = true
		case "required":
			d.Required = true
		case "dynamic-only":
			d.DynamicOnly = true
		default:
			return fmt.Errorf("unknown flag %q", f)
		}
	}
	return nil
}
