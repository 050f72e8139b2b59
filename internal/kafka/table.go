package kafka

import (
	"fmt"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// apiRow is a family's row.
type apiRow = api.API

// row is a row of the dispatch table.
type row struct {
	api.API
	name  string
	index int // in table.rows
}

// table is the dispatch table.
type table struct {
	byKey []*row // by place(key); nil: not served
	rows  []*row // by key, without gaps
}

// newTable gathers the families' rows and checks that they are sound.
func newTable(apis []api.API) (*table, error) {
	t := &table{byKey: make([]*row, len(wire.APIs())+len(wire.OwnAPIs()))}
	for _, a := range apis {
		known := wire.LookupAPI(a.Key)
		switch {
		case known == nil:
			return nil, fmt.Errorf("key %d is none of Kafka's", a.Key)
		case a.Key >= wire.OwnFirst && !a.NodesOnly:
			return nil, fmt.Errorf("%s (key %d) is of nodes and not marked so", known.Name, a.Key)
		case t.byKey[place(a.Key)] != nil:
			return nil, fmt.Errorf("%s (key %d) has two rows", known.Name, a.Key)
		case a.Min > a.Max || a.Min < known.Min || a.Max > known.Max:
			return nil, fmt.Errorf("%s serves versions %d-%d, Kafka 4.4 has %d-%d", known.Name, a.Min, a.Max, known.Min, known.Max)
		case (a.Handle == nil) == (a.Serve == nil):
			return nil, fmt.Errorf("%s needs either Handle or Serve", known.Name)
		}
		t.byKey[place(a.Key)] = &row{API: a, name: known.Name}
	}
	for _, r := range t.byKey {
		if r != nil {
			r.index = len(t.rows)
			t.rows = append(t.rows, r)
		}
	}
	return t, nil
}

// place is where a key that wire knows stands in byKey: Kafka's first, then
// those between nodes.
func place(key int16) int {
	if key >= wire.OwnFirst {
		return len(wire.APIs()) + int(key) - wire.OwnFirst
	}
	return int(key)
}

// find gives the row that serves a version, nil when none does.
func (t *table) find(key, version int16) *row {
	if wire.LookupAPI(key) == nil {
		return nil
	}
	if r := t.byKey[place(key)]; r != nil && version >= r.Min && version <= r.Max {
		return r
	}
	return nil
}
