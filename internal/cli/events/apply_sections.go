package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// readSections reads the sections of all documents of a file.
func readSections(text []byte) (map[string]map[string]map[string]any, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("it is no YAML: %w", err)
	}
	all := map[string]map[string]map[string]any{}
	for i, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if len(file.Docs) > 1 {
			text = []byte(d.Body.String())
		}
		b, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("it is no YAML: %w", err)
		}
		var sections map[string]map[string]map[string]any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err := dec.Decode(&sections); err != nil {
			return nil, fmt.Errorf("want sections with names in them, each with its fields, as in queues: {orders: {visibility: 1m}}: %w", err)
		}
		for section, things := range sections {
			if all[section] == nil {
				all[section] = map[string]map[string]any{}
			}
			for name, fields := range things {
				if _, twice := all[section][name]; twice {
					return nil, fmt.Errorf("%s: %s stands in two documents; the second is number %d", section, name, i+1)
				}
				all[section][name] = fields
			}
		}
	}
	return all, nil
}

// order gives the names of a section; queues that others name come before those.
func (k *kind) order(all map[string]map[string]any) []string {
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if k.section == "queues" {
			if d := levelOf(all, a) - levelOf(all, b); d != 0 {
				return d
			}
		}
		return strings.Compare(a, b)
	})
}

// levelOf is how many queues must be there before one can be: the chain of its dead
// letters. A ring is cut after as many as there are.
func levelOf(queues map[string]map[string]any, called string) (level int) {
	for level < len(queues) {
		d, _ := queues[called]["dead_letter"].(map[string]any)
		next, ok := d["queue"].(string)
		if m, isMap := d["queue"].(map[string]any); isMap {
			next, ok = m["name"].(string)
		}
		if !ok {
			break
		}
		called = next
		level++
	}
	return level
}
