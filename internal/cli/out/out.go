package out

import (
	"fmt"
	"slices"
	"strings"
)

// Column is one column of a table and one field of a row's object.
type Column struct {
	Field string // JSON name, snake_case
	Title string // heading for people; "" leaves the column out of tables
	Right bool   // numbers are aligned to the right
}

// Table is what a command prints.
type Table struct {
	Columns []Column
	Rows    [][]any // cells in the order of Columns; nil prints as - and null
	// One makes the JSON and YAML forms a single object instead of a list.
	One bool
	// Width is how many columns the terminal has, 0 for no limit. One thing whose line
	// would be wrapped is told with a line for each field that it has.
	Width int
	// Empty is what a person reads when there are no rows.
	Empty string
}

// Add appends a row; it must have one cell a column.
func (t *Table) Add(cells ...any) {
	if len(cells) != len(t.Columns) {
		panic(fmt.Sprintf("out: row of %d cells for %d columns", len(cells), len(t.Columns)))
	}
	t.Rows = append(t.Rows, cells)
}

// Formats lists the words that -o takes.
var Formats = []string{"table", "json", "ndjson", "yaml", "csv", "name", "template="}

// Known tells whether format is one of Formats.
func Known(format string) bool {
	return strings.HasPrefix(format, "template=") || slices.Contains(Formats, format)
}
